"""What people do with an endpoint that is there: prove, try and stop it, change its key, have things sent again."""

from __future__ import annotations

import hmac
from itertools import islice
from typing import Final
from uuid import UUID

from msgspec.structs import replace

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import write_document
from app.connectors.webhooks.events import (
    DeliveriesRepeated,
    EndpointDisabled,
    EndpointEnabled,
    EndpointTested,
    EndpointVerified,
    KeyRotated,
)
from app.connectors.webhooks.log import DELIVERY, Delivery, Wished, key_of
from app.connectors.webhooks.operations.endpoints import (
    ask_for_proof,
    host_of,
    listen,
    save,
)
from app.connectors.webhooks.operations.keys import next_key
from app.connectors.webhooks.operations.messages import Asked
from app.connectors.webhooks.queries import MISSED, body_of, find_endpoint, get_delivery, wished_for
from app.connectors.webhooks.rules import BY_HAND, Endpoint
from app.connectors.webhooks.signing import digest_of
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.translations import mark

MOST_REPEATED: Final = 1_000
_TEST: Final = "This is a test."

SYSTEM_ONLY = {
    "verified": "called by the job that hears the echo",
    "ask_for": "part of a guarded operation, and of the job that has asked the customer",
    "repeat": "part of a guarded operation",
    "stopped": "called by jobs and by a guarded operation",
}


class CodeWrong(Invalid):
    """It is not the code that was sent, or it is none any more."""


class NotInUse(Conflict):
    """The endpoint is disabled, or has not proven its address: nothing is sent to it."""


def confirm_endpoint(work: Work, endpoint_id: UUID, code: str) -> Endpoint:
    """Give back the code that the address was sent. Raises NotPermitted, EndpointUnknown, CodeWrong."""
    endpoint = _open(work, endpoint_id)
    asked = endpoint.challenge
    if endpoint.state != "unverified":
        return endpoint
    if not asked.digest:
        raise CodeWrong(mark("There is no code to compare with. Have a new one sent."))
    if not hmac.compare_digest(asked.digest, digest_of(code)):
        raise CodeWrong(mark("This is not the code that was sent last."), errors=[("/code", "")])
    return verified(work, endpoint, by="code")


def verified(work: Work, endpoint: Endpoint, *, by: str) -> Endpoint:
    """From now on it hears what it is to hear."""
    proven = replace(endpoint.challenge, said="")
    active = replace(_started(endpoint), challenge=proven, verified_at=work.database_now)
    listen(work, active)
    work.announce(EndpointVerified(subject_id=active.id, host=host_of(active.url), by=by))
    return save(work, active)


def ask_again(work: Work, endpoint_id: UUID) -> Endpoint:
    """Send another code to an address that has not proven itself. Raises NotPermitted, EndpointUnknown."""
    endpoint = _open(work, endpoint_id)
    return ask_for_proof(work, endpoint) if endpoint.state == "unverified" else endpoint


def disable_endpoint(work: Work, endpoint_id: UUID) -> Endpoint:
    """Send it nothing more. Raises NotPermitted, EndpointUnknown, NotInUse."""
    endpoint = _open(work, endpoint_id)
    _require_active(endpoint)
    return stopped(work, endpoint, BY_HAND)


def stopped(work: Work, endpoint: Endpoint, reason: str) -> Endpoint:
    """Nothing is sent to it any more; what happens is held back for it for thirty days."""
    disabled = replace(endpoint, state="disabled", reason=reason, disabled_at=work.database_now)
    host, failures = host_of(endpoint.url), endpoint.trouble.count if endpoint.trouble else 0
    named_by = str(endpoint.named_by) if endpoint.named_by else None
    work.announce(
        EndpointDisabled(subject_id=endpoint.id, host=host, failures=failures, named_by=named_by, reason=reason)
    )
    return save(work, disabled)


def enable_endpoint(work: Work, endpoint_id: UUID) -> Endpoint:
    """Let a disabled one hear again, at another address once that has proven itself. Raises as `disable_endpoint`.

    What it missed is sent when somebody asks for it.
    """
    endpoint = _open(work, endpoint_id)
    if endpoint.state == "active":
        return endpoint
    if endpoint.state == "disabled" and endpoint.verified_at is None:
        return ask_for_proof(work, replace(_started(endpoint), state="unverified"))
    if endpoint.state == "unverified":
        raise NotInUse(mark("The address has not proven itself yet."))
    active = _started(endpoint)
    listen(work, active)
    work.announce(EndpointEnabled(subject_id=active.id, host=host_of(active.url)))
    return save(work, active)


def try_endpoint(work: Work, endpoint_id: UUID) -> UUID:
    """Send it an event of its own, at once. Returns the event's id. Raises as `disable_endpoint`."""
    endpoint = _open(work, endpoint_id)
    _require_active(endpoint)
    event_id = work.record(EndpointTested(subject_id=endpoint.id, message=_TEST))
    ask_for(work, Asked(event_id, endpoint.id))
    return event_id


def rotate_key(work: Work, endpoint_id: UUID, *, overlap_hours: int) -> tuple[Endpoint, Secret]:
    """Sign with a new key from now on; its shared half is shown once.

    Raises NotPermitted, EndpointUnknown, RotationUnderWay.
    """
    endpoint = _open(work, endpoint_id)
    changed, key = next_key(work, endpoint, overlap_hours=overlap_hours)
    number = changed.keys[-1].number
    work.announce(KeyRotated(subject_id=endpoint.id, number=number, overlap_hours=overlap_hours))
    return save(work, changed), key


def repeat_delivery(work: Work, endpoint_id: UUID, event_id: UUID) -> None:
    """Send one event again, as it was. Raises as `disable_endpoint`, DeliveryUnknown."""
    endpoint = _open(work, endpoint_id)
    _require_active(endpoint)
    repeat(work, endpoint, event_id, get_delivery(work, endpoint_id, event_id).delivery)
    work.announce(DeliveriesRepeated(subject_id=endpoint.id, number=1))


def repeat_wished(work: Work, endpoint_id: UUID, wished: Wished = MISSED) -> int:
    """Send again what failed, was held back, or is wished besides: the newest thousand. Returns how many.

    Raises NotPermitted, EndpointUnknown, NotInUse.
    """
    endpoint = _open(work, endpoint_id)
    _require_active(endpoint)
    found = list(islice(wished_for(work, endpoint_id, wished), MOST_REPEATED))
    for sent in reversed(found):
        repeat(work, endpoint, sent.event_id, sent.delivery)
    if found:
        work.announce(DeliveriesRepeated(subject_id=endpoint.id, number=len(found)))
    return len(found)


def repeat(work: Work, endpoint: Endpoint, event_id: UUID, delivery: Delivery) -> None:
    """Ask for it anew, with all its tries."""
    again = delivery.asked_again()
    write_document(work, DELIVERY, key_of(endpoint.id, event_id), body_of(again))
    ask_for(work, Asked(event_id, endpoint.id, delivery.sequence, again.asked, delivery.tenant_id))


def _started(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, state="active", reason="", trouble=None, disabled_at=None)


def ask_for(work: Work, asked: Asked, *, lane: str | None = None) -> None:
    """Have an event sent to an endpoint after the commit: once for each request of it, the relay's own included."""
    args: dict[str, object] = {"event_id": str(asked.event_id), "endpoint_id": str(asked.endpoint_id)}
    args |= {"sequence": asked.sequence, "asked": asked.number}
    args |= {"customer": str(asked.customer)} if asked.customer else {}
    again = f":{asked.number}" if asked.number else ""
    dedupe = f"{asked.event_id}:connectors.deliver_webhook:{asked.endpoint_id}{again}"
    work.enqueue("connectors.deliver_webhook", args=args, dedupe_key=dedupe, lane=lane)


def _open(work: Work, endpoint_id: UUID) -> Endpoint:
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.CONNECTION_READ)
    return find_endpoint(work, endpoint_id, locked=True)


def _require_active(endpoint: Endpoint) -> None:
    if endpoint.state != "active":
        raise NotInUse(mark("Nothing is sent to it: it is disabled, or has not proven its address."))
