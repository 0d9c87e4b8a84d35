"""The fleet's own rows: the plan in `control`, what became of each schema in its `cell`. Only the owner writes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import CellRecord, ControlRecord


class FleetPlan(ControlRecord):
    """One upgrade of the fleet: to which revision, by which scripts, in which rings, and how far it is."""

    __tablename__ = "fleet_plan"
    __table_args__ = {"info": {"scope": "functions"}}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    target: Mapped[str]
    revisions: Mapped[list[Any]]  # [revision, checksum], in order
    rings: Mapped[list[Any]]  # names, in order
    soak_seconds: Mapped[int]
    state: Mapped[str]  # planned | running | stopped | halted | incomplete | finished | abandoned
    ring: Mapped[int]
    forgiven: Mapped[int]  # failures that an operator has seen and gone on from
    reason: Mapped[str | None]
    soak_until: Mapped[datetime | None]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class FleetStep(CellRecord):
    """What the plan has done to one schema, or why it could not. The revision itself stands in `slot`."""

    __tablename__ = "fleet_step"

    schema_name: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[UUID]
    ring: Mapped[int]
    state: Mapped[str]  # waiting | done | quarantined
    attempts: Mapped[int]
    backfilled: Mapped[str | None]  # the last key of a backfill under way
    error: Mapped[str | None]
    changed_at: Mapped[datetime]
