"""Reads stored letters: those that are still to go out, and those that a sandbox keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, tuple_

from app.access.permissions import Permission
from app.access.require import NotPermitted, require
from app.access.roles import CUSTOMER_ROLES, Role
from app.identity.queries import Person
from app.identity.rules import is_made_up
from app.kernel.errors import Missing
from app.kernel.paging import Listing, Position, make_cursor, page_limit, read_cursor
from app.kernel.work import Work
from app.notifications.models import Message
from app.web.translations import mark

CHECKPOINT = "checkpoint"  # the kind of letter that holds a checkpoint of the trail


class MailMissing(Missing):
    """There is no such mail in this sandbox."""


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A letter before it has words: `facts` are what they are made from."""

    id: UUID
    kind: str
    onboarding_id: UUID | None
    recipient_id: UUID
    name: str
    email: str
    locale: str
    facts: dict[str, Any]
    at: datetime

    @classmethod
    def of(cls, row: Message) -> StoredLetter:
        """From its row."""
        return cls(
            id=row.id,
            kind=row.kind,
            onboarding_id=row.onboarding_id,
            recipient_id=row.recipient_id,
            name=str(row.facts["name"]),
            email=row.email,
            locale=row.locale,
            facts=row.facts,
            at=row.queued_at,
        )


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page of a sandbox's mails, the newest first; `total` counts all pages, `older` is the next one's cursor."""

    letters: list[StoredLetter]
    total: int
    older: str


def list_kept(work: Work, *, key: bytes, after: str = "", limit: int | None = None) -> KeptPage:
    """One page of what this sandbox would have sent. `key` signs cursors.

    Raises NotPermitted, MailMissing outside sandboxes, and what a wrong cursor or limit raises (`app.kernel.paging`).
    """
    _require_reader(work)
    listing, most = Listing("kept mails", tenant_id=work.tenant.id), page_limit(limit)
    kept = select(Message).where(Message.state == "kept")
    total = work.session.scalar(select(func.count()).select_from(kept.subquery())) or 0
    if after:
        place = read_cursor(key, listing, after, now=work.database_now)
        at = datetime.fromisoformat(str(place.sort[0]))
        kept = kept.where(tuple_(Message.queued_at, Message.id) < tuple_(at, place.id))
    newest = kept.order_by(Message.queued_at.desc(), Message.id.desc()).limit(most + 1)
    rows = list(work.session.scalars(newest))
    older = ""
    if len(rows) > most:
        last = rows[most - 1]
        older = make_cursor(key, listing, Position((last.queued_at.isoformat(),), last.id), now=work.database_now)
    return KeptPage([StoredLetter.of(row) for row in rows[:most]], total, older)


def get_kept(work: Work, message_id: UUID) -> StoredLetter:
    """One mail of a sandbox. Raises NotPermitted, MailMissing."""
    _require_reader(work)
    row = work.session.get(Message, message_id)
    if row is None or row.state != "kept":
        raise MailMissing(_NO_MAIL)
    return StoredLetter.of(row)


def list_owners(work: Work, *, admins: bool = False) -> list[Person]:
    """The customer's people who decide about access: owners, and with `admins` those who may end it too."""
    roles = [str(Role.OWNER), *([str(Role.ADMIN)] if admins else [])]
    return [Person(*row) for row in work.session.execute(_OWNERS, {"roles": roles})]


def find_asker(work: Work, delegation_id: UUID) -> UUID | None:
    """Who of the partner asked for an access."""
    found: UUID | None = work.session.execute(_ASKER, {"id": delegation_id}).scalar_one_or_none()
    return found


def signs_in(work: Work, letter: StoredLetter) -> bool:
    """Whether the letter's link signs in: its reader is made up, and one of the customer's people of this sandbox."""
    belongs = work.session.execute(_BELONGS, {"person": letter.recipient_id}).first() is not None
    return belongs and is_made_up(letter.email)


def _require_reader(work: Work) -> None:
    """Staff only: a mail holds its reader's way in, and who reads it may act for the sandbox's made-up people.

    A customer's workspace keeps no mail: what is sent belongs to whom it was sent to.
    """
    if work.tenant.kind != "sandbox":
        raise MailMissing(_NO_MAIL)
    if work.rights & CUSTOMER_ROLES:
        raise NotPermitted(Permission.MESSAGE_READ, has_role=True)
    require(work, Permission.MESSAGE_READ)


# The member table is identity's; by name, since its model is its own.
_BELONGS = text("SELECT 1 FROM member WHERE person_id = :person AND state <> 'removed'")
_OWNERS = text(
    "SELECT person_id, email, name, locale FROM member"
    " WHERE role = ANY(CAST(:roles AS text[])) AND state = 'active' ORDER BY email"
)
_ASKER = text("SELECT requested_by FROM delegation WHERE id = :id")
_NO_MAIL = mark("This mail is not here. Only sandboxes keep the mails that they would have sent.")
