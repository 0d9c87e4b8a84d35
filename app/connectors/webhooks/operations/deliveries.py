"""What the jobs do in the tenant before and after a message leaves: read it, sign it, write down how it went."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.audit.operations.documents import drop_documents, write_document
from app.connectors.webhooks.envelope import Happened, write_challenge, write_event
from app.connectors.webhooks.events import EndpointDisabled, EndpointFailing, EndpointTested
from app.connectors.webhooks.log import DELIVERY, Attempt, Delivery, Standing, key_of
from app.connectors.webhooks.operations.care import verified
from app.connectors.webhooks.operations.endpoints import host_of, listen_no_more, save
from app.connectors.webhooks.operations.keys import open_keys
from app.connectors.webhooks.queries import EndpointUnknown, body_of, find_delivery, find_endpoint
from app.connectors.webhooks.rules import GONE, KEPT, Endpoint, refused, taken
from app.connectors.webhooks.sender import Answer
from app.connectors.webhooks.signing import code_of, digest_of, sign
from app.kernel.ids import new_id
from app.kernel.outbound.egress import EgressRefused
from app.kernel.trail import get_entry
from app.kernel.work import Work

_SPREAD: Final = timedelta(seconds=10)  # that a strained endpoint's deliveries are apart
_RARELY: Final = timedelta(minutes=1)  # how often it is written down that an endpoint takes what it is sent
_FORGOTTEN_AT_ONCE: Final = 20

SYSTEM_ONLY = {
    "begin_challenge": "called by the job that sends it",
    "end_challenge": "called by the job that sent it",
    "begin_delivery": "called by the job that sends it",
    "end_delivery": "called by the job that sent it",
    "end_abandoned": "called when the delivery's job is given up",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves: no row, no session, no key. `tries` are those before this one."""

    endpoint_id: UUID
    url: str
    headers: dict[str, str]
    body: bytes
    digest: str = ""  # of the code that a challenge holds
    tries: int = 0
    sequence: int | None = None


def begin_challenge(work: Work, endpoint_id: UUID, number: int) -> Message | None:
    """The message that asks an address to prove itself; None where that is over. Raises KeysMissing, KeysDisabled."""
    endpoint = _found(work, endpoint_id)
    if endpoint is None or endpoint.state != "unverified" or endpoint.challenge.number != number:
        return None
    keys, message_id = open_keys(work, endpoint), new_id()
    code = code_of(keys[0], str(endpoint.id), endpoint.url, number)
    body = write_challenge(work.tenant.id, message_id, work.now, code)
    headers = sign(keys, str(message_id), work.database_now, body)
    return Message(endpoint.id, endpoint.url, headers, body, digest=digest_of(code))


def end_challenge(work: Work, message: Message, number: int, answer: Answer) -> None:
    """Write down how it went: an address that gives the code back is verified, else a person may type it."""
    endpoint = _found(work, message.endpoint_id, locked=True)
    if endpoint is None or endpoint.state != "unverified" or endpoint.challenge.number != number:
        return
    said = "" if answer.taken else answer.said
    asked = replace(endpoint.challenge, digest=message.digest, sent_at=work.database_now, said=said)
    endpoint = replace(endpoint, challenge=asked)
    if answer.taken and _echoed(answer.content, message.digest):
        verified(work, endpoint, by="echo")
    else:
        save(work, endpoint)


def begin_delivery(work: Work, event_id: UUID, endpoint_id: UUID, sequence: int | None) -> Message | timedelta | None:
    """The message to send; a pause where the endpoint is to be left alone; None where there is nothing to do.

    Raises TrailEntryMissing, KeysMissing, KeysDisabled.
    """
    endpoint = _found(work, endpoint_id)
    if endpoint is None:
        return None
    event = _happened(work, event_id)
    if event.subject_id == endpoint.id and event.type != EndpointTested.type:
        return None  # what is told of an endpoint is not told to it: it could go round and round
    known = find_delivery(work, endpoint_id, event_id) or Delivery(event.type, event.at, "waiting", sequence)
    if endpoint.state != "active":
        _note(work, endpoint_id, event_id, replace(known, state="held", next_at=None))
        return None
    if pause := _left_alone(endpoint, work.database_now, event_id):
        _note(work, endpoint_id, event_id, replace(known, state="waiting", next_at=work.database_now + pause))
        return pause
    body = write_event(work.tenant.id, event, sequence=sequence, thin=endpoint.thin)
    headers = sign(open_keys(work, endpoint), str(event_id), work.database_now, body)
    return Message(endpoint.id, endpoint.url, headers, body, tries=known.tries, sequence=sequence)


def end_delivery(work: Work, message: Message, event_id: UUID, answer: Answer, pause: timedelta | None) -> None:
    """Write the try down, with what it says of the endpoint; `pause`: when the next one is, None after the last."""
    now = work.database_now
    endpoint = _found(work, message.endpoint_id)
    if endpoint is None:
        return
    entry = get_entry(work.session, event_id)
    known = find_delivery(work, endpoint.id, event_id) or Delivery(entry.action, entry.at, "waiting", message.sequence)
    state: Standing = "delivered" if answer.taken else "waiting" if pause else "failed"
    attempt = Attempt(now, answer.code, answer.status, answer.ms, answer.excerpt)
    _note(work, endpoint.id, event_id, known.with_attempt(attempt, state, now + pause if pause else None))
    if answer.taken:
        _after_taken(work, endpoint, now)
    else:
        _after_refused(work, endpoint, now, answer)


def end_abandoned(work: Work, event_id: UUID, endpoint_id: UUID) -> None:
    """The job was given up: whoever looks sees that it failed."""
    known = find_delivery(work, endpoint_id, event_id)
    if known is not None and known.state == "waiting":
        _note(work, endpoint_id, event_id, replace(known, state="failed", next_at=None))


def _after_taken(work: Work, endpoint: Endpoint, now: datetime) -> None:
    seen = endpoint.delivered_at
    if endpoint.trouble is None and seen is not None and now - seen < _RARELY:
        return  # nothing to tell: a busy endpoint is not one row that everybody waits for
    held = _found(work, endpoint.id, locked=True)
    if held is not None and held.state == "active":
        save(work, taken(held, now))
    old = f"{int((now - KEPT).timestamp() * 1000):012x}"
    before = f"{endpoint.id}:{old[:8]}-{old[8:]}"
    drop_documents(work, DELIVERY, after=f"{endpoint.id}:", before=before, limit=_FORGOTTEN_AT_ONCE)


def _after_refused(work: Work, endpoint: Endpoint, now: datetime, answer: Answer) -> None:
    before = _found(work, endpoint.id, locked=True)
    if before is None or before.state != "active":
        return
    after = refused(before, now, answer.said)
    if answer.code == "gone":
        after = replace(after, state="disabled", reason=GONE)
    host, failures = _host(work, after), after.trouble.count if after.trouble else 0
    if after.state == "disabled":
        listen_no_more(work, after)
        work.announce(EndpointDisabled(subject_id=after.id, host=host, failures=failures, reason=after.reason))
    elif after.trouble and before.trouble and after.trouble.warned > before.trouble.warned:
        percent = after.trouble.warned
        work.announce(EndpointFailing(subject_id=after.id, host=host, percent=percent, failures=failures))
    save(work, after)


def _left_alone(endpoint: Endpoint, now: datetime, event_id: UUID) -> timedelta | None:
    """How long this one waits where the endpoint is strained: it is sounded out by one, not by all that wait."""
    again_at = endpoint.trouble.again_at if endpoint.trouble else None
    if again_at is None or again_at <= now:
        return None
    return again_at - now + _SPREAD * (hashlib.sha256(event_id.bytes).digest()[0] / 255)


def _echoed(content: bytes, digest: str) -> bool:
    """Whether an answer gives the code back: as plain text, or as `challenge` of a JSON object."""
    try:
        told = msgspec.json.decode(content)
    except msgspec.DecodeError:
        told = content.decode("utf-8", "replace")
    code = told.get("challenge") if isinstance(told, dict) else told
    return isinstance(code, str) and hmac.compare_digest(digest_of(code), digest)


def _happened(work: Work, event_id: UUID) -> Happened:
    entry = get_entry(work.session, event_id)
    return Happened(
        id=entry.id,
        type=entry.action,
        at=entry.at,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        onboarding_id=entry.onboarding_id,
        trace_id=entry.trace_id,
        body=entry.body,
    )


def _note(work: Work, endpoint_id: UUID, event_id: UUID, delivery: Delivery) -> None:
    write_document(work, DELIVERY, key_of(endpoint_id, event_id), body_of(delivery))


def _found(work: Work, endpoint_id: UUID, *, locked: bool = False) -> Endpoint | None:
    try:
        return find_endpoint(work, endpoint_id, locked=locked)
    except EndpointUnknown:
        return None


def _host(work: Work, endpoint: Endpoint) -> str:
    try:
        return host_of(work, endpoint.url)
    except EgressRefused:
        return ""
