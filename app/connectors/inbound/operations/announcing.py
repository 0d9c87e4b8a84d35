"""What follows from a delivery after its answer: it is announced, and held where somebody could not work on it."""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from app.audit.operations.documents import drop_document, write_document
from app.connectors.inbound.events import DeliveryHeld, DeliveryReceived
from app.connectors.inbound.queries import HELD, TAKEN, DeliveryUnknown, body_of, find_delivery
from app.connectors.webhooks.log import key_of
from app.kernel.work import Work

SYSTEM_ONLY = {
    "announce_delivery": "called by the delivery's job",
    "hold_delivery": "called by a job that could not work on it",
}


def announce_delivery(work: Work, hook_id: UUID, delivery_id: UUID, *, connector: str, asked: int) -> int:
    """Tell of each message that came. Returns how many; 0 where that was done, or somebody asked anew meanwhile."""
    try:
        delivery = find_delivery(work, hook_id, delivery_id, locked=True).delivery
    except DeliveryUnknown:
        return 0
    if delivery.state != "received" or delivery.asked != asked:
        return 0
    for message in delivery.messages:
        work.announce(
            DeliveryReceived(
                subject_id=delivery_id,
                connection_id=hook_id,
                connector=connector,
                message_id=message.id,
                message_type=message.type,
                object=message.object,
            )
        )
    write_document(work, TAKEN, key_of(hook_id, delivery_id), body_of(replace(delivery, state="announced")))
    return len(delivery.messages)


def hold_delivery(work: Work, hook_id: UUID, delivery_id: UUID, *, connector: str, said: str) -> None:
    """Put it into quarantine: it is proven, but nobody could work on it. Repeatable."""
    try:
        came = find_delivery(work, hook_id, delivery_id, locked=True)
    except DeliveryUnknown:
        return
    if came.delivery.state == "failed":
        return
    failed = replace(came.delivery, state="failed", reason="failed", said=said)
    drop_document(work, TAKEN, key_of(hook_id, delivery_id))
    write_document(work, HELD, key_of(hook_id, delivery_id), body_of(failed))
    work.announce(DeliveryHeld(subject_id=delivery_id, connection_id=hook_id, connector=connector))
