"""Rows that cross tenants, in the cell: what happened, what is to be done, and when. Ids and times only (DESIGN 4).

Tenant roles may only insert here; every unique key starts with the tenant, so a conflict tells nobody about another.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import CellRecord, Document, TenantRecord
from tenants.moving.portable import Travels

# A job that moves with its tenant waits for a worker of the other installation, as if it had just been asked for.
_AFRESH = {
    "state": "ready",
    "attempts": "0",
    "epoch": "0",
    "worker": None,
    "lease_until": None,
    "last_error": None,
    "deaths": None,
}


class Outbox(CellRecord):
    """An announced event, by id: its body is the trail entry of the same id in the tenant's schema."""

    __tablename__ = "outbox"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        Index("ix_outbox_new", "created_at", postgresql_where="state = 'new'"),
        Index("ix_outbox_lane", "tenant_id", "lane", "lane_seq", postgresql_where="lane is not null and state = 'new'"),
        {"info": {"travels": Travels("state = 'new'")}},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    type: Mapped[str]
    lane: Mapped[str | None]
    lane_seq: Mapped[int | None]
    state: Mapped[str]
    trace_id: Mapped[str]
    created_at: Mapped[datetime]


class Job(CellRecord):
    """Work to be done once: claimed under a lease, completed by compare-and-set on its epoch."""

    __tablename__ = "job"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        Index("uq_job_dedupe", "tenant_id", "dedupe_key", unique=True),
        Index("ix_job_next", "run_at", "id", postgresql_where="state = 'ready'"),
        Index(
            "ix_job_flow",
            *("tenant_id", "queue", text("COALESCE(cap_key, '')"), "run_at", "id"),
            postgresql_where="state = 'ready'",
        ),
        Index("ix_job_ended", "tenant_id", "kind", postgresql_where="state in ('failed', 'poisoned', 'cancelled')"),
        Index("ix_job_lease", "lease_until", postgresql_where="state in ('dispatched', 'running')"),
        Index(
            "ix_job_lane", "tenant_id", "lane", "lane_seq", postgresql_where="lane is not null and finished_at is null"
        ),
        {"info": {"travels": Travels("finished_at IS NULL", _AFRESH)}},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    kind: Mapped[str]
    queue: Mapped[str]
    args: Mapped[Document]
    lane: Mapped[str | None]
    lane_seq: Mapped[int | None]
    dedupe_key: Mapped[str]
    run_at: Mapped[datetime]
    state: Mapped[str]  # ready | dispatched | running | done | failed | poisoned | cancelled
    attempts: Mapped[int]
    epoch: Mapped[int]
    worker: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    last_error: Mapped[str | None]
    trace_id: Mapped[str]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    # Null in rows of a build that did not know them.
    cap_key: Mapped[str | None]  # what it uses that bears only so many at once (`connection:<id>`); null: nothing
    cap_most: Mapped[int | None]  # so many
    deaths: Mapped[int | None]  # workers that were lost while they ran it, in a row


class Timer(CellRecord):
    """Something due at a business time. A moved timer is a new version; the stale one does nothing when it fires."""

    __tablename__ = "timer"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        Index("ix_timer_due", "due_at", postgresql_where="state = 'waiting'"),
        Index("ix_timer_tenant_due", "tenant_id", "due_at", postgresql_where="state = 'waiting'"),
        {"info": {"travels": Travels("state = 'waiting'")}},
    )

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    version: Mapped[int]
    args: Mapped[Document]
    due_at: Mapped[datetime]
    state: Mapped[str]  # waiting | fired
    trace_id: Mapped[str]
    created_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]


class Dispatch(CellRecord):
    """Whether jobs are handed out in this cell: one row; none means that they are (`slipway dispatcher drain`)."""

    __tablename__ = "dispatch"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    drained: Mapped[bool]
    reason: Mapped[str]
    changed_at: Mapped[datetime]


class Share(CellRecord):
    """What a tenant has had of the workers in one queue; kept by the dispatcher (`app.kernel.queue.fair`)."""

    __tablename__ = "share"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "queue"),)

    tenant_id: Mapped[UUID]
    queue: Mapped[str]
    vtime: Mapped[float]  # seconds of a worker, divided by the tenant's weight
    cost: Mapped[float]  # seconds of a worker that one of its jobs takes


class Pace(CellRecord):
    """How far a queue is among queues, and its tenants among each other; the row without a name is of all queues."""

    __tablename__ = "pace"

    queue: Mapped[str] = mapped_column(primary_key=True)
    spent: Mapped[float]
    reached: Mapped[float]


class Inbox(CellRecord):
    """A message from outside, admitted once per tenant, source and the sender's id."""

    __tablename__ = "inbox"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "source", "external_id"),
        {"info": {"travels": Travels("true")}},  # what was admitted here is not admitted again over there
    )

    tenant_id: Mapped[UUID]
    source: Mapped[str]
    external_id: Mapped[str]
    id: Mapped[UUID]
    received_at: Mapped[datetime]


class TrailEntry(TenantRecord):
    """Who did what, when, why and on whose behalf; also the body of the event of the same id."""

    __tablename__ = "trail"
    __table_args__ = (
        Index(None, "onboarding_id", "at"),
        Index(None, "at"),
        Index(None, "actor_id", "at"),
        {"info": {"append_only": True}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID]
    actor_name: Mapped[str]
    on_behalf_of: Mapped[UUID | None]
    action: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    onboarding_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    trace_id: Mapped[str]
    body: Mapped[Document]
    salt: Mapped[str]  # empty once some of its personal values were erased
    leaf_hash: Mapped[str]
    # Commitments of what is personal, by their path in the entry; null in rows of a build that did not keep them.
    personal: Mapped[Document | None]


class TrailMark(CellRecord):
    """A transaction has left entries in its tenant's trail that no leaf stands for yet. None named: look at all."""

    __tablename__ = "trail_mark"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "id"), {"info": {"travels": Travels("true")}})

    tenant_id: Mapped[UUID]
    id: Mapped[UUID]
    entries: Mapped[list[Any]]
    made_at: Mapped[datetime]


class TrailHead(CellRecord):
    """How far a tenant's trail is in its tree: leaves, their root, and the newest checkpoint that was signed."""

    __tablename__ = "trail_head"
    __table_args__ = (PrimaryKeyConstraint("tenant_id"), {"info": {"travels": Travels("true")}})

    tenant_id: Mapped[UUID]
    size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[str]
    note: Mapped[str | None]
    changed_at: Mapped[datetime]


class Command(TenantRecord):
    """An accepted command's key and result, in the command's own transaction: sent twice, applied once."""

    __tablename__ = "command"
    __table_args__ = {"info": {"append_only": True}}

    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    result: Mapped[Document]
    at: Mapped[datetime]
