"""What a person proves themselves with, beside the mailbox. Rows of `control`, reached by functions only."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, PrimaryKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from tenants.metadata import ControlRecord


class Authenticator(ControlRecord):
    """A person's authenticator (TOTP, RFC 6238). `waiting` is a new secret whose first code has not come yet.

    Both are sealed with a key of the keyring, outside every database. `last_step`: a code is good once.
    """

    __tablename__ = "authenticator"
    __table_args__ = {"info": {"scope": "functions"}}

    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"), primary_key=True)
    sealed: Mapped[bytes | None]
    waiting: Mapped[bytes | None]
    waiting_since: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None]
    failures: Mapped[int]
    locked_until: Mapped[datetime | None]


class RecoveryCode(ControlRecord):
    """One of the codes for the day the authenticator is lost; only its hash is kept."""

    __tablename__ = "recovery_code"
    __table_args__ = (PrimaryKeyConstraint("person_id", "code_hash"), {"info": {"scope": "functions"}})

    person_id: Mapped[UUID] = mapped_column(ForeignKey("control.person.id"))
    code_hash: Mapped[bytes]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class MailedCode(ControlRecord):
    """The code that was mailed to the person of one session: good once, in that session, for a few tries."""

    __tablename__ = "mailed_code"
    __table_args__ = {"info": {"scope": "functions"}}

    session_hash: Mapped[bytes] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes]
    sent: Mapped[int]
    since: Mapped[datetime]
    expires_at: Mapped[datetime]
    tries: Mapped[int]
