"""What both lists of work share: the order, the views, and a line as it is shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from msgspec import UNSET

from app.kernel.paging import Listing
from app.onboarding.models import WorkItem
from app.onboarding.queues.schemas import PersonOut, QueueOut, WorkLine, WorkPage, WorkQuery

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)  # where the list has what has no date
SOON = timedelta(days=1)
counted = ("all", "mine", "roles", "unowned", "late", "customer", "watching", "mentions")
MENTIONS = "mentions"  # what one has been told by name waits to be read, and is no work: in its own view only


@dataclass(frozen=True, slots=True)
class Found:
    """A page of rows, the cursor behind it, and the counts of everything."""

    rows: list[WorkItem]
    next: str | None
    total: int
    views: dict[str, int]
    queues: list[QueueOut]
    now: datetime

    def page(self) -> WorkPage:
        """As it is answered."""
        lines = [line_of(row, self.now) for row in self.rows]
        return WorkPage(lines, self.next, self.total, self.views, self.queues)


def line_of(row: WorkItem, now: datetime) -> WorkLine:
    """A row as its readers get it."""
    return WorkLine(
        tenant_id=row.tenant_id,
        onboarding_id=row.onboarding_id,
        key=row.key,
        kind=row.kind,
        onboarding=row.name,
        queue=row.queue,
        side=row.side,
        state=row.state,
        title=row.title,
        role=row.role,
        assignee=row.assignee,
        people=[PersonOut(UUID(each["id"]), each["name"]) for each in row.people],
        unowned=row.unowned,
        since=row.since,
        due_at=row.due_at,
        late=row.due_at is not None and row.due_at < now,
        reason=row.reason,
    )


def listing_of(asked: WorkQuery, *, reader: UUID, place: UUID, tenant_id: UUID | None) -> Listing:
    """Which list a cursor is of: whose, where, and with which filters."""
    given = {"view": asked.view, "queue": asked.queue, "owner": asked.owner, "age": asked.age, "sla": asked.sla}
    filters = tuple((name, str(value)) for name, value in given.items() if value is not UNSET)
    return Listing("work", tenant_id, (*filters, ("reader", str(reader)), ("place", str(place))))
