"""What is announced when a text is signed, or somebody declines to."""

from __future__ import annotations

from typing import ClassVar

from app.onboarding.events import OfOnboarding


class TextSigned(OfOnboarding, frozen=True, kw_only=True):
    """A person signed a text: by which name, in which language, the digest of exactly that text, and of which version.

    `complete`: nobody else has to.
    """

    type: ClassVar[str] = "onboarding.text.signed"
    personal: ClassVar[frozenset[str]] = frozenset({"name"})

    task: str
    name: str
    locale: str
    digest: str
    version: str
    definition_digest: str
    complete: bool


class SigningDeclined(OfOnboarding, frozen=True, kw_only=True):
    """A person who was asked to sign does not; the reason says why."""

    type: ClassVar[str] = "onboarding.text.declined"

    task: str
