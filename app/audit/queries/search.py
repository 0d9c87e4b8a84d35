"""Finds entries of a trail by person, subject, action and period, the newest first, a page at a time."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET
from sqlalchemy import Select, select, tuple_

from app.audit.gate import READ, require_right
from app.audit.models import Leaf
from app.audit.note import read_key
from app.audit.queries.signed import Head, read_head
from app.audit.schemas import ActorOut, EntryOut, HeadOut, SubjectOut, TrailPage, TrailQuery
from app.audit.signing import Signers
from app.kernel.errors import Invalid
from app.kernel.paging import CursorKey, Listing, Position, make_cursor, read_cursor
from app.kernel.trail import Entry as TrailEntry
from app.kernel.work import Work
from app.web.translations import mark

_FILTERS = ("person", "subject", "action", "since", "until")


class PeriodUnfit(Invalid):
    """A period begins or ends at a time that there is not."""

    status = 400


def search_trail(work: Work, asked: TrailQuery) -> TrailPage:
    """One page of what fits, in one query, and how far the trail is signed.

    Raises NotPermitted, PeriodUnfit, and what a wrong cursor raises (`app.kernel.paging`).
    """
    require_right(work, READ)
    key, limit = work.service(CursorKey).value, asked.limit
    given = tuple((name, str(value)) for name in _FILTERS if (value := getattr(asked, name)) is not UNSET)
    listing = Listing("trail", tenant_id=work.tenant.id, filters=given)
    query = _filtered(select(TrailEntry, Leaf.place).outerjoin(Leaf, Leaf.entry_id == TrailEntry.id), asked)
    if asked.cursor is not UNSET:
        last = read_cursor(key, listing, str(asked.cursor), now=work.database_now)
        at = datetime.fromisoformat(str(last.sort[0]))
        query = query.where(tuple_(TrailEntry.at, TrailEntry.id) < tuple_(at, last.id))
    newest = query.order_by(TrailEntry.at.desc(), TrailEntry.id.desc()).limit(limit + 1)
    rows = [(row[0], row[1]) for row in work.session.execute(newest)]
    behind = None
    if len(rows) > limit:
        entry = rows[limit - 1][0]
        place = Position((entry.at.isoformat(),), entry.id)
        behind = make_cursor(key, listing, place, now=work.database_now)
    items = [_shown(entry, place) for entry, place in rows[:limit]]
    return TrailPage(items=items, head=show_head(work, read_head(work)), next=behind)


def show_head(work: Work, head: Head) -> HeadOut:
    """The head with the key that signs it, as readers get it."""
    signer = work.service(Signers).signer
    return HeadOut(head.size, head.signed, head.root, head.note, signer.public_key(work))


def fingerprint_of(head: HeadOut) -> str:
    """What people compare; empty before the first checkpoint."""
    return read_key(head.key).fingerprint if head.key else ""


def _moment(given: object, name: str) -> datetime:
    try:
        return datetime.fromisoformat(str(given))
    except ValueError:
        raise PeriodUnfit(mark("There is no such time."), errors=[(f"/{name}", "no such time")]) from None


def _filtered(query: Select[TrailEntry, int], asked: TrailQuery) -> Select[TrailEntry, int]:
    if asked.person is not UNSET:
        query = query.where(TrailEntry.actor_id == asked.person)
    if asked.subject is not UNSET:
        query = query.where(TrailEntry.subject_id == asked.subject)
    if asked.action is not UNSET:
        word = str(asked.action)
        query = query.where((TrailEntry.action == word) | TrailEntry.action.startswith(f"{word}.", autoescape=True))
    if asked.since is not UNSET:
        query = query.where(TrailEntry.at >= _moment(asked.since, "since"))
    if asked.until is not UNSET:
        query = query.where(TrailEntry.at < _moment(asked.until, "until"))
    return query


def _shown(entry: TrailEntry, place: int | None) -> EntryOut:
    return EntryOut(
        id=entry.id,
        at=entry.at,
        actor=ActorOut(entry.actor_kind, entry.actor_id, entry.actor_name),
        on_behalf_of=entry.on_behalf_of,
        action=entry.action,
        subject=SubjectOut(entry.subject_kind, entry.subject_id),
        onboarding_id=entry.onboarding_id,
        reason=entry.reason,
        trace_id=entry.trace_id,
        body=entry.body,
        leaf_hash=entry.leaf_hash,
        place=place,
    )
