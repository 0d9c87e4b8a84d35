"""An event as receivers get it: CloudEvents 1.0 in structured JSON, the same bytes at every try and at every replay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
VERIFICATION: Final = "connectors.webhook.verification"
_OURS: Final = frozenset({"delegations"})  # what the trail adds to an event's body


class Happened(msgspec.Struct, frozen=True):
    """An entry of the trail, as far as receivers hear of it."""

    id: UUID
    type: str
    at: datetime
    subject_kind: str
    subject_id: UUID
    onboarding_id: UUID | None
    trace_id: str
    body: dict[str, Any]


def write_event(tenant_id: UUID, event: Happened, *, sequence: int | None, thin: bool) -> bytes:
    """The event. `sequence` is its number among those of its onboarding; a thin one says what, and nothing of it."""
    told: dict[str, Any] = {
        **_head(tenant_id, str(event.id), event.type, event.at),
        "subject": f"{event.subject_kind}/{event.subject_id}",
    }
    if event.trace_id:
        told["correlationid"] = event.trace_id
    if event.onboarding_id:
        told["partitionkey"] = str(event.onboarding_id)
    if sequence is not None:
        told["sequence"] = f"{sequence:012d}"
    if not thin:
        told["data"] = {name: value for name, value in event.body.items() if name not in _OURS}
    return msgspec.json.encode(told)


def write_challenge(tenant_id: UUID, message_id: UUID, at: datetime, code: str) -> bytes:
    """The message that asks an address to prove itself: no event, and told of nowhere else."""
    head = _head(tenant_id, str(message_id), VERIFICATION, at)
    return msgspec.json.encode(head | {"data": {"challenge": code}})


def _head(tenant_id: UUID, message_id: str, kind: str, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": message_id,
        "source": f"/tenants/{tenant_id}",
        "type": kind,
        "time": at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
    }
