"""The registry's own rows: the directory of tenants in `control`, their slots and states in `cell`."""

from __future__ import annotations

from datetime import datetime, timedelta
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
    """One PostgreSQL database that holds tenants; its address comes from the settings, by this name."""

    __tablename__ = "cell"
    __table_args__ = {"info": {"scope": "true", "rights": "SELECT"}}

    name: Mapped[str] = mapped_column(primary_key=True)
    gateways: Mapped[int]
    state: Mapped[str]
    made_at: Mapped[datetime]


class TenantEntry(ControlRecord):
    """The directory's line for one tenant, and the request that asked for it (its command key makes it once)."""

    __tablename__ = "tenant"
    __table_args__ = (UniqueConstraint("organisation_id", "request_key"), Index(None, "organisation_id", "kind"))

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


class Hook(ControlRecord):
    """Which tenant an opaque webhook address belongs to; only the token's hash is kept."""

    __tablename__ = "hook"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenant.id"))
    source: Mapped[str]
    made_at: Mapped[datetime]


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
    head_hash: Mapped[str | None]  # what it was made of (tenants.head); None: made by an earlier build


class TenantState(CellRecord):
    """The cell's copy of what sessions, dispatcher and timers obey."""

    __tablename__ = "tenant"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    state: Mapped[str]
    changed_at: Mapped[datetime]
