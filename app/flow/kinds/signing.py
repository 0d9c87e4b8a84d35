"""Somebody signs a text: the right person, exactly this text, once; the task is done when all have signed."""

from __future__ import annotations

from app.flow.definition import Item
from app.flow.events import TaskSigned
from app.flow.fields import AnswersRefused
from app.flow.kinds.refusing import check_signer
from app.flow.kinds.signatures import Signature, Signing, in_force, text_digest
from app.flow.state import Proof
from app.flow.steps.draft import Draft, NotOpen
from app.flow.steps.settle import settle_item
from app.flow.steps.work import NotYourTask
from app.kernel.errors import Conflict

LONGEST_NAME = 200
_SHORTEST_NAME = 2
_NAME = "Write your full name, as you sign with it."


class TextChanged(Conflict):
    """What was read is not what would be signed."""


class AlreadySigned(Conflict):
    """A person signs a text once."""


def sign(draft: Draft, event: TaskSigned) -> None:
    """A person signs the text that they have read.

    Raises NotOpen, NotYourTask, NotTheSigner, TextChanged, AlreadySigned, AnswersRefused.
    """
    item = draft.definition.items[event.task]
    if item.signing is None:
        raise NotOpen("This is not a step in which something is signed.")
    state = draft.items[item.key].state
    if state != "open":
        raise NotOpen(f"This task is {state}; it cannot be signed now.")
    if event.by.side != item.side:
        raise NotYourTask(f"This is the {item.side}'s to sign; nobody signs for them.")
    check_signer(item.signing, event.by)
    text = item.signing.text.get(event.locale)
    if text is None or text_digest(text) != event.digest:
        raise TextChanged("The text has changed since you opened it. Nothing was signed: read it again, then sign.")
    standing = in_force(item.signing, draft.signatures.get(item.key, ()))
    if any(each.by == event.by.actor for each in standing):
        raise AlreadySigned("You have signed this already; nobody signs a text twice.")
    made = Signature(
        by=event.by.actor, name=_checked_name(event.name), locale=event.locale, digest=event.digest,
        version=draft.definition.version, definition=draft.definition.digest, at=draft.now,
    )  # fmt: skip
    all_of_it = (*draft.signatures.get(item.key, ()), made)
    draft.whole["signatures"] = draft.signatures | {item.key: all_of_it}
    if is_complete(item.signing, [*standing, made], event.waits_for):
        _complete(draft, item, [*standing, made])


def is_complete(signing: Signing, standing: list[Signature], waits_for: tuple[str, ...]) -> bool:
    """Whether all who have to have signed."""
    signed = {each.by for each in standing}
    return signed >= set(waits_for) if signing.everyone else len(signed) >= signing.signers


def _checked_name(name: str) -> str:
    plain = " ".join(name.split())
    if not _SHORTEST_NAME <= len(plain) <= LONGEST_NAME or not plain.isprintable():
        raise AnswersRefused(_NAME, errors=[("/name", _NAME)])
    return plain


def _complete(draft: Draft, item: Item, standing: list[Signature]) -> None:
    names, last = [each.name for each in standing], standing[-1]
    digests = ", ".join(dict.fromkeys(f"{each.locale} sha256:{each.digest}" for each in standing))
    proof = Proof(statement=f"{', '.join(names)} ({digests})", given_by=last.by, given_at=draft.now)
    draft.set(item.key, answers={"signed": True, "signed_by": "\n".join(names)}, evidence=proof)
    settle_item(draft, item.key, "done", by=last.by)
