"""The hook: where other systems knock. Verify the raw body, store what is new, answer; all else happens later."""

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, post
from litestar.params import FromPath, RawBody
from prometheus_client import Counter

from app.connectors.crm.provider import CRM
from app.connectors.inbound.operations.taking import Taken, take_delivery
from app.connectors.inbound.queries import HookUnknown
from app.connectors.inbound.schemes import Arrival, DeliveryRefused
from app.connectors.kit.runner import Runner
from app.intake.operations import receive_messages, starting_stages
from app.intake.reading import messages_of
from app.kernel.actor import Actor
from app.kernel.errors import Invalid
from app.kernel.work import open_work
from app.vault.keyring import Keyring
from app.vault.operations import open_door_secrets
from app.vault.rules import DoorPurpose
from app.web.begin import NothingHere, front_of, runtime_of, site_of, trace_of
from app.web.guard.doors import address_of
from app.web.guard.limits import HOOK, HOOK_SAMPLES, UNKNOWN_HOOKS, Limiter, Quota, TooManyRequests
from app.web.translations import mark
from app.web.wire.openapi import Described, Told, described
from app.web.wire.problem import Problem
from tenants.registry import HookEntry, find_hook, find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]
TURNED_AWAY = Counter("slipway_inbound_turned_away", "Webhooks that nobody looked at, by the reason.", ["reason"])
_TOKEN = 20  # characters; shorter ones were never given out


class Received(msgspec.Struct, frozen=True):
    """How many messages of a delivery were new."""

    received: int


class BodyEncoded(Invalid):
    """The body was packed on its way: signatures are of the bytes as they were sent."""

    status = 415


_RECEIVE = Described(
    answers={
        202: Told("It is stored; what follows from it happens later.", Received, example={"received": 1}),
        403: Told("The signature does not hold, or is older than five minutes.", Problem),
        415: Told("The body is compressed.", Problem),
        422: Told("The signature holds, but the body is not what this system sends.", Problem),
    },
    problems=(NothingHere, TooManyRequests),
    public=True,
)


class Hooks(Controller):
    """Opaque addresses, one for each connection that messages come in by."""

    path = "/hooks"
    opt = {"door": "hook"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("hooks",)

    @post(
        "/{token:str}",
        operation_id="hooks.receive",
        operation_class=described(_RECEIVE),
        status_code=202,
        sync_to_thread=True,
    )
    def receive(self, request: PageRequest, token: FromPath[str], body: RawBody) -> Response[Any]:
        """Take a webhook: 202 with how many messages were new; sent again, nothing is new and nothing happens.

        404 for an unknown address, 403 for a signature that does not hold or is older than five minutes. A system that
        tries the address out first, as its connector knows it, gets back what it wants to see, with 200.
        """
        hook, tenant = hook_of(request, token)
        arrival = arrival_of(request, body)
        if hook.connection_id is None:
            return Response(Received(take_in(request, hook.source, tenant, arrival)), status_code=202)
        return answer(take(request, hook.connection_id, tenant, token, arrival))


def hook_of(request: PageRequest, token: str) -> tuple[HookEntry, Tenant]:
    """Which connection this address is of, and whose it is. Raises NothingHere, TooManyRequests.

    Counted before anything is written: what comes to one address, and who tries addresses that lead nowhere.
    """
    digest = hashlib.sha256(token.encode()).digest()
    with lookup_session(runtime_of(request).databases, actor="hook") as (session, _now):
        hook = find_hook(session, digest) if len(token) >= _TOKEN else None
        tenant = find_tenant(session, hook.tenant_id) if hook else None
    if hook is None or tenant is None:
        count(request, UNKNOWN_HOOKS, address_of(request))
        TURNED_AWAY.labels("unknown_address").inc()
        raise NothingHere(mark("Nothing is served under this address."))
    count(request, HOOK, digest.hex())
    return hook, tenant


def count(request: PageRequest, quota: Quota, who: str) -> None:
    """Count it; how its sender stands goes into the answer. Raises TooManyRequests."""
    standing = runtime_of(request).service(Limiter).take(quota, who)
    request.scope["state"]["standing"] = standing
    if not standing.allowed:
        TURNED_AWAY.labels("too_many").inc()
        raise TooManyRequests(standing)


def arrival_of(request: PageRequest, body: bytes) -> Arrival:
    """The delivery as it came: the address that the sender called, every header, also one that came twice.

    Raises BodyEncoded: what was packed on its way is not what was signed, and unpacking a stranger's body can be dear.
    """
    asked = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    uri = front_of(request).url(site_of(request).host, f"{asked}?{query}" if query else asked)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    arrival = Arrival(method="POST", uri=uri, headers=headers, body=body)
    if any(each.strip().lower() not in {"", "identity"} for each in arrival.every("content-encoding")):
        TURNED_AWAY.labels("encoded").inc()
        raise BodyEncoded("Send the body as it was signed, without Content-Encoding.")
    return arrival


def take(request: PageRequest, hook_id: UUID, tenant: Tenant, token: str, arrival: Arrival) -> Taken:
    """Take a delivery to a connection's own address in, in one transaction. Raises NothingHere, DeliveryRefused."""
    actor = Actor(kind="service", id=hook_id, name="webhook")
    try:
        with open_work(runtime_of(request), tenant, actor, trace_id=trace_of(request)) as work:
            taken = take_delivery(work, hook_id, token, arrival, may_sample=sampling(request, hook_id))
    except HookUnknown:
        TURNED_AWAY.labels("closed_address").inc()
        raise NothingHere(mark("Nothing is served under this address.")) from None
    if taken.refused:
        raise DeliveryRefused(taken.refused)
    return taken


def sampling(request: PageRequest, hook_id: UUID) -> Callable[[], bool]:
    """Whether one more delivery that nobody has proven may be kept of this connection in this hour."""
    limiter = runtime_of(request).service(Limiter)
    return lambda: limiter.take(HOOK_SAMPLES, str(hook_id)).allowed


def answer(taken: Taken) -> Response[Any]:
    """How many were new; or what a handshake wants back, as text that no browser takes for anything else."""
    if taken.answer is None:
        return Response(Received(taken.new), status_code=202)
    return Response(taken.answer, status_code=200, media_type="text/plain")


def take_in(request: PageRequest, source: str, tenant: Tenant, arrival: Arrival) -> int:
    """Verify the delivery and store what is new in it, in one transaction of the home. Returns how many were new."""
    runtime = runtime_of(request)
    crm = CRM(runtime.service(Runner).registry, source)
    actor = Actor(kind="service", id=tenant.id, name=source)
    with open_work(runtime, tenant, actor, trace_id=trace_of(request)) as work:
        purpose = DoorPurpose.WEBHOOK_VERIFICATION
        secrets = open_door_secrets(work, runtime.service(Keyring), purpose=purpose)
        events, stages = crm.read_signed(arrival, secrets=secrets), starting_stages(work)
        return receive_messages(work, source=source, messages=messages_of(events, stages))
