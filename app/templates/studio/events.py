"""What happened to drafts in a partner's home."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class DraftStarted(Event, frozen=True, kw_only=True):
    """Somebody began a draft."""

    type: ClassVar[str] = "templates.draft.started"
    subject_kind: ClassVar[str] = "draft"

    title: str


class DraftSaved(Event, frozen=True, kw_only=True):
    """Somebody saved a draft; `text` is the hash of what it says now."""

    type: ClassVar[str] = "templates.draft.saved"
    subject_kind: ClassVar[str] = "draft"

    version: int
    text: str
    problems: int


class DraftDiscarded(Event, frozen=True, kw_only=True):
    """Somebody threw a draft away."""

    type: ClassVar[str] = "templates.draft.discarded"
    subject_kind: ClassVar[str] = "draft"

    title: str


class DraftSimulated(Event, frozen=True, kw_only=True):
    """Somebody had histories of a draft walked."""

    type: ClassVar[str] = "templates.draft.simulated"
    subject_kind: ClassVar[str] = "draft"

    version: int
