"""Stored decisions: gates today, scorecards and go/no-go with the same shape."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import Document, TenantRecord


class Verdict(TenantRecord):
    """A stored decision with all it was made from, so that anyone can compute it again."""

    __tablename__ = "verdict"
    __table_args__ = {"info": {"append_only": True}}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    rule_version: Mapped[str]
    inputs: Mapped[Document]
    result: Mapped[str]
    decided_by: Mapped[UUID]
    reason: Mapped[str | None]
    override: Mapped[bool]
    at: Mapped[datetime]
