"""The registry's own rows: the directory of tenants in `control`, their slots and states in `cell`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Interval, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import CellRecord, ControlRecord, Document


class Installation(ControlRecord):
    """One row: the name of this installation and the secret that its login passwords are derived from."""

    __tablename__ = "installation"
    __table_args__ = {"info": {"scope": "functions"}}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    prefix: Mapped[str]
    secret: Mapped[bytes]
    made_at: Mapped[datetime]


class Cell(ControlRecord):
    """One PostgreSQL database that holds tenants; its address comes from the settings, by this name.

    `plans` null takes tenants of every plan, `capacity` null as many as come.
    """

    __tablename__ = "cell"
    __table_args__ = {"info": {"scope": "true", "rights": "SELECT"}}

    name: Mapped[str] = mapped_column(primary_key=True)
    gateways: Mapped[int]
    state: Mapped[str]  # open | closed: a closed cell serves its tenants and takes no new ones
    made_at: Mapped[datetime]
    region: Mapped[str | None]
    plans: Mapped[list[Any] | None]
    capacity: Mapped[int | None]


class Plan(ControlRecord):
    """What a tenant is sold: its limits, its share of the workers, and with it which cells take it."""

    __tablename__ = "plan"
    __table_args__ = {"info": {"scope": "true", "rights": "SELECT"}}

    key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    weight: Mapped[int]
    limits: Mapped[Document]
    made_at: Mapped[datetime]


class TenantEntry(ControlRecord):
    """The directory's line for one tenant, and the request that asked for it (its command key makes it once)."""

    __tablename__ = "tenant"
    __table_args__ = (
        UniqueConstraint("organisation_id", "request_key"),
        Index(None, "organisation_id", "kind"),
        Index("uq_tenant_external", "organisation_id", "external_id", unique=True),
        Index("ix_tenant_behind", "changed_at", postgresql_where="behind"),
        Index("ix_tenant_listed", "organisation_id", "requested_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    kind: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    request_key: Mapped[str]
    cause: Mapped[Document]
    cell_name: Mapped[str | None] = mapped_column(ForeignKey("control.cell.name"))
    schema_name: Mapped[str | None]
    role_name: Mapped[str | None]
    gateway: Mapped[int | None]
    requested_at: Mapped[datetime]
    active_at: Mapped[datetime | None]
    # Null in rows of a build that did not know them yet: no plan, no region, nothing changed since it was made.
    plan_key: Mapped[str | None] = mapped_column(ForeignKey("control.plan.key"))
    region: Mapped[str | None]
    external_id: Mapped[str | None]  # what the partner's own systems call it
    service_package: Mapped[str | None]
    limits: Mapped[Document | None]  # over those of the plan
    change: Mapped[Document | None]  # the last change of state: id, who, why; what the cell and the trails are told
    changed_at: Mapped[datetime | None]
    behind: Mapped[bool | None]  # the cell has not been told yet


class Erasure(ControlRecord):
    """A wish to erase a tenant: asked for by one person, approved by another, then done step by step."""

    __tablename__ = "erasure"
    __table_args__ = (
        Index("uq_erasure_open", "tenant_id", unique=True, postgresql_where="state in ('requested', 'approved')"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenant.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    state: Mapped[str]  # requested | approved | shredded | dropped | withdrawn
    reason: Mapped[str]
    trace_id: Mapped[str]
    requested_by: Mapped[UUID]
    requested_name: Mapped[str]
    requested_at: Mapped[datetime]
    decided_by: Mapped[UUID | None]
    decided_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    shredded_at: Mapped[datetime | None]
    effective_at: Mapped[datetime | None]  # from then on no backup of the keyring holds the key either
    dropped_at: Mapped[datetime | None]


class Hook(ControlRecord):
    """Which tenant an opaque webhook address belongs to; only the token's hash is kept.

    Its connection, whose workspace decides whether the address is open, or none: an older one, of a home's CRM.
    """

    __tablename__ = "hook"
    __table_args__ = {"info": {"rights": "SELECT, INSERT, DELETE"}}

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenant.id"))
    source: Mapped[str]
    made_at: Mapped[datetime]
    connection_id: Mapped[UUID | None]


class CellMark(CellRecord):
    """Whose cell this is: one row that says which installation made it and under which name."""

    __tablename__ = "mark"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    installation_id: Mapped[UUID]
    name: Mapped[str]


class Clock(CellRecord):
    """The business clock's offset of a cell: one row, moved only by tests and the demo (DESIGN 8)."""

    __tablename__ = "clock"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shift: Mapped[timedelta] = mapped_column(Interval())


class Slot(CellRecord):
    """A schema and role made ahead; claiming it is an update of this row, never DDL (DESIGN 4)."""

    __tablename__ = "slot"
    __table_args__ = (
        UniqueConstraint("role_name"),
        UniqueConstraint("tenant_id"),
        Index(None, "made_at", postgresql_where="state = 'free'"),
    )

    schema_name: Mapped[str] = mapped_column(primary_key=True)
    role_name: Mapped[str]
    gateway: Mapped[int]
    revision: Mapped[str]
    state: Mapped[str]
    tenant_id: Mapped[UUID | None]
    made_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    head_hash: Mapped[str | None]  # what it was made of (tenants.schema.head); None: made by an earlier build


class TenantState(CellRecord):
    """The cell's copy of what sessions, dispatcher and timers obey."""

    __tablename__ = "tenant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    changed_at: Mapped[datetime]
    # Null in rows of a build that did not know them yet.
    kind: Mapped[str | None]
    weight: Mapped[int | None]
    limits: Mapped[Document | None]  # what holds: the plan's with the tenant's own over them
    change_id: Mapped[UUID | None]  # the last change of `control` that this row follows
    organisation_id: Mapped[UUID | None]  # whose it is, for listeners of partners
