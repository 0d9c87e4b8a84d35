"""The work queues of one workspace, from its own rows: how many onboardings run in one is bounded by its plan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import UNSET

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.paging import CursorKey, make_cursor, read_cursor
from app.kernel.work import Work
from app.onboarding.models import WorkItem
from app.onboarding.queries.waiting import list_waiting
from app.onboarding.queues.lines import FOREVER, MENTIONS, SOON, Found, counted, listing_of
from app.onboarding.queues.queries import position_of
from app.onboarding.queues.schemas import QueueOut, WorkQuery

Order = tuple[datetime, UUID, str]


def list_own_work(work: Work, asked: WorkQuery) -> Found:
    """One page of what waits in this workspace, and how much waits in all.

    Raises NotPermitted, CursorForeign, CursorExpired.
    """
    require(work, Permission.ONBOARDING_READ)
    me, now, key = work.actor.id, work.now, work.service(CursorKey).value
    rows = sorted((WorkItem(**line) for line in list_waiting(work)), key=_order)
    fitting = [row for row in rows if _fits(row, asked, me, now)]
    listing = listing_of(asked, reader=me, place=work.tenant.id, tenant_id=work.tenant.id)
    ahead = fitting
    if asked.cursor is not UNSET:
        place = read_cursor(key, listing, str(asked.cursor), now=work.database_now)
        last = (datetime.fromisoformat(str(place.sort[0])), place.id, str(place.sort[1]))
        ahead = [row for row in fitting if _order(row) > last]
    behind = ahead[asked.limit - 1] if len(ahead) > asked.limit else None
    cursor = make_cursor(key, listing, position_of(behind), now=work.database_now) if behind else None
    views = {view: sum(_seen_in(row, view, me, now) for row in rows) for view in counted}
    return Found(ahead[: asked.limit], cursor, len(fitting), views, _queues(rows, now), now)


def _order(row: WorkItem) -> Order:
    return (row.due_at or FOREVER, row.onboarding_id, row.key)


def _fits(row: WorkItem, asked: WorkQuery, reader: UUID, now: datetime) -> bool:
    queue = row.unowned if asked.queue == "owner" else asked.queue in {UNSET, row.queue}
    owner = asked.owner is UNSET or str(asked.owner) in _ids(row)
    old = row.since <= now - timedelta(days=asked.age) if asked.age else True
    return _seen_in(row, asked.view, reader, now) and queue and owner and old and asked.sla in {UNSET, _sla(row, now)}


def _seen_in(row: WorkItem, view: str, reader: UUID, now: datetime) -> bool:
    if MENTIONS in {row.queue, view}:
        return row.queue == view and str(reader) in _ids(row)
    return {
        "watching": str(reader) in (row.watchers or ()),
        "mine": row.assignee == reader,
        "roles": str(reader) in _ids(row),
        "unowned": row.unowned,
        "late": _sla(row, now) == "late",
        "customer": row.queue == "customer",
    }.get(view, True)


def _sla(row: WorkItem, now: datetime) -> str:
    if row.due_at is None:
        return "none"
    return "late" if row.due_at < now else "soon" if row.due_at < now + SOON else "later"


def _ids(row: WorkItem) -> set[str]:
    return {each["id"] for each in row.people}


def _queues(rows: Iterable[WorkItem], now: datetime) -> list[QueueOut]:
    by_name: dict[str, list[WorkItem]] = {}
    for row in (each for each in rows if each.queue != MENTIONS):
        for name in (row.queue, *(["owner"] if row.unowned else [])):
            by_name.setdefault(name, []).append(row)
    return [
        QueueOut(name, len(held), min(row.since for row in held), sum(_sla(row, now) == "late" for row in held))
        for name, held in sorted(by_name.items())
    ]
