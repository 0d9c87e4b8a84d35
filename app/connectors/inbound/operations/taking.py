"""Takes deliveries in: proven or not, new or seen before. What is proven is stored, and worked on after the answer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from msgspec.structs import replace
from prometheus_client import Counter

from app.audit.operations.documents import drop_documents, write_document
from app.connectors.inbound.events import DeliveryHeld
from app.connectors.inbound.operations.addresses import digest_of
from app.connectors.inbound.operations.secrets import open_secrets
from app.connectors.inbound.queries import HELD, TAKEN, HookUnknown, Source, body_of, find_source
from app.connectors.inbound.reading import Unreadable, answer_of, read_messages
from app.connectors.inbound.reading import digest_of as copy_digest
from app.connectors.inbound.rules import KEPT, SAMPLE, Delivery, Message
from app.connectors.inbound.schemes import Arrival, DeliveryRefused, Reason, Verified, proof_headers, verify
from app.connectors.webhooks.log import floor_of, key_of
from app.kernel.ids import new_id
from app.kernel.outbound.world_clock import world_time
from app.kernel.work import Work

DELIVERIES = Counter("slipway_inbound_deliveries", "Webhooks that came in, by how it went.", ["connector", "result"])
_SHOWN: Final = ("content-type", "user-agent")  # of the headers, besides those that hold the id and the type
_LONGEST: Final = 200  # characters of a header that is kept to be shown
_FORGETS: Final = 8  # one delivery of so many forgets what is too old
_FORGOTTEN_AT_ONCE: Final = 200

SYSTEM_ONLY = {
    "take_delivery": "the address and the signature are the permission",
    "admit": "part of an operation that has checked its own permission",
    "store": "part of an operation that has checked its own permission",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """How a delivery was taken: `new` messages, what a handshake wants back, or why it was refused."""

    new: int = 0
    answer: str | None = None
    refused: Reason | None = None


def take_delivery(work: Work, hook_id: UUID, token: str, arrival: Arrival, *, may_sample: Callable[[], bool]) -> Taken:
    """Verify the raw bytes, store what is new in them, and ask for it to be worked on.

    One that is not proven leaves a sample where it may. Raises HookUnknown for an address that does not answer,
    KeysMissing, KeysDisabled.
    """
    source = find_source(work, hook_id)
    if source.state != "active" or not source.hook.answers(digest_of(token), work.database_now):
        raise HookUnknown("Nothing is served under this address.")
    try:
        verified = verify(source.webhooks, arrival, secrets=open_secrets(work, source.hook), now=world_time())
    except DeliveryRefused as error:
        _count(source, f"refused_{error.reason}")
        if may_sample():
            _store_sample(work, source, arrival, error.reason)
        return Taken(refused=error.reason)
    try:
        return _take(work, source, arrival, verified)
    except Unreadable as error:
        return _hold_unreadable(work, source, arrival, verified, str(error))


def admit(
    work: Work, source: Source, arrival: Arrival, verified: Verified, messages: Sequence[Message]
) -> list[Message]:
    """Those of the messages that are announced and were not here before; each is admitted once and never again.

    A copy that was given another id, where the signature does not cover it, is known by its bytes.
    """
    told = [each for each in messages if source.webhooks.told(each.type)]
    if told and not source.webhooks.signs_id:
        copied = f"sha256:{copy_digest(arrival, verified.at)}"
        if not work.admit_once(_source_name(source), copied):
            return []
    return [each for each in told if work.admit_once(_source_name(source), f"id:{each.id}")]


def store(work: Work, source: Source, delivery: Delivery, delivery_id: UUID) -> None:
    """Keep it, and have it announced after the commit."""
    write_document(work, TAKEN, key_of(source.id, delivery_id), body_of(delivery))
    args: dict[str, object] = {
        "hook_id": str(source.id),
        "delivery_id": str(delivery_id),
        "asked": delivery.asked,
        "connector": source.manifest.provider,
    }
    dedupe_key = f"inbound:{delivery_id}:{delivery.asked}"
    work.enqueue("connectors.announce_delivery", args=args, dedupe_key=dedupe_key)


def _take(work: Work, source: Source, arrival: Arrival, verified: Verified) -> Taken:
    answer = answer_of(source.webhooks, arrival, verified)
    if answer is not None:
        _count(source, "handshake")
        return Taken(answer=answer)
    messages = read_messages(source.webhooks, arrival, verified)
    new = admit(work, source, arrival, verified, messages)
    if not new:
        told = any(source.webhooks.told(each.type) for each in messages)
        _count(source, "repeated" if told else "ignored")
        return Taken()
    delivery_id = new_id()
    store(work, source, _proven(source, arrival, verified, new), delivery_id)
    _forget(work, source, delivery_id)
    _count(source, "taken")
    return Taken(len(new))


def _hold_unreadable(work: Work, source: Source, arrival: Arrival, verified: Verified, said: str) -> Taken:
    """The peer has done what it can: it is answered as if all were well, and a person looks."""
    _count(source, "unreadable")
    if work.admit_once(_source_name(source), f"unread:{copy_digest(arrival, None)}"):
        proven, delivery_id = _proven(source, arrival, verified, ()), new_id()
        held = replace(proven, state="unreadable", reason="unreadable", said=said)
        write_document(work, HELD, key_of(source.id, delivery_id), body_of(held))
        work.announce(DeliveryHeld(subject_id=delivery_id, connection_id=source.id, connector=source.manifest.provider))
        _forget(work, source, delivery_id)
    return Taken()


def _store_sample(work: Work, source: Source, arrival: Arrival, reason: Reason) -> None:
    """A delivery that nobody has proven: enough to see what is wrong, and to prove it with a secret put right.

    Where the signature covers the address, that would have to be kept, and with it the token: then nothing is.
    """
    provable = reason in {"wrong", "no_secret"} and len(arrival.body) <= SAMPLE and not source.webhooks.signs_address
    proof = [(name, value) for name in proof_headers(source.webhooks) for value in arrival.every(name)]
    sample = Delivery(
        state="unverified",
        at=world_time(),
        size=len(arrival.body),
        digest=hashlib.sha256(arrival.body).hexdigest(),
        headers=_shown(source, arrival),
        reason=reason,
        proof=tuple(proof) if provable else (),
        provable=provable,
        raw=base64.b64encode(arrival.body).decode() if provable else "",
    )
    delivery_id = new_id()
    write_document(work, HELD, key_of(source.id, delivery_id), body_of(sample))
    _forget(work, source, delivery_id)


def _proven(source: Source, arrival: Arrival, verified: Verified, messages: Sequence[Message]) -> Delivery:
    return Delivery(
        state="received",
        at=world_time(),
        size=len(arrival.body),
        digest=hashlib.sha256(arrival.body).hexdigest(),
        headers=_shown(source, arrival),
        messages=tuple(messages),
        signed_at=verified.at,
        raw=base64.b64encode(verified.message).decode(),
    )


def _shown(source: Source, arrival: Arrival) -> tuple[tuple[str, str], ...]:
    """Only headers that are known to be harmless: what an unknown one holds may be a secret."""
    proof = {name.lower() for name in proof_headers(source.webhooks)}
    named = [each.header.lower() for each in (source.webhooks.message_id, source.webhooks.event_type) if each.header]
    wanted = [*_SHOWN, *(name for name in named if name != "authorization")]
    hidden = proof - set(named)
    return tuple((name, value[:_LONGEST]) for name in wanted if name not in hidden for value in arrival.every(name)[:1])


def _forget(work: Work, source: Source, delivery_id: UUID) -> None:
    if delivery_id.bytes[-1] % _FORGETS == 0:
        after, before = f"{source.id}:", f"{source.id}:{floor_of(work.database_now - KEPT)}"
        for kind in (TAKEN, HELD):
            drop_documents(work, kind, after=after, before=before, limit=_FORGOTTEN_AT_ONCE)


def _source_name(source: Source) -> str:
    return f"hook:{source.id}"


def _count(source: Source, result: str) -> None:
    DELIVERIES.labels(source.manifest.provider, result).inc()
