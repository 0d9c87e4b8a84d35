"""Sold deals, the lanes that admit them, the handed-over packet, and what needs a person before or after admission."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import Document, TenantRecord


class Workflow(TenantRecord):
    """One lane: trigger contract, one segment, owners, template line, stop point (DESIGN 2)."""

    __tablename__ = "workflow"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    segment: Mapped[str]
    state: Mapped[str]  # draft | scored | approved | pilot | live | stable | stopped
    contract: Mapped[Document]
    owners: Mapped[Document]
    template_digest: Mapped[str]
    overlay_digest: Mapped[str | None]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connection.id"))
    changed_at: Mapped[datetime]


class Delivery(TenantRecord):
    """A webhook as it arrived, kept until it is dealt with."""

    __tablename__ = "delivery"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    body: Mapped[Document]
    received_at: Mapped[datetime]


class Deal(TenantRecord):
    """What a CRM says was sold; admitted at most once by a workflow's trigger contract."""

    __tablename__ = "deal"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]
    workflow_id: Mapped[UUID | None] = mapped_column(ForeignKey("workflow.id"))
    state: Mapped[str]  # received | held | excluded | admitted | started
    facts: Mapped[Document]
    reason: Mapped[str | None]
    tenant_id: Mapped[UUID | None]
    onboarding_id: Mapped[UUID | None]
    account_id: Mapped[str | None] = mapped_column(index=True)
    admission_id: Mapped[UUID | None]
    trace_id: Mapped[str]
    received_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class PacketField(TenantRecord):
    """One handed-over fact of a deal, with its source and who corrected it."""

    __tablename__ = "packet"
    __table_args__ = (PrimaryKeyConstraint("onboarding_id", "field"),)

    onboarding_id: Mapped[UUID] = mapped_column(ForeignKey("onboarding.id"))
    field: Mapped[str]
    value: Mapped[Document]
    source: Mapped[str]
    corrected_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]


class ExceptionRecord(TenantRecord):
    """A typed problem with an owner: of a deal not admitted, or of an onboarding (`key` is the engine's id)."""

    __tablename__ = "exception"
    __table_args__ = (
        Index("uq_exception_key", "subject_id", "key", unique=True),
        Index(None, "state", "opened_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]  # deal | onboarding
    subject_id: Mapped[UUID]
    key: Mapped[str]
    item_key: Mapped[str | None]
    type: Mapped[str]
    reason_code: Mapped[str]
    state: Mapped[str]  # open | resolved
    route: Mapped[list[Any]]
    owner_id: Mapped[UUID | None]
    summary: Mapped[str]
    respond_by: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None]
    resolution: Mapped[str | None]
    reason: Mapped[str | None]
