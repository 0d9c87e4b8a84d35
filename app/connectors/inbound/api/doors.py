"""The JSON doors of hooks: open one, set its secret, close it; see what came in, have it worked on again."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import FromPath, RawBody

from app.connectors.inbound.api import described
from app.connectors.inbound.api.answers import Place, delivery_out, delivery_page, shown
from app.connectors.inbound.operations.addresses import close_hook, open_address
from app.connectors.inbound.operations.replaying import replay_delivery
from app.connectors.inbound.operations.secrets import set_secret
from app.connectors.inbound.queries import get_delivery, get_source, list_sources
from app.connectors.inbound.schemas import AddressWanted, ArrivalQuery, HookList, Replayed, SecretWanted
from app.kernel.work import Work
from app.vault.secret import Secret
from app.web.begin import begin_work
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_query

PageRequest = Request[Any, Any, Any]
_ONE = "/{hook_id:uuid}"
_CAME = "/{hook_id:uuid}/deliveries/{delivery_id:uuid}"


class HookDoors(Controller):
    """How messages of connected systems come into one workspace, or into a partner's home."""

    path = "/api/v1/tenants/{tenant_id:uuid}/inbound"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("inbound",)

    @get("/", operation_id="inbound.list", operation_class=account(described.LIST), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List the connections that messages can come in by, with their addresses, by name."""
        with begin_work(request, tenant_id) as work:
            found = [shown(work, source) for source in list_sources(work)]
        return answer_read(request, write(HookList(found)))

    @get(_ONE, operation_id="inbound.read", operation_class=account(described.READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID]) -> Response[bytes]:
        """Read one of them; it has the id of its connection."""
        with begin_work(request, tenant_id) as work:
            content = write(shown(work, get_source(work, hook_id)))
        return answer_read(request, content)

    @post(
        f"{_ONE}/address",
        operation_id="inbound.open",
        operation_class=account(described.OPEN),
        sync_to_thread=True,
    )
    def open(
        self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Open an address that the system may send to, or another one; it is shown now and never again."""
        hours = read_body(request, body, AddressWanted).overlap_hours
        return Place(request, tenant_id).opened(
            hook_id, {"overlap_hours": hours}, lambda work: open_address(work, hook_id, overlap_hours=hours)
        )

    @post(
        f"{_ONE}/secret",
        operation_id="inbound.setSecret",
        operation_class=account(described.SET_SECRET),
        status_code=200,
        sync_to_thread=True,
    )
    def secret(
        self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Set what the system signs with, or its next one. Nobody can read it afterwards."""
        wanted = read_body(request, body, SecretWanted)
        value, hours = Secret(wanted.value), wanted.overlap_hours

        def setting(work: Work) -> dict[str, object]:
            return {"id": str(set_secret(work, hook_id, value, overlap_hours=hours).id)}

        place = Place(request, tenant_id)
        _made, replayed = place.change({"overlap_hours": hours}, setting)  # a hash of the value would be a hint
        return place.one(hook_id, replayed=replayed)

    @delete(
        _ONE,
        operation_id="inbound.close",
        operation_class=account(described.CLOSE),
        status_code=200,
        sync_to_thread=True,
    )
    def close(self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID]) -> Response[bytes]:
        """Let its addresses lead nowhere, at once, and forget its secrets."""
        with begin_work(request, tenant_id) as work:
            close_hook(work, hook_id)
            content = write(shown(work, get_source(work, hook_id)))
        return answer_done(content, status=200)

    @get(
        f"{_ONE}/deliveries",
        operation_id="inbound.deliveries",
        operation_class=account(described.DELIVERIES),
        sync_to_thread=True,
    )
    def deliveries(self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID]) -> Response[bytes]:
        """List what came in within the last thirty days, or with `held=true` what is in quarantine; newest first."""
        asked = read_query(request, ArrivalQuery)
        with begin_work(request, tenant_id) as work:
            page = delivery_page(work, hook_id, asked)
        return answer_read(request, write(page), link_next(request, page.next))

    @get(_CAME, operation_id="inbound.delivery", operation_class=account(described.DELIVERY), sync_to_thread=True)
    def delivery(
        self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID], delivery_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Read one delivery: its messages' ids and types, never its body or its signature."""
        with begin_work(request, tenant_id) as work:
            content = write(delivery_out(get_delivery(work, hook_id, delivery_id)))
        return answer_read(request, content)

    @post(
        f"{_CAME}/replay",
        operation_id="inbound.replay",
        operation_class=account(described.REPLAY),
        status_code=202,
        sync_to_thread=True,
    )
    def replay(
        self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID], delivery_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Have it worked on again. What was never proven is checked with the secrets that are active now, first."""

        def replaying(work: Work) -> dict[str, object]:
            return {"delivery_id": str(replay_delivery(work, hook_id, delivery_id))}

        made, replayed = Place(request, tenant_id).change({}, replaying)
        return answer_done(write(Replayed(UUID(str(made["delivery_id"])))), status=202, replayed=replayed)
