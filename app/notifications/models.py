"""Messages to people: what was sent, to whom, why, and how it ended."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import Document, TenantRecord


class Message(TenantRecord):
    """One mail to one person, rendered when it is sent, in the reader's language; a link's token is never stored."""

    __tablename__ = "message"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    onboarding_id: Mapped[UUID | None]
    kind: Mapped[str]
    recipient_id: Mapped[UUID]
    email: Mapped[str]
    locale: Mapped[str]
    facts: Mapped[Document]
    state: Mapped[str]  # queued | sent | failed | kept: a sandbox's letter, which nobody gets | dropped: needed no more
    queued_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
