"""Configured connections of a tenant, the runs of their actions, and who listens to its events."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import CellRecord, Document, TenantRecord
from tenants.moving.portable import Travels


class Connection(TenantRecord):
    """A connector as configured in this tenant; its secrets are in the vault, by the connection's id as purpose."""

    __tablename__ = "connection"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    connector: Mapped[str]
    name: Mapped[str]
    config: Mapped[Document]
    state: Mapped[str]  # pending | active | reconnect | removed
    changed_at: Mapped[datetime]


class Run(TenantRecord):
    """One execution of an action, with every attempt; the same idempotency key on all of them."""

    __tablename__ = "run"
    __table_args__ = (Index(None, "onboarding_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    onboarding_id: Mapped[UUID]
    item_key: Mapped[str]
    number: Mapped[int]
    connection_id: Mapped[UUID | None] = mapped_column(ForeignKey("connection.id"))
    connector: Mapped[str]
    action: Mapped[str]
    input: Mapped[Document]
    idempotency_key: Mapped[str]
    state: Mapped[str]  # requested | running | waiting | stopping | succeeded | failed | unknown | cancelled
    attempts: Mapped[list[Any]]
    result: Mapped[Document | None]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Listener(CellRecord):
    """A verified endpoint of a tenant and the types it hears, as LIKE patterns: what the relay asks, with no schema.

    Where and how to send stands in the tenant's schema. Changed through `cell.listen` and `cell.listen_no_more`.
    """

    __tablename__ = "listener"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "endpoint_id"), {"info": {"travels": Travels("true")}})

    tenant_id: Mapped[UUID]
    endpoint_id: Mapped[UUID]
    patterns: Mapped[list[Any]]
    ordered: Mapped[bool]
    customers: Mapped[bool | None]  # of a home: also what happens in its customers' workspaces


class PartnerListener(CellRecord):
    """In every cell a copy of each home's listener that hears its customers: `tenant_id` is the home.

    `connectors.webhooks.spreading` keeps it as the homes' own rows are; the relay finds it by the customer's partner.
    """

    __tablename__ = "partner_listener"
    __table_args__ = (PrimaryKeyConstraint("tenant_id", "endpoint_id"), Index(None, "organisation_id"))

    tenant_id: Mapped[UUID]
    endpoint_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    patterns: Mapped[list[Any]]
