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
from app.connectors.webhooks.operations.messages import Asked, Message
from app.connectors.webhooks.queries import body_of, find_delivery, find_endpoint, find_endpoint_or_none
from app.connectors.webhooks.rules import GONE, KEPT, KEY_GONE, NO_ACCESS, Endpoint, refused, taken
from app.connectors.webhooks.sender import Answer
from app.connectors.webhooks.signing import sign
from app.kernel.trail import get_entry
from app.kernel.work import Work
from app.vault.secret import Secret

_SPREAD: Final = timedelta(seconds=10)  # that a strained endpoint's deliveries are apart
_SOUNDING: Final = timedelta(seconds=30)  # that the one has which sounds a strained endpoint out
_RARELY: Final = timedelta(minutes=1)  # how often it is written down that an endpoint takes what it is sent
_FORGOTTEN_AT_ONCE: Final = 200
_FORGETS: Final = 8  # one delivery of so many forgets what is too old

SYSTEM_ONLY = {
    "begin_delivery": "called by the job that sends it",
    "end_delivery": "called by the job that sent it",
    "end_withheld": "called by the job that was to send it",
    "happened": "called by jobs, for who has been allowed to hear",
    "end_abandoned": "called when the delivery's job is given up",
}


def begin_delivery(work: Work, asked: Asked, told: Happened | None = None) -> Message | timedelta | None:
    """The message to send; a pause where the endpoint is to be left alone; None where there is nothing to do.

    `told` is what happened at a customer's; what happened here is read here. A job of an earlier request has nothing to
    do any more. Raises TrailEntryMissing, KeysMissing, KeysDisabled.
    """
    endpoint = find_endpoint_or_none(work, asked.endpoint_id)
    if endpoint is None or (asked.customer and not endpoint.customers):
        return None
    event = told or happened(work, asked.event_id)
    if event.subject_id == endpoint.id and event.type != EndpointTested.type:
        return None  # what is told of an endpoint is not told to it: it could go round and round
    pause, keys = _ready(work, endpoint, event.id)
    known = find_delivery(work, endpoint.id, event.id) or _first(asked, event)
    if known.asked != asked.number or known.state == "delivered":
        return None
    if pause:
        _note(work, endpoint.id, event.id, replace(known, state="waiting", next_at=work.database_now + pause))
        return pause
    if not keys:
        _hold(work, endpoint, event.id, known)
        return None
    body = write_event(asked.customer or work.tenant.id, event, sequence=asked.sequence, thin=endpoint.thin)
    headers = sign(keys, str(event.id), work.database_now, body)
    return Message(endpoint.id, endpoint.url, headers, body, tries=known.tries, asked=asked, event=event)


def _ready(work: Work, endpoint: Endpoint, event_id: UUID) -> tuple[timedelta | None, list[Secret]]:
    """The pause that it has to be left alone for, or what to sign with; neither where nothing may be sent to it."""
    if endpoint.state != "active":
        return None, []
    if pause := _sounded_out(work, endpoint, event_id):
        return pause, []
    keys = open_keys(work, endpoint)
    if not keys:
        stopped(work, find_endpoint(work, endpoint.id, locked=True), KEY_GONE)
    return None, keys


def end_delivery(work: Work, message: Message, answer: Answer, pause: timedelta | None) -> None:
    """Write the try down, with what it says of the endpoint; `pause`: when the next one is, None after the last."""
    now, asked, event = work.database_now, message.asked, message.event
    endpoint = find_endpoint_or_none(work, message.endpoint_id)
    if endpoint is None or asked is None or event is None:
        return
    if endpoint.url == message.url:  # of another address it says nothing
        _judge(work, endpoint, now, answer)
    known = find_delivery(work, endpoint.id, event.id) or _first(asked, event)
    if known.asked == asked.number:
        state: Standing = "delivered" if answer.taken else "waiting" if pause else "failed"
        attempt = Attempt(now, answer.code, answer.status, answer.ms, answer.excerpt)
        _note(work, endpoint.id, event.id, known.with_attempt(attempt, state, now + pause if pause else None))
    if event.id.bytes[-1] % _FORGETS == 0:
        after, before = f"{endpoint.id}:", f"{endpoint.id}:{floor_of(now - KEPT)}"
        drop_documents(work, DELIVERY, after=after, before=before, limit=_FORGOTTEN_AT_ONCE)


def end_withheld(work: Work, asked: Asked) -> None:
    """The customer lets the partner hear no more: what was under way has failed, and nothing else is written down."""
    known = find_delivery(work, asked.endpoint_id, asked.event_id)
    if known and known.asked == asked.number and known.state == "waiting":
        attempt = Attempt(work.database_now, NO_ACCESS)
        _note(work, asked.endpoint_id, asked.event_id, known.with_attempt(attempt, "failed"))


def end_abandoned(work: Work, asked: Asked) -> None:
    """The job was given up: whoever looks sees that it failed. Of a customer's event only what was known is there."""
    if find_endpoint_or_none(work, asked.endpoint_id) is None:
        return
    known = find_delivery(work, asked.endpoint_id, asked.event_id)
    if known is None and asked.customer is None:
        known = _first(asked, happened(work, asked.event_id))
    if known and known.state == "waiting":
        _note(work, asked.endpoint_id, asked.event_id, replace(known, state="failed", next_at=None))


def _first(asked: Asked, event: Happened) -> Delivery:
    return Delivery(event.type, event.at, "waiting", asked.sequence, tenant_id=asked.customer)


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
        host, named_by = host_of(after.url), str(after.named_by) if after.named_by else None
        work.announce(
            EndpointFailing(subject_id=after.id, host=host, percent=percent, failures=failures, named_by=named_by)
        )
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


def happened(work: Work, event_id: UUID) -> Happened:
    """An entry of the tenant's trail, as receivers hear of it. Raises TrailEntryMissing."""
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
