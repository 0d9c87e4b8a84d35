"""The tokens of calendar feeds: rows of `control`, reached by lookup functions only."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord


class DateFeed(ControlRecord):
    """One person's address of dates in one tenant. Only its token's hash is kept; ended, the row is gone.

    It reaches what the session reached in which it was made: `connection_id` and `reach_tenant_id` are that session's.
    """

    __tablename__ = "date_feed"
    __table_args__ = (UniqueConstraint("person_id", "organisation_id", "tenant_id"), {"info": {"scope": "functions"}})

    token_hash: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("control.organisation.id"))
    tenant_id: Mapped[UUID]
    connection_id: Mapped[UUID | None]
    reach_tenant_id: Mapped[UUID | None]
    made_at: Mapped[datetime]
