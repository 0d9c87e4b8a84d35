"""What `control` remembers of requests by software, so that sent twice they are carried out once."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, PrimaryKeyConstraint, Uuid
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


class Transfer(ControlRecord):
    """A bundle that was asked for by API: `out`, an export of a tenant; `in`, one uploaded to be imported.

    Its file is in the folder of bundles, named by the id. The job that carries it out belongs to the partner's home.
    """

    __tablename__ = "transfer"
    __table_args__ = (
        Index("uq_transfer_request", "organisation_id", "request_key", unique=True),
        Index(
            "uq_transfer_open",
            "tenant_id",
            unique=True,
            postgresql_where="direction = 'out' and state in ('queued', 'running')",
        ),
        Index("ix_transfer_open", "requested_at", postgresql_where="state in ('queued', 'running')"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    direction: Mapped[str]  # out | in
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenant.id"))  # of an import: once it is here
    request_key: Mapped[str]  # who asked and with which key: asked for once
    state: Mapped[str]  # queued | running | done | failed | cancelled
    peer: Mapped[str]  # out: the bundle key it is sealed to; in: the fingerprint that must have signed it
    secrets: Mapped[bool]
    stays: Mapped[bool]
    reason: Mapped[str]
    trace_id: Mapped[str]
    requested_by: Mapped[UUID]
    requested_name: Mapped[str]
    requested_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]  # of a finished export: its file is there until then
    rows: Mapped[int] = mapped_column(BigInteger)
    parts: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None]
    signed_by: Mapped[str | None]  # the fingerprint of this installation's signature
    trouble: Mapped[str | None]  # the stable name of what went wrong
    said: Mapped[str | None]  # the same for people
