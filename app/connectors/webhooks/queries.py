"""Reads endpoints and what is known of their deliveries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec

from app.access.permissions import Permission
from app.access.require import require
from app.audit.queries.documents import Kept, find_document, list_documents, newest_documents
from app.connectors.webhooks.log import DELIVERY, PAST, Delivery, Wished, floor_of, key_of
from app.connectors.webhooks.rules import KEPT, Endpoint
from app.kernel.errors import Missing
from app.kernel.work import Work
from app.web.translations import mark

ENDPOINT: Final = "webhook_endpoint"
MISSED: Final = Wished()
_PAGE: Final = 500

SYSTEM_ONLY = {
    "find_endpoint": "part of an operation that has checked its own permission",
    "find_endpoint_or_none": "part of an operation that has checked its own permission",
    "find_delivery": "part of an operation that has checked its own permission",
}


class EndpointUnknown(Missing):
    """There is no such endpoint in this workspace."""


class DeliveryUnknown(Missing):
    """Nothing of that id was sent to this endpoint, or it is forgotten: thirty days are kept."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery with the event's id."""

    event_id: UUID
    changed_at: datetime
    delivery: Delivery


def list_endpoints(work: Work) -> list[Endpoint]:
    """Every endpoint, the newest first. Raises NotPermitted."""
    require(work, Permission.CONNECTION_READ)
    return [_endpoint(stored) for stored in reversed(list_documents(work.session, ENDPOINT))]


def get_endpoint(work: Work, endpoint_id: UUID) -> Endpoint:
    """One endpoint. Raises NotPermitted, EndpointUnknown."""
    require(work, Permission.CONNECTION_READ)
    return find_endpoint(work, endpoint_id)


def find_endpoint(work: Work, endpoint_id: UUID, *, locked: bool = False) -> Endpoint:
    """The same, `locked` until the commit. Raises EndpointUnknown."""
    found = find_endpoint_or_none(work, endpoint_id, locked=locked)
    if found is None:
        raise EndpointUnknown(mark("There is no such endpoint, or it was removed."))
    return found


def find_endpoint_or_none(work: Work, endpoint_id: UUID, *, locked: bool = False) -> Endpoint | None:
    """The same for a job: what was removed meanwhile is no trouble."""
    stored = find_document(work.session, ENDPOINT, str(endpoint_id), lock=locked)
    return _endpoint(stored) if stored else None


def list_deliveries(work: Work, endpoint_id: UUID, *, before: UUID | None = None, limit: int = 50) -> list[Sent]:
    """What an endpoint was sent, the newest event first; from `before` on, an event's id. Raises as `get_endpoint`."""
    get_endpoint(work, endpoint_id)
    after = f"{endpoint_id}:{floor_of(work.database_now - KEPT)}"
    end = key_of(endpoint_id, before) if before else f"{endpoint_id}:{PAST}"
    return [_sent(stored) for stored in newest_documents(work.session, DELIVERY, after=after, before=end, limit=limit)]


def wished_for(work: Work, endpoint_id: UUID, wished: Wished = MISSED) -> Iterator[Sent]:
    """What is to be sent again, the newest first, as far back as anything is known. Raises as `get_endpoint`."""
    before = None
    while page := list_deliveries(work, endpoint_id, before=before, limit=_PAGE):
        for sent in page:
            if wished.covers(sent.delivery):
                yield sent
        before = page[-1].event_id


def get_delivery(work: Work, endpoint_id: UUID, event_id: UUID) -> Sent:
    """One delivery with its attempts. Raises as `get_endpoint`, DeliveryUnknown."""
    get_endpoint(work, endpoint_id)
    stored = find_document(work.session, DELIVERY, key_of(endpoint_id, event_id))
    if stored is None:
        raise DeliveryUnknown(mark("Nothing of that id was sent to this endpoint, or it was more than 30 days ago."))
    return _sent(stored)


def find_delivery(work: Work, endpoint_id: UUID, event_id: UUID) -> Delivery | None:
    """What is known of it, held until the commit."""
    stored = find_document(work.session, DELIVERY, key_of(endpoint_id, event_id), lock=True)
    return _sent(stored).delivery if stored else None


def body_of(document: Endpoint | Delivery) -> dict[str, Any]:
    """A document as it is stored."""
    body: dict[str, Any] = msgspec.to_builtins(document)
    return body


def _endpoint(stored: Kept) -> Endpoint:
    return msgspec.convert(stored.body, Endpoint)


def _sent(stored: Kept) -> Sent:
    return Sent(UUID(stored.key.partition(":")[2]), stored.changed_at, msgspec.convert(stored.body, Delivery))
