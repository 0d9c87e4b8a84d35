"""Reads lines and chains: in `control` for every start, in a home for whoever changes them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, cast, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.audit.queries.documents import find_document
from app.templates.lines.chains import Shelves, find_chain, uppermost
from app.templates.models import Definition, TemplateLine, TemplateVersion

LINE = "template.line"  # the kind of record that a home keeps it in
MOST_ENTRIES = 50  # of a line's history that are shown


@dataclass(frozen=True, slots=True)
class Offered:
    """A published template, and the uppermost overlay upon it, if there is one."""

    template_digest: str
    overlay_digest: str | None


@dataclass(frozen=True, slots=True)
class LineEntry:
    """What was offered from a moment on; `why`: published, adopted, upgraded, or a person's reason for going back."""

    seq: int
    offered: Offered
    why: str
    changed_by: str
    changed_at: datetime


def own(column: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """Whether a row is of the very organisation whose scope this is: its scope also holds those below it."""
    scope = func.nullif(func.current_setting("app.organisation", True), "")
    return column == cast(scope, Uuid)


def published_shelves(session: Session) -> Shelves:
    """What the organisation has published, in its scope in `control`."""
    mine = own(TemplateVersion.organisation_id)

    def beneath(digest: str) -> str | None:
        return session.scalars(
            select(TemplateVersion.below).where(mine, TemplateVersion.digest == digest)
        ).one_or_none()

    def leading_to(result: str) -> str | None:
        found = select(TemplateVersion.digest, TemplateVersion.below).where(mine, TemplateVersion.result == result)
        latest = found.order_by(TemplateVersion.published_at.desc(), TemplateVersion.digest)
        return uppermost([(row.digest, row.below) for row in session.execute(latest)])

    return Shelves(lambda digest: find_published(session, digest), beneath, leading_to)


def home_shelves(session: Session) -> Shelves:
    """What is published in a home, in its own scope."""

    def find(digest: str) -> Mapping[str, Any] | None:
        row = session.get(Definition, digest)
        return row.document if row else None

    def beneath(digest: str) -> str | None:
        row = session.get(Definition, digest)
        return row.origins.get("below") if row else None

    def leading_to(result: str) -> str | None:
        below = Definition.origins["below"].astext
        found = select(Definition.digest, below.label("below")).where(Definition.origins["result"].astext == result)
        latest = found.order_by(Definition.pinned_at.desc(), Definition.digest)
        return uppermost([(row.digest, row.below) for row in session.execute(latest)])

    return Shelves(find, beneath, leading_to)


def find_published(session: Session, digest: str) -> Mapping[str, Any] | None:
    """A published document of the organisation by its content address, or None; in its scope."""
    found = select(TemplateVersion.document).where(own(TemplateVersion.organisation_id))
    return session.scalars(found.where(TemplateVersion.digest == digest)).one_or_none()


def find_line(session: Session, template_id: str | None = None) -> Offered | None:
    """What the organisation offers now of a template, or what it changed last of all; None where there is nothing."""
    found = select(TemplateLine.template_digest, TemplateLine.overlay_digest).where(own(TemplateLine.organisation_id))
    if template_id is not None:
        found = found.where(TemplateLine.template_id == template_id).order_by(TemplateLine.seq.desc())
    else:
        found = found.order_by(TemplateLine.changed_at.desc(), TemplateLine.template_id, TemplateLine.seq.desc())
    row = session.execute(found.limit(1)).one_or_none()
    return Offered(row.template_digest, row.overlay_digest) if row else None


def current_lines(session: Session) -> dict[str, Offered]:
    """What the organisation offers now, by template; in its scope."""
    found = select(TemplateLine).where(own(TemplateLine.organisation_id)).ext(distinct_on(TemplateLine.template_id))
    rows = session.scalars(found.order_by(TemplateLine.template_id, TemplateLine.seq.desc()))
    return {row.template_id: Offered(row.template_digest, row.overlay_digest) for row in rows}


def list_line(session: Session, template_id: str) -> list[LineEntry]:
    """What the organisation has offered of a template, the last first; in its scope."""
    found = select(TemplateLine).where(own(TemplateLine.organisation_id), TemplateLine.template_id == template_id)
    return [
        LineEntry(row.seq, Offered(row.template_digest, row.overlay_digest), row.why, row.changed_by, row.changed_at)
        for row in session.scalars(found.order_by(TemplateLine.seq.desc()).limit(MOST_ENTRIES))
    ]


def find_entry(session: Session, template_id: str, seq: str) -> LineEntry | None:
    """One entry of a line's history by its number, or None; in the organisation's scope."""
    return next((each for each in list_line(session, template_id) if str(each.seq) == seq), None)


def find_overlay(session: Session, template_digest: str) -> str | None:
    """The uppermost overlay that goes with a version of a template; in the organisation's scope.

    What was offered with it last; or one that was published upon it after that, when the line had gone on.
    """
    line = select(TemplateLine.overlay_digest, TemplateLine.changed_at).where(own(TemplateLine.organisation_id))
    line = line.where(TemplateLine.template_digest == template_digest).order_by(TemplateLine.seq.desc())
    offered = session.execute(line.limit(1)).one_or_none()
    upon = select(TemplateVersion.digest, TemplateVersion.below).where(own(TemplateVersion.organisation_id))
    upon = upon.where(TemplateVersion.kind == "overlay", TemplateVersion.template_digest == template_digest)
    if offered is not None:
        upon = upon.where(TemplateVersion.published_at > offered.changed_at)
    latest = upon.order_by(TemplateVersion.published_at.desc(), TemplateVersion.digest)
    later = uppermost([(row.digest, row.below) for row in session.execute(latest)])
    return later or (offered.overlay_digest if offered else None)


def line_in_home(session: Session, template_id: str) -> Offered | None:
    """The same as `find_line`, where it is decided; in the home's scope."""
    kept = find_document(session, LINE, template_id)
    return (offered_in(kept.body) if kept else None) or offered_before(session, template_id)


def offered_before(session: Session, template_id: str, without: Collection[str] = ()) -> Offered | None:
    """What a home offered before there were lines: its newest template with the newest overlay upon it.

    `without` are the addresses of what is being published at this moment.
    """
    latest = select(Definition.digest).where(Definition.template_id == template_id, Definition.digest.not_in(without))
    latest = latest.order_by(Definition.pinned_at.desc(), Definition.digest).limit(1)
    template = session.scalars(latest.where(Definition.document["id"].astext == template_id)).one_or_none()
    if template is None:
        return None
    upon = Definition.document["base"]["digest"].astext == template
    return Offered(template, session.scalars(latest.where(upon)).one_or_none())


def follow_line(session: Session, pinned: Offered) -> Offered:
    """What a lane that was drawn up for a version gets now; in the home's scope.

    What its partner offers of that template; but who named an adaptation that is not offered any more keeps to it.
    """
    row = session.get(Definition, pinned.template_digest)
    now = line_in_home(session, row.template_id) if row else None
    if now is None or pinned.overlay_digest is None:
        return now or pinned
    chain = find_chain(home_shelves(session), now.overlay_digest or now.template_digest)
    named = session.get(Definition, pinned.overlay_digest)
    return now if named and named.document["overlay"] in {each.id for each in chain.overlays} else pinned


def offered_in(body: Mapping[str, Any]) -> Offered | None:
    """What a line's record says; None for one that has just been made."""
    return Offered(body["template_digest"], body["overlay_digest"]) if body else None
