"""Queues letters to people in the transaction of what they tell about; a job sends each after the commit."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import select

from app.access import events as access
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.notifications.models import Message
from app.notifications.queries import CHECKPOINT, StoredLetter
from app.web.translations import LOCALES, translations
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "queue_letter": "part of an operation that has checked its own permission",
    "release_letter": "part of `queue_letter`, and of the job of a letter that waited",
    "drop_letter": "part of the job of a letter that waited",
    "queue_checkpoint": "called by the job that a published checkpoint asks for",
    "get_queued": "called by the sending job",
    "list_queued": "called by the job of letters that waited",
    "mark_sent": "called by the sending job",
    "mark_failed": "called by the sending job",
    "mark_kept": "called by the sending job",
    "readers_of": "called by the job that tells of access",
    "letter_of_endpoint": "called by the job that tells of webhooks",
    "letter_of_connection": "called by the job that tells of connections",
}

ACCESS_PAGE: Final = "/access"  # of a workspace, where all of a partner's access is shown and decided
_TO_CUSTOMER: Final = frozenset(
    {access.DelegationRequested.type, access.GlassBroken.type, access.DelegationRunsOut.type}
)
_TO_ASKER: Final = frozenset(
    {
        access.DelegationApproved.type,
        access.DelegationDeclined.type,
        access.DelegationNarrowed.type,
        access.DelegationRunsOut.type,
    }
)


class Recipient(Protocol):
    """Whom a letter goes to."""

    @property
    def id(self) -> UUID:
        """The person's id."""

    @property
    def name(self) -> str:
        """How they are addressed."""

    @property
    def email(self) -> str:
        """Where the letter goes."""

    @property
    def locale(self) -> str:
        """The language it is written in."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who was asked in."""

    id: UUID
    name: str
    email: str
    locale: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter to one person. `facts` are what its text is made from when it is sent."""

    kind: str
    recipient: Recipient
    facts: dict[str, Any]
    onboarding_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """A recipient who is nobody here: an address of the workspace's choice."""

    email: str
    id: UUID
    name: str = ""
    locale: str = "en"


def queue_checkpoint(work: Work, body: dict[str, Any]) -> None:
    """A letter to each address, with what it takes to check the trail against it later. Erased ones get none."""
    name = {"en": work.tenant.name}
    facts = {"title": name, "onboarding": work.tenant.name, "note": body["note"], "key": body["key"]}
    for email in body.get("addresses", []):
        queue_letter(work, Letter(CHECKPOINT, Address(email, work.tenant.id), facts))


def queue_letter(work: Work, letter: Letter, *, held: bool = False) -> UUID:
    """Store the letter and ask for it to be sent after the commit, unless it is `held`. Returns the message's id."""
    message_id = new_id()
    work.write_message(
        {
            "id": message_id,
            "onboarding_id": letter.onboarding_id,
            "kind": letter.kind,
            "recipient_id": letter.recipient.id,
            "email": letter.recipient.email,
            "locale": letter.recipient.locale,
            "facts": {"name": letter.recipient.name, **letter.facts},
            "state": "queued",
            "queued_at": work.now,
        }
    )
    if not held:
        release_letter(work, message_id)
    return message_id


def release_letter(work: Work, message_id: UUID) -> None:
    """Ask for a stored letter to be sent after the commit; asked twice, it is sent once."""
    work.enqueue("notifications.send_letter", args={"message_id": message_id}, dedupe_key=f"letter:{message_id}")


def drop_letter(work: Work, message_id: UUID, *, reason: str) -> None:
    """Nobody needs it any more: it stays, with the reason, and is not sent."""
    message = work.session.get_one(Message, message_id)
    message.state, message.error = "dropped", reason


def get_queued(work: Work, message_id: UUID) -> StoredLetter | None:
    """The letter, unless it was sent or given up before."""
    row = work.session.get(Message, message_id)
    if row is None or row.state != "queued":
        return None
    return StoredLetter.of(row)


def list_queued(work: Work, ids: Collection[UUID]) -> list[StoredLetter]:
    """Those of the letters that were neither sent nor given up before, in the order in which they were written."""
    queued = select(Message).where(Message.id.in_(ids), Message.state == "queued")
    return [StoredLetter.of(row) for row in work.session.scalars(queued.order_by(Message.queued_at, Message.id))]


def mark_sent(work: Work, message_id: UUID) -> None:
    """The mail server has taken it."""
    message = work.session.get_one(Message, message_id)
    message.state, message.sent_at, message.error = "sent", work.now, None


def mark_failed(work: Work, message_id: UUID, *, error: str) -> None:
    """It cannot be sent; the reason is shown beside it."""
    message = work.session.get_one(Message, message_id)
    message.state, message.error = "failed", error


def mark_kept(work: Work, message_id: UUID) -> None:
    """It belongs to a sandbox: kept here, sent to nobody."""
    message = work.session.get_one(Message, message_id)
    message.state, message.error = "kept", "Sandbox: not sent."


class Entry(Protocol):
    """What is read of a trail entry."""

    action: str
    actor_name: str
    subject_id: UUID
    reason: str | None
    body: dict[str, Any]


def readers_of(
    entry: Entry, owners: Sequence[Recipient], asker: Recipient | None, *, workspace: str
) -> Iterator[Letter]:
    """A letter for each who has to know: whoever did it themselves knows it already."""
    by = entry.body.get("by")
    facts = {
        "title": {"en": entry.actor_name},
        "text": {"en": entry.reason or ""},
        "onboarding": workspace,
        "due_at": entry.body.get("ends_at") or (entry.body.get("after") or {}).get("ends_at"),
        "page": ACCESS_PAGE,
    }
    kind = f"access_{entry.action.rpartition('.')[2]}"
    if entry.action in _TO_CUSTOMER or by == "partner":
        yield from (Letter(kind, owner, facts) for owner in owners)
    if asker is not None and (entry.action in _TO_ASKER or by == "customer"):
        yield Letter(kind, asker, facts)


def letter_of_endpoint(entry: Entry, recipient: Recipient, place: Tenant) -> Letter:
    """What is said of an address that takes nothing: its host, and why it was switched off."""
    why = entry.reason or ""
    facts = {
        "title": {"en": str(entry.body["host"])},
        "text": {language: translations(language).gettext(why) if why else "" for language in LOCALES},
        "onboarding": place.name,
        "by": entry.body.get("percent", ""),
        "page": f"/t/{place.id}/webhooks" if place.kind == "home" else "/webhooks",
    }
    return Letter(f"webhook_{entry.action.rpartition('.')[2]}", recipient, facts)


def letter_of_connection(entry: Entry, recipient: Recipient, place: Tenant) -> Letter:
    """What is said of a connection that needs a person: its name, and where it is mended."""
    page = f"/connections/{entry.subject_id}"
    facts = {
        "title": {"en": str(entry.body["name"])},
        "onboarding": place.name,
        "page": f"/t/{place.id}{page}" if place.kind == "home" else page,
    }
    return Letter(f"connection_{entry.action.rpartition('.')[2]}", recipient, facts)
