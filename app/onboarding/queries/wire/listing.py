"""Lists of running work, a page at a time: onboardings, exceptions, the journal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType
from sqlalchemy import select, tuple_

from app.access.permissions import Permission
from app.access.require import require
from app.access.roles import CUSTOMER_ROLES
from app.flow.state import OpenedException
from app.intake.queries import Raised, get_exception, list_exceptions_before
from app.kernel.paging import CursorKey, Listing, Position, make_cursor, read_cursor
from app.kernel.work import Work
from app.onboarding.models import Journal, Onboarding
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.wire.words import words_of
from app.onboarding.schemas import (
    ExceptionOut,
    ExceptionPage,
    ExceptionQuery,
    JournalEntry,
    JournalPage,
    JournalQuery,
    OnboardingOut,
    OnboardingPage,
    OnboardingQuery,
    ProposalOut,
)

Cursor = str | UnsetType
_COLUMNS = (
    *(Onboarding.id, Onboarding.name, Onboarding.state, Onboarding.seq, Onboarding.definition_digest),
    *(Onboarding.trace_id, Onboarding.started_at, Onboarding.first_value_at, Onboarding.finished_at),
)


def list_onboardings(work: Work, asked: OnboardingQuery) -> OnboardingPage:
    """One page of the tenant's onboardings, the last started first. Raises NotPermitted."""
    require(work, Permission.ONBOARDING_READ)
    listing = Listing("onboardings.api", work.tenant.id, _filters(state=asked.state))
    query = select(*_COLUMNS).order_by(Onboarding.started_at.desc(), Onboarding.id.desc()).limit(asked.limit + 1)
    if asked.state is not UNSET:
        query = query.where(Onboarding.state == asked.state)
    if (place := _place(work, listing, asked.cursor)) is not None:
        query = query.where(tuple_(Onboarding.started_at, Onboarding.id) < tuple_(_moment(place), place.id))
    rows = [OnboardingOut(*row) for row in work.session.execute(query)]
    last = rows[asked.limit - 1] if len(rows) > asked.limit else None
    return OnboardingPage(rows[: asked.limit], _next(work, listing, last.started_at, last.id) if last else None)


def list_exceptions(work: Work, picture: Picture, asked: ExceptionQuery) -> ExceptionPage:
    """One page of an onboarding's exceptions, the newest first. Raises what a wrong cursor does."""
    about = str(picture.onboarding.id)
    listing = Listing("exceptions", work.tenant.id, (*_filters(state=asked.state), ("onboarding", about)))
    place = _place(work, listing, asked.cursor)
    before = (_moment(place), place.id) if place else None
    state = "" if asked.state is UNSET else str(asked.state)
    found = list_exceptions_before(work, picture.onboarding.id, before, state=state, limit=asked.limit + 1)
    rows = [show_exception(work, picture, record) for record in found]
    last = rows[asked.limit - 1] if len(rows) > asked.limit else None
    return ExceptionPage(rows[: asked.limit], _next(work, listing, last.opened_at, last.id) if last else None)


def read_exception(work: Work, picture: Picture, exception_id: UUID) -> ExceptionOut:
    """One exception of the onboarding. Raises ExceptionMissing."""
    return show_exception(work, picture, get_exception(work, picture.onboarding.id, exception_id))


def show_exception(work: Work, picture: Picture, record: Raised) -> ExceptionOut:
    """An exception as its reader's side may see it."""
    item = picture.definition.items.get(record.item_key or "")
    inside = bool(work.rights & CUSTOMER_ROLES) and (item is None or item.side != "customer")
    stored = picture.state.exceptions.get(record.key)
    is_open = record.state == "open"
    return ExceptionOut(
        id=record.id,
        item=record.item_key,
        type=record.type,
        reason_code=record.reason_code,
        state=record.state,
        route=[str(role) for role in record.route],
        blocks=bool(stored and stored.blocks),
        note=None if inside else record.summary,
        opened_at=record.opened_at,
        respond_by=record.respond_by,
        owner=record.owner_id,
        owner_name=picture.name_of(f"person:{record.owner_id}") if record.owner_id else "",
        answered_at=stored.answered_at if stored else None,
        answered_by=picture.name_of(stored.answered_by) if stored else "",
        retry_at=stored.retry_at if stored and is_open else None,
        proposal=_proposal(picture, stored, inside=inside) if is_open else None,
        late=is_open and record.respond_by is not None and record.respond_by < picture.now,
        resolved_at=record.resolved_at,
        resolved_by=picture.name_of(f"person:{record.resolved_by}") if record.resolved_by else "",
        resolution=record.resolution,
        reason=None if inside else record.reason,
    )


def _proposal(picture: Picture, stored: OpenedException | None, *, inside: bool) -> ProposalOut | None:
    if stored is None or stored.proposal is None:
        return None
    wanted = stored.proposal.resolved
    return ProposalOut(
        digest=stored.proposal.digest,
        resolution=wanted.resolution,
        stage=wanted.stage,
        reason=None if inside else wanted.reason,
        input=None if inside else dict(wanted.input),
        proposed_at=stored.proposal.at,
        proposed_by=picture.name_of(wanted.by.actor),
    )


def list_journal(work: Work, picture: Picture, asked: JournalQuery) -> JournalPage:
    """One page of an onboarding's journal, as it was written. Raises NotPermitted, and what a wrong cursor does."""
    require(work, Permission.TRAIL_READ)
    onboarding = picture.onboarding
    listing = Listing("journal", work.tenant.id, (("onboarding", str(onboarding.id)),))
    query = select(Journal).where(Journal.onboarding_id == onboarding.id).order_by(Journal.seq).limit(asked.limit + 1)
    if (place := _place(work, listing, asked.cursor)) is not None:
        query = query.where(Journal.seq > int(str(place.sort[0])))
    rows = list(work.session.scalars(query))
    entries = [_entry(picture, row, picture.say) for row in rows[: asked.limit]]
    more = len(rows) > asked.limit
    return JournalPage(entries, _next(work, listing, entries[-1].seq, onboarding.id) if more else None)


def _entry(picture: Picture, row: Journal, say: Callable[[str], str]) -> JournalEntry:
    return JournalEntry(
        seq=row.seq,
        at=row.at,
        actor_kind=row.actor_kind,
        actor_id=row.actor_id,
        actor_name=picture.name_of(f"{row.actor_kind}:{row.actor_id}"),
        words=words_of(picture, row.event, say),
        event=row.event,
    )


def _filters(**given: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in given.items() if value is not UNSET)


def _place(work: Work, listing: Listing, cursor: Cursor) -> Position | None:
    if cursor is UNSET:
        return None
    return read_cursor(work.service(CursorKey).value, listing, str(cursor), now=work.database_now)


def _moment(place: Position) -> datetime:
    return datetime.fromisoformat(str(place.sort[0]))


def _next(work: Work, listing: Listing, sort: datetime | int, row_id: UUID) -> str:
    key = work.service(CursorKey).value
    return make_cursor(
        key,
        listing,
        Position((sort.isoformat() if isinstance(sort, datetime) else sort,), row_id),
        now=work.database_now,
    )
