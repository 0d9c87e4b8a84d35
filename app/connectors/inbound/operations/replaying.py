"""Has a delivery worked on again. What was never proven has to be proven first, by the secrets that are active now."""

from __future__ import annotations

import base64
from uuid import UUID

from msgspec.structs import replace

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import drop_document
from app.connectors.inbound.events import DeliveryReplayed
from app.connectors.inbound.operations.secrets import open_secrets
from app.connectors.inbound.operations.taking import admit, store
from app.connectors.inbound.queries import HELD, Source, find_delivery, find_source
from app.connectors.inbound.reading import Unreadable, read_messages
from app.connectors.inbound.rules import Delivery
from app.connectors.inbound.schemes import Arrival, DeliveryRefused, Verified, verify
from app.connectors.webhooks.log import key_of
from app.kernel.errors import Conflict
from app.kernel.outbound.world_clock import world_time
from app.kernel.work import Work
from app.web.translations import mark


class NotReplayable(Conflict):
    """There is nothing to work on: it is under way, too old to be proven, or was not kept whole."""


class StillUnproven(Conflict):
    """No secret of now fits it."""


class StillUnreadable(Conflict):
    """It is the system's own, but still cannot be read."""


class SeenBefore(Conflict):
    """All that it says was taken in meanwhile, by another attempt of the sender."""


def replay_delivery(work: Work, hook_id: UUID, delivery_id: UUID) -> UUID:
    """Work on it again. A delivery in quarantine leaves it. Returns its id.

    One that was announced before is announced again. One that was not is admitted like a new one: what came otherwise
    meanwhile is not taken twice. Raises NotPermitted, HookUnknown, DeliveryUnknown, NotReplayable, StillUnproven,
    StillUnreadable, SeenBefore, KeysMissing.
    """
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.CONNECTION_READ)
    source = find_source(work, hook_id)
    came = find_delivery(work, hook_id, delivery_id, locked=True)
    if not came.delivery.can_be_replayed(world_time()):
        raise NotReplayable(
            mark("This delivery cannot be worked on again: it is under way, or it can no longer be checked.")
        )
    delivery = came.delivery if came.delivery.messages else _admitted(work, source, came.delivery)
    if came.held:
        drop_document(work, HELD, key_of(hook_id, delivery_id))
    store(work, source, delivery.asked_again(), delivery_id)
    work.announce(
        DeliveryReplayed(
            subject_id=delivery_id,
            connection_id=hook_id,
            connector=source.manifest.provider,
            proven=not came.delivery.is_proven,
        )
    )
    return delivery_id


def _admitted(work: Work, source: Source, delivery: Delivery) -> Delivery:
    """With the messages of what was never read; of what was never proven only once a secret of now proves it."""
    message = base64.b64decode(delivery.raw)
    arrival = Arrival("POST", "", [*delivery.proof, *_missing(delivery)], message)
    verified = Verified(message, delivery.signed_at)
    if not delivery.is_proven:
        verified = _proven(work, source, arrival, delivery)
    try:
        messages = read_messages(source.webhooks, arrival, verified)
    except Unreadable as error:
        raise StillUnreadable(str(error)) from error
    new = admit(work, source, arrival, verified, messages)
    if not new:
        raise SeenBefore(mark("What it says was taken in before, or is nothing that is listened for."))
    raw = base64.b64encode(verified.message).decode()
    return replace(delivery, messages=tuple(new), signed_at=verified.at, raw=raw)


def _missing(delivery: Delivery) -> list[tuple[str, str]]:
    """The headers that were kept to be shown, without those that are kept as proof too."""
    proof = {name.lower() for name, _value in delivery.proof}
    return [(name, value) for name, value in delivery.headers if name.lower() not in proof]


def _proven(work: Work, source: Source, arrival: Arrival, delivery: Delivery) -> Verified:
    """By the time at which it came: it was of its time then. Raises StillUnproven."""
    try:
        return verify(source.webhooks, arrival, secrets=open_secrets(work, source.hook), now=delivery.at)
    except DeliveryRefused as error:
        raise StillUnproven(
            mark("None of the secrets that are active now fits this delivery. Set the right one, then try again.")
        ) from error
