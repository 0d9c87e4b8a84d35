"""Keeps drafts in the partner's home: one row each, whose version protects everybody's last save."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select

from app.access.permissions import Permission
from app.access.require import require
from app.audit.models import Record
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.templates.document import LARGEST
from app.templates.studio.events import DraftDiscarded, DraftSaved, DraftStarted
from app.templates.studio.queries import DRAFT, MOST_DRAFTS, SIMULATION, draft_row
from app.web.translations import mark

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
    """A text with what was found in it, as its draft is listed."""

    source: str
    title: str
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
    kept = work.session.scalar(select(func.count()).select_from(Record).where(Record.kind == DRAFT))
    if (kept or 0) >= MOST_DRAFTS:
        raise TooManyDrafts(_FULL)
    body = text.body(work) | {"published": "", "digest": ""}
    work.session.add(Record(kind=DRAFT, key=str(draft_id), version=1, body=body, changed_at=work.now))
    work.record(DraftStarted(subject_id=draft_id, title=text.title))


def save_draft(work: Work, draft_id: UUID, text: Text, version: int) -> int:
    """Save over the version that the text was made from; the same text again is no new version. Returns the version.

    Raises NotPermitted, DraftMissing, DraftChanged, TextUnfit.
    """
    require(work, Permission.TEMPLATE_EDIT)
    row = _held(work, draft_id, version)
    body = text.body(work)
    if row.body["source"] == text.source and row.body["problems"] == text.problems:
        return row.version
    row.body, row.version, row.changed_at = {**row.body, **body}, row.version + 1, work.now
    digest = hashlib.sha256(text.source.encode()).hexdigest()
    work.record(DraftSaved(subject_id=draft_id, version=row.version, text=digest, problems=text.problems))
    return row.version


def note_published(work: Work, draft_id: UUID, number: str, digest: str) -> None:
    """Remember what a draft was published as: its text has the comments that a version has not. Raises NotPermitted."""
    require(work, Permission.TEMPLATE_PUBLISH)
    row = draft_row(work.session, draft_id, lock=True)
    row.body = {**row.body, "published": number, "digest": digest}


def discard_draft(work: Work, draft_id: UUID, version: int) -> None:
    """Throw a draft away, as its reader saw it. Raises NotPermitted, DraftMissing, DraftChanged."""
    require(work, Permission.TEMPLATE_EDIT)
    row = _held(work, draft_id, version)
    work.session.execute(delete(Record).where(Record.kind.in_([DRAFT, SIMULATION]), Record.key == row.key))
    work.record(DraftDiscarded(subject_id=draft_id, title=row.body["title"]))


def _held(work: Work, draft_id: UUID, version: int) -> Record:
    """The row, until the commit: of two who save at once, the second meets what the first saved."""
    row = draft_row(work.session, draft_id, lock=True)
    if row.version != version:
        trouble = DraftChanged(_CHANGED)
        trouble.extensions = {"by": str(row.body["by"]), "version": str(row.version)}
        raise trouble
    return row
