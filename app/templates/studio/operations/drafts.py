"""Keeps drafts in the partner's home: one row each, whose version protects everybody's last save."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import drop_document, keep_document
from app.audit.queries.documents import Kept
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.templates.document import LARGEST
from app.templates.studio.events import DraftDiscarded, DraftSaved, DraftStarted
from app.templates.studio.queries import DRAFT, SIMULATION, get_kept, list_drafts
from app.web.translations import mark

MOST_DRAFTS: Final = 100

_CHANGED = mark("Somebody else has saved this draft meanwhile. Nothing is lost: your text is below as you left it.")
_FULL = mark("There are as many drafts as can be kept. Discard one first.")
_LARGE = mark("A template has at most 250 kB. Nothing was saved.")
_NUL = mark("The text holds a character that cannot be kept. Nothing was saved.")


class DraftChanged(Conflict):
    """Somebody else's save is newer than what this one was made from; `extensions` say whose and which."""


class TooManyDrafts(Conflict):
    """The home keeps as many drafts as it may."""


class TextUnfit(Invalid):
    """The text is too large, or cannot be stored."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text with what was found in it, as its draft is listed; `titles` by language, `title` for all other readers."""

    source: str
    title: str
    titles: dict[str, str]
    template: str
    number: str
    kind: str
    problems: int

    def body(self, work: Work) -> dict[str, Any]:
        """As it is stored. Raises TextUnfit."""
        if len(self.source.encode("utf-8", "surrogatepass")) > LARGEST:
            raise TextUnfit(_LARGE)
        if "\x00" in self.source:
            raise TextUnfit(_NUL)
        said: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return said | {"by": work.actor.name}


def start_draft(work: Work, draft_id: UUID, text: Text) -> None:
    """Begin a draft. Raises NotPermitted, TextUnfit, TooManyDrafts."""
    require(work, Permission.TEMPLATE_EDIT)
    if len(list_drafts(work.session)) >= MOST_DRAFTS:
        raise TooManyDrafts(_FULL)
    body = text.body(work) | {"published": "", "digest": ""}
    keep_document(work, DRAFT, str(draft_id), body)
    work.record(DraftStarted(subject_id=draft_id, title=text.title))


def save_draft(work: Work, draft_id: UUID, text: Text, version: int) -> int:
    """Save over the version that the text was made from; the same text again is no new version. Returns the version.

    Raises NotPermitted, DraftMissing, DraftChanged, TextUnfit.
    """
    require(work, Permission.TEMPLATE_EDIT)
    kept, body = _held(work, draft_id, version), text.body(work)
    if kept.body["source"] == text.source and kept.body["problems"] == text.problems:
        return kept.version
    if kept.body["source"] != text.source:
        body["digest"] = ""  # it is not the text of what was published from it any more
    saved = keep_document(work, DRAFT, kept.key, {**kept.body, **body})
    digest = hashlib.sha256(text.source.encode()).hexdigest()
    work.record(DraftSaved(subject_id=draft_id, version=saved, text=digest, problems=text.problems))
    return saved


def note_published(work: Work, draft_id: UUID, number: str, digest: str) -> None:
    """Remember what a draft was published as: its text has the comments that a version has not. Raises NotPermitted."""
    require(work, Permission.TEMPLATE_PUBLISH)
    kept = get_kept(work.session, draft_id, lock=True)
    keep_document(work, DRAFT, kept.key, {**kept.body, "published": number, "digest": digest})


def discard_draft(work: Work, draft_id: UUID, version: int) -> None:
    """Throw a draft away, as its reader saw it. Raises NotPermitted, DraftMissing, DraftChanged."""
    require(work, Permission.TEMPLATE_EDIT)
    kept = _held(work, draft_id, version)
    for kind in (DRAFT, SIMULATION):
        drop_document(work, kind, kept.key)
    work.record(DraftDiscarded(subject_id=draft_id, title=kept.body["title"]))


def _held(work: Work, draft_id: UUID, version: int) -> Kept:
    """What is kept, until the commit: of two who save at once, the second meets what the first saved."""
    kept = get_kept(work.session, draft_id, lock=True)
    if kept.version != version:
        trouble = DraftChanged(_CHANGED)
        trouble.extensions = {"by": str(kept.body["by"]), "version": str(kept.version)}
        raise trouble
    return kept
