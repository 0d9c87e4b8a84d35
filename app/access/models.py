"""A partner's time-bound access into a tenant, stored in the tenant it opens (DESIGN 5).

In `control`: the partner's own roles, and the index of delegations for its lists, which no decision asks.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord, Document, TenantRecord


class Delegation(TenantRecord):
    """Which partner may act here with which roles, from when to when, and who said so.

    Columns that may be empty are so in rows of a build that did not know them, and where nothing has happened yet.
    """

    __tablename__ = "delegation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    roles: Mapped[list[Any]]  # names of roles (app.access.policy.names): those asked for, then those agreed to
    state: Mapped[str]  # requested | active | declined | withdrawn | ended | expired; `revoked` of an earlier build
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    approved_by: Mapped[UUID | None]
    changed_at: Mapped[datetime]
    kind: Mapped[str | None]  # default | standard | break_glass
    version: Mapped[int | None]  # raised by every change: the ETag, and what the index compares
    requested_by: Mapped[UUID | None]
    requested_name: Mapped[str | None]
    requested_at: Mapped[datetime | None]
    requested: Mapped[Document | None]  # roles and window as they were asked for
    decided_by: Mapped[UUID | None]
    decided_name: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]  # customer | partner | time | move
    ended_name: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    renewal_of: Mapped[UUID | None]
    grants: Mapped[list[Any] | None]  # [{group, name, roles}] of the partner's groups of staff; none: all staff
    noticed: Mapped[int | None]  # days before its end that people were last told of it
    last_used_at: Mapped[datetime | None]
    last_used_by: Mapped[UUID | None]
    last_used_name: Mapped[str | None]


class CustomRole(ControlRecord):
    """A role of a partner's own: one of ours, without some of its permissions. Assigned as `custom:<id>`."""

    __tablename__ = "custom_role"
    __table_args__ = (
        Index(None, "organisation_id"),
        {"info": {"rights": "SELECT, INSERT, UPDATE"}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    organisation_id: Mapped[UUID]
    name: Mapped[str]
    base: Mapped[str]
    removed: Mapped[list[Any]]  # permissions, sorted
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # it is kept, so that late news of its definition does not bring it back


class DelegationIndex(ControlRecord):
    """One line for each delegation, for lists over tenants; follows the tenant, can be rebuilt, decides nothing."""

    __tablename__ = "delegation_index"
    __table_args__ = (Index(None, "organisation_id", "state"), Index(None, "tenant_id"), {"info": {"rights": "SELECT"}})

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID]
    organisation_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    roles: Mapped[list[Any]]
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    requested_at: Mapped[datetime | None]
    renewal_of: Mapped[UUID | None]
    version: Mapped[int]
