"""Declining to sign is said with its reason; signing is an event of its own, for it names a text."""

from __future__ import annotations

from collections.abc import Mapping

from app.flow.events import By
from app.flow.fields import AnswersRefused, Value, is_given
from app.flow.kinds.signatures import Signing
from app.kernel.errors import Forbidden, Invalid

WHY = "Write down why you do not sign: whoever wrote the text reads it."


class SignInstead(Invalid):
    """A text is signed by name, not ticked off."""


class NotTheSigner(Forbidden):
    """Another role signs this, or declines to."""


def check_signer(signing: Signing, by: By) -> None:
    """Whether this person is one of those who sign. Raises NotTheSigner."""
    if signing.role is not None and signing.role not in by.roles:
        raise NotTheSigner(f"Only who holds the role “{signing.role}” signs this.")


def check_refusal(signing: Signing, by: By, answers: Mapping[str, Value]) -> None:
    """Whether somebody who may sign declines, and says why. Raises NotTheSigner, SignInstead, AnswersRefused."""
    check_signer(signing, by)
    if answers.get("signed") is not False or answers.keys() - {"signed", "comment"}:
        raise SignInstead("A text is signed with one's name and the digest of what was read; it is not just completed.")
    if not is_given(answers.get("comment")):
        raise AnswersRefused(WHY, errors=[("/answers/comment", WHY)])
