"""Reads the drafts of a partner's home, and what walking them found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audit.queries.documents import Kept, find_document, list_documents
from app.kernel.errors import Missing
from app.web.translations import mark

DRAFT, SIMULATION = "template.draft", "template.simulation"
_TEXT = "source"  # of a draft's body what a list does not read
_NO_SUCH = mark("There is no such draft. It may have been discarded.")


class DraftMissing(Missing):
    """The home has no such draft."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft in short, its title in the reader's language where it has one.

    `published`: the version that it was published as last, "" for none.
    """

    id: UUID
    version: int
    changed_at: datetime
    title: str
    template: str
    number: str
    kind: str
    problems: int
    by: str
    published: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What was asked for, and what was found so far."""

    number: int
    body: Mapping[str, Any]


def list_drafts(session: Session, language: str = "") -> list[Draft]:
    """Every draft, the last changed first; in the home's scope. Their texts are not read."""
    found = [_short(each, language) for each in list_documents(session, DRAFT, without=_TEXT)]
    return sorted(found, key=lambda draft: draft.changed_at, reverse=True)


def get_draft(session: Session, draft_id: UUID, language: str = "") -> tuple[Draft, str]:
    """A draft and its text; in the home's scope. Raises DraftMissing."""
    kept = get_kept(session, draft_id)
    return _short(kept, language), str(kept.body[_TEXT])


def get_kept(session: Session, draft_id: UUID, *, lock: bool = False) -> Kept:
    """All that is kept of a draft; held until the commit where it is about to change. Raises DraftMissing."""
    kept = find_document(session, DRAFT, str(draft_id), lock=lock)
    if kept is None:
        raise DraftMissing(_NO_SUCH)
    return kept


def find_source(session: Session, digest: str) -> str:
    """The text that a version was published from, with its comments; "" where its draft says something else by now."""
    known = (each for each in list_documents(session, DRAFT, without=_TEXT) if each.body["digest"] == digest)
    found = next(known, None)
    return get_draft(session, UUID(found.key))[1] if found else ""


def find_simulation(session: Session, draft_id: UUID) -> Simulation | None:
    """What walking a draft found; None where nobody has asked."""
    kept = find_document(session, SIMULATION, str(draft_id))
    return Simulation(kept.body["number"], kept.body) if kept else None


def _short(kept: Kept, language: str) -> Draft:
    names = ("template", "number", "kind", "problems", "by", "published")
    title = kept.body.get("titles", {}).get(language) or kept.body["title"]  # drafts of before have one title
    return Draft(UUID(kept.key), kept.version, kept.changed_at, title, *(kept.body[name] for name in names))
