"""What `control` remembers of requests by software, so that sent twice they are carried out once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, PrimaryKeyConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord


class ControlCommand(ControlRecord):
    """A request about tenants as a whole, by its key; without an answer while it is carried out, or was cut off.

    `tenant_ids` are those that the answer names, up to a hundred; null in rows of a build that did not write them.
    """

    __tablename__ = "command"
    __table_args__ = (
        PrimaryKeyConstraint("organisation_id", "actor_id", "key"),
        Index("ix_command_tenants", "tenant_ids", postgresql_using="gin"),
        Index("ix_command_unnamed", "made_at", postgresql_where="tenant_ids is null and body is not null"),
    )

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    actor_id: Mapped[UUID]
    key: Mapped[str]
    fingerprint: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(index=True)
    status: Mapped[int | None]
    location: Mapped[str | None]
    etag: Mapped[str | None]
    body: Mapped[bytes | None]
    tenant_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
