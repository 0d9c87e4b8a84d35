"""What a delivery's job does in the tenant before and after the message leaves: read, sign, write down how it went.

An endpoint is locked before its deliveries, here as in `care`: two who do it the other way round wait for each other.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from app.audit.operations.documents import drop_documents, write_document
from app.connectors.webhooks.envelope import Happened, write_event
from app.connectors.webhooks.events import EndpointFailing, EndpointTested
from app.connectors.webhooks.log import DELIVERY, Attempt, Delivery, Standing, floor_of, key_of
from app.connectors.webhooks.operations.care import stopped
from app.connectors.webhooks.operations.endpoints import host_of, listen_no_more, save
from app.connectors.webhooks.operations.keys import open_keys
from app.connectors.webhooks.operations.messages import Message
from app.connectors.webhooks.queries import body_of, find_delivery, find_endpoint, find_endpoint_or_none
from app.connectors.webhooks.rules import GONE, KEPT, KEY_GONE, Endpoint, refused, taken
from app.connectors.webhooks.sender import Answer
from app.connectors.webhooks.signing import sign
from app.kernel.trail import get_entry
from app.kernel.work import Work

_SPREAD: Final = timedelta(seconds=10)  # that a strained endpoint's deliveries are apart
_SOUNDING: Final = timedelta(seconds=30)  # that the one has which sounds a strained endpoint out
_RARELY: Final = timedelta(minutes=1)  # how often it is written down that an endpoint takes what it is sent
_FORGOTTEN_AT_ONCE: Final = 200
_FORGETS: Final = 8  # one delivery of so many forgets what is too old

SYSTEM_ONLY = {
    "begin_delivery": "called by the job that sends it",
    "end_delivery": "called by the job that sent it",
    "end_abandoned": "called when the delivery's job is given up",
}


def begin_delivery(
    work: Work, event_id: UUID, endpoint_id: UUID, *, sequence: int | None, asked: int
) -> Message | timedelta | None:
    """The message to send; a pause where the endpoint is to be left alone; None where there is nothing to do.

    A job of an earlier request has nothing to do any more. Raises TrailEntryMissing, KeysMissing, KeysDisabled.
    """
    endpoint = find_endpoint_or_none(work, endpoint_id)
    if endpoint is None:
        return None
    event = _happened(work, event_id)
    if event.subject_id == endpoint.id and event.type != EndpointTested.type:
        return None  # what is told of an endpoint is not told to it: it could go round and round
    active = endpoint.state == "active"
    pause = _sounded_out(work, endpoint, event_id) if active else None
    keys = open_keys(work, endpoint) if active and not pause else []
    if active and not pause and not keys:
        stopped(work, find_endpoint(work, endpoint.id, locked=True), KEY_GONE)
    known = find_delivery(work, endpoint_id, event_id) or Delivery(event.type, event.at, "waiting", sequence)
    if known.asked != asked or known.state == "delivered":
        return None
    if pause:
        _note(work, endpoint_id, event_id, replace(known, state="waiting", next_at=work.database_now + pause))
        return pause
    if not keys:
        _hold(work, endpoint, event_id, known)
        return None
    body = write_event(work.tenant.id, event, sequence=sequence, thin=endpoint.thin)
    headers = sign(keys, str(event_id), work.database_now, body)
    return Message(endpoint.id, endpoint.url, headers, body, tries=known.tries, asked=asked, sequence=sequence)


def end_delivery(work: Work, message: Message, event_id: UUID, answer: Answer, pause: timedelta | None) -> None:
    """Write the try down, with what it says of the endpoint; `pause`: when the next one is, None after the last."""
    now = work.database_now
    endpoint = find_endpoint_or_none(work, message.endpoint_id)
    if endpoint is None:
        return
    if endpoint.url == message.url:  # of another address it says nothing
        _judge(work, endpoint, now, answer)
    entry = get_entry(work.session, event_id)
    known = find_delivery(work, endpoint.id, event_id) or Delivery(entry.action, entry.at, "waiting", message.sequence)
    if known.asked == message.asked:
        state: Standing = "delivered" if answer.taken else "waiting" if pause else "failed"
        attempt = Attempt(now, answer.code, answer.status, answer.ms, answer.excerpt)
        _note(work, endpoint.id, event_id, known.with_attempt(attempt, state, now + pause if pause else None))
    if event_id.bytes[-1] % _FORGETS == 0:
        after, before = f"{endpoint.id}:", f"{endpoint.id}:{floor_of(now - KEPT)}"
        drop_documents(work, DELIVERY, after=after, before=before, limit=_FORGOTTEN_AT_ONCE)


def end_abandoned(work: Work, event_id: UUID, endpoint_id: UUID) -> None:
    """The job was given up: whoever looks sees that it failed."""
    if find_endpoint_or_none(work, endpoint_id) is None:
        return
    entry = get_entry(work.session, event_id)
    known = find_delivery(work, endpoint_id, event_id) or Delivery(entry.action, entry.at, "waiting")
    if known.state == "waiting":
        _note(work, endpoint_id, event_id, replace(known, state="failed", next_at=None))


def _judge(work: Work, endpoint: Endpoint, now: datetime, answer: Answer) -> None:
    """What the try says of the endpoint; a busy one that takes everything is not one row that all wait for."""
    seen = endpoint.delivered_at
    if answer.taken and endpoint.trouble is None and seen is not None and now - seen < _RARELY:
        return
    before = find_endpoint_or_none(work, endpoint.id, locked=True)
    if before is None or before.state != "active":
        return
    if answer.taken:
        save(work, taken(before, now))
        return
    after = refused(before, now, answer.said)
    if answer.code == "gone" or after.state == "disabled":
        stopped(work, replace(after, state="active"), GONE if answer.code == "gone" else after.reason)
        return
    if after.trouble and before.trouble and after.trouble.warned > before.trouble.warned:
        percent, failures = after.trouble.warned, after.trouble.count
        host = host_of(after.url)
        work.announce(EndpointFailing(subject_id=after.id, host=host, percent=percent, failures=failures))
    save(work, after)


def _sounded_out(work: Work, endpoint: Endpoint, event_id: UUID) -> timedelta | None:
    """How long this one waits where the endpoint is strained: it is sounded out by one, not by all that wait."""
    if endpoint.trouble is None or endpoint.trouble.again_at is None:
        return None
    held, now = find_endpoint_or_none(work, endpoint.id, locked=True), work.database_now
    if held is None or held.trouble is None or held.trouble.again_at is None:
        return None
    if held.trouble.again_at <= now:
        save(work, replace(held, trouble=replace(held.trouble, again_at=now + _SOUNDING)))
        return None
    return held.trouble.again_at - now + _SPREAD * (hashlib.sha256(event_id.bytes).digest()[0] / 255)


def _hold(work: Work, endpoint: Endpoint, event_id: UUID, known: Delivery) -> None:
    """Nothing is sent; people can have it sent later. Who has been disabled for long hears of nothing more."""
    if endpoint.disabled_at and work.database_now - endpoint.disabled_at > KEPT:
        listen_no_more(work, endpoint)
    _note(work, endpoint.id, event_id, replace(known, state="held", next_at=None))


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
