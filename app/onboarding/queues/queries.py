"""The work queues over all customers, from the projection in `control`: filtered, counted and paged by the database.

Those of one workspace are in `inside.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import ColumnElement, and_, false, func, literal, literal_column, select, text, true, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import SQLColumnExpression

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.actor import Actor
from app.kernel.paging import CursorKey, Position, make_cursor, read_cursor
from app.kernel.runtime import Runtime
from app.onboarding.models import DUE, WorkItem
from app.onboarding.queues.lines import FOREVER, MENTIONS, SOON, Found, counted, listing_of
from app.onboarding.queues.schemas import QueueOut, WorkQuery
from tenants.sessions import partner_session

Condition = SQLColumnExpression[bool]
_DUE = literal_column(DUE, type_=WorkItem.due_at.type)  # word for word the index: no value is sent for it
_UNNARROWED = 2  # conditions of a list that is only a view: whose, and which
_ORDER = (_DUE, WorkItem.onboarding_id, WorkItem.key)


def list_work(runtime: Runtime, actor: Actor, organisation_id: UUID, asked: WorkQuery) -> Found:
    """One page of what waits, over all of the organisation's customers, and how much waits in all.

    Raises NotPermitted, CursorForeign, CursorExpired.
    """
    require(AtWork(staff_rights(actor), actor), Permission.ONBOARDING_READ)
    key = runtime.service(CursorKey).value
    listing = listing_of(asked, reader=actor.id, place=organisation_id, tenant_id=None)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        mine = _own(session)
        wanted = [mine, *filters(asked, actor.id, now)]
        query = select(WorkItem).where(*wanted).order_by(*_ORDER).limit(asked.limit + 1)
        if asked.cursor is not UNSET:
            query = query.where(_behind(read_cursor(key, listing, str(asked.cursor), now=now)))
        rows = list(session.scalars(query))
        queues = _count_queues(session, mine, now)
        views = _count_views(session, mine, actor.id, now, queues)
        total = views[asked.view]
        if len(wanted) > _UNNARROWED:
            total = session.scalar(select(func.count()).select_from(WorkItem).where(*wanted)) or 0
        session.expunge_all()
    behind = rows[asked.limit - 1] if len(rows) > asked.limit else None
    cursor = make_cursor(key, listing, position_of(behind), now=now) if behind else None
    return Found(rows[: asked.limit], cursor, total, views, queues, now)


def find_lines(
    runtime: Runtime, actor: Actor, organisation_id: UUID, keys: Sequence[tuple[UUID, str]]
) -> list[WorkItem]:
    """The lines of these onboardings and keys, over all of the organisation's customers. Raises NotPermitted."""
    require(AtWork(staff_rights(actor), actor), Permission.ONBOARDING_READ)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
        query = select(WorkItem).where(tuple_(WorkItem.onboarding_id, WorkItem.key).in_(keys))
        rows = list(session.scalars(query))
        session.expunge_all()
    return rows


def position_of(row: WorkItem) -> Position:
    """Where the next page goes on."""
    return Position(((row.due_at or FOREVER).isoformat(), row.key), row.onboarding_id)


def view_filter(view: str, reader: UUID, now: datetime) -> Condition:
    """What belongs to one of the views."""
    if view == MENTIONS:
        return and_(WorkItem.queue == MENTIONS, WorkItem.people.contains([{"id": str(reader)}]))
    views: dict[str, Condition] = {
        "watching": func.coalesce(WorkItem.watchers.contains([str(reader)]), false()),
        "mine": WorkItem.assignee == reader,
        "roles": WorkItem.people.contains([{"id": str(reader)}]),
        "unowned": WorkItem.unowned,
        "late": _late(now),
        "customer": WorkItem.queue == "customer",
    }
    return and_(WorkItem.queue != MENTIONS, views.get(view, true()))


def filters(asked: WorkQuery, reader: UUID, now: datetime) -> list[Condition]:
    """All that was asked for, as conditions."""
    wanted: list[Condition] = [view_filter(asked.view, reader, now)]
    if asked.queue is not UNSET:
        wanted.append(WorkItem.unowned if asked.queue == "owner" else WorkItem.queue == asked.queue)
    if asked.owner is not UNSET:
        wanted.append(WorkItem.people.contains([{"id": str(asked.owner)}]))
    if asked.age:
        wanted.append(WorkItem.since <= now - timedelta(days=asked.age))
    if asked.sla is not UNSET:
        wanted.append(_sla(str(asked.sla), now))
    return wanted


def _late(now: datetime) -> ColumnElement[bool]:
    return func.coalesce(WorkItem.due_at < now, False)


def _sla(word: str, now: datetime) -> ColumnElement[bool]:
    soon = and_(WorkItem.due_at >= now, WorkItem.due_at < now + SOON)
    later = WorkItem.due_at >= now + SOON
    return {"late": _late(now), "soon": soon, "later": later}.get(word, WorkItem.due_at.is_(None))


def _behind(place: Position) -> ColumnElement[bool]:
    due, key = datetime.fromisoformat(str(place.sort[0])), str(place.sort[1])
    return tuple_(*_ORDER) > tuple_(literal(due), literal(place.id), literal(key))


def _own(session: Session) -> Condition:
    """The organisation and those below it, by id: what row-level security asks anyway, as an index can answer it."""
    below = session.scalars(text("SELECT control.organisations_below()")).all()
    return WorkItem.organisation_id.in_(below) if len(below) > 1 else WorkItem.organisation_id == below[0]


def _count_queues(session: Session, mine: Condition, now: datetime) -> list[QueueOut]:
    """By queue, of an index alone; what nobody owns is counted as the queue of owners too."""
    numbers = (func.count(), func.min(WorkItem.since), func.count().filter(_late(now)))
    work = select(WorkItem.queue, *numbers).where(mine, WorkItem.queue != MENTIONS)
    found = session.execute(work.group_by(WorkItem.queue).order_by(WorkItem.queue)).all()
    queues = [QueueOut(*row) for row in found]
    count, oldest, late = session.execute(select(*numbers).where(mine, WorkItem.unowned)).one()
    return [*queues, QueueOut("owner", count, oldest, late)] if count else queues


def _count_views(
    session: Session, mine: Condition, reader: UUID, now: datetime, queues: Sequence[QueueOut]
) -> dict[str, int]:
    """What the queues tell already, what an index tells, and in one pass over the lines what only their people tell."""
    of = {queue.queue: queue for queue in queues}
    work = [queue for name, queue in of.items() if name != "owner"]
    known = {"all": sum(queue.count for queue in work), "late": sum(queue.late for queue in work)}
    known |= {view: of[name].count if name in of else 0 for view, name in _TOLD_BY_QUEUES}
    taken = select(func.count()).select_from(WorkItem).where(mine, view_filter("mine", reader, now))
    known["mine"] = session.scalar(taken) or 0
    named = [func.count().filter(view_filter(view, reader, now)) for view in _NAMED]
    row = session.execute(select(*named).select_from(WorkItem).where(mine)).one()
    known |= dict(zip(_NAMED, row, strict=True))
    return {view: known[view] for view in counted}


_TOLD_BY_QUEUES = (("unowned", "owner"), ("customer", "customer"))
_NAMED = ("roles", "watching", MENTIONS)
