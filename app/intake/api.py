"""The hook: where CRMs knock. Verify the raw body, store what is new, answer; everything else happens later."""

import hashlib
from typing import Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.params import FromPath, RawBody

from app.connectors.crm.provider import CRM, event_body
from app.connectors.inbound.schemes import Arrival
from app.connectors.kit.runner import Runner
from app.intake.operations import HookMessage, receive_messages, starting_stages
from app.kernel.actor import Actor
from app.kernel.work import open_work
from app.vault.keyring import Keyring
from app.vault.operations import open_door_secrets
from app.vault.rules import DoorPurpose
from app.web.begin import NothingHere, front_of, runtime_of, site_of, trace_of
from app.web.translations import mark
from app.web.wire.openapi import Described, Told, described
from app.web.wire.problem import Problem
from tenants.registry import find_hook, find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]
_TOKEN = 20  # characters; shorter ones were never given out


class Received(msgspec.Struct, frozen=True):
    """How many messages of a delivery were new."""

    received: int


_RECEIVE = Described(
    answers={
        202: Told("It is stored; what follows from it happens later.", Received, example={"received": 1}),
        403: Told("The signature does not hold, or is older than five minutes.", Problem),
        422: Told("The signature holds, but the body is not what this system sends.", Problem),
    },
    problems=(NothingHere,),
    public=True,
)


class Hooks(Controller):
    """Opaque addresses, one for each connection of a home."""

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
    def receive(self, request: PageRequest, token: FromPath[str], body: RawBody) -> Response[Received]:
        """Take a CRM's webhook: 202 with how many messages were new; sent again, nothing is new and nothing happens.

        404 for an unknown address, 403 for a signature that does not hold or is older than five minutes.
        """
        source, tenant = hook_of(request, token)
        arrival = arrival_of(request, body)
        return Response(Received(take_in(request, source, tenant, arrival)), status_code=202)


def arrival_of(request: PageRequest, body: bytes) -> Arrival:
    """The delivery as it came: the address that the sender called, every header, also one that came twice."""
    asked = request.scope["raw_path"].decode("latin-1").partition("?")[0]
    query = request.scope["query_string"].decode("latin-1")
    uri = front_of(request).url(site_of(request).host, f"{asked}?{query}" if query else asked)
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"]]
    return Arrival(method="POST", uri=uri, headers=headers, body=body)


def hook_of(request: PageRequest, token: str) -> tuple[str, Tenant]:
    """Which system sends to this address, and whose home it is. Raises NothingHere."""
    digest = hashlib.sha256(token.encode()).digest()
    with lookup_session(runtime_of(request).databases, actor="hook") as (session, _now):
        hook = find_hook(session, digest) if len(token) >= _TOKEN else None
        tenant = find_tenant(session, hook.tenant_id) if hook else None
    if hook is None or tenant is None:
        raise NothingHere(mark("Nothing is served under this address."))
    return hook.source, tenant


def take_in(request: PageRequest, source: str, tenant: Tenant, arrival: Arrival) -> int:
    """Verify the delivery and store what is new in it, in one transaction of the home. Returns how many were new."""
    runtime = runtime_of(request)
    crm = CRM(runtime.service(Runner).registry, source)
    actor = Actor(kind="service", id=tenant.id, name=source)
    with open_work(runtime, tenant, actor, trace_id=trace_of(request)) as work:
        purpose = DoorPurpose.WEBHOOK_VERIFICATION
        secrets = open_door_secrets(work, runtime.service(Keyring), purpose=purpose)
        events, stages = crm.read_signed(arrival, secrets=secrets), starting_stages(work)
        messages = [
            HookMessage(event.delivery_key, str(event.object_id), event.moves_deal_to(stages), event_body(event))
            for event in events
        ]
        return receive_messages(work, source=source, messages=messages)
