"""The JSON doors of an endpoint's care: prove it, try it, stop it, see what it was sent, have it sent again."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody

from app.connectors.webhooks.api import described
from app.connectors.webhooks.api.answers import Place, delivery_out, delivery_page, given
from app.connectors.webhooks.log import Wished
from app.connectors.webhooks.operations.care import (
    ask_again,
    confirm_endpoint,
    disable_endpoint,
    enable_endpoint,
    repeat_delivery,
    repeat_wished,
    try_endpoint,
)
from app.connectors.webhooks.queries import get_delivery
from app.connectors.webhooks.rules import Endpoint
from app.connectors.webhooks.schemas import CodeSaid, DeliveryQuery, Repeated, RepetitionWanted, Tried
from app.kernel.work import Work
from app.web.begin import begin_work
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_query

PageRequest = Request[Any, Any, Any]
_ONE = "/{endpoint_id:uuid}"


class WebhookCareDoors(Controller):
    """What is done with endpoints that are there."""

    path = "/api/v1/tenants/{tenant_id:uuid}/webhooks"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("webhooks",)

    @post(
        f"{_ONE}/confirmation",
        operation_id="webhooks.confirm",
        operation_class=account(described.CONFIRM),
        status_code=200,
        sync_to_thread=True,
    )
    def confirm(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Give back the code that arrived at the address: from now on it hears events."""
        code = read_body(request, body, CodeSaid).code
        return _done(request, tenant_id, endpoint_id, lambda work: confirm_endpoint(work, endpoint_id, code))

    @post(
        f"{_ONE}/challenge",
        operation_id="webhooks.challenge",
        operation_class=account(described.CHALLENGE),
        status_code=200,
        sync_to_thread=True,
    )
    def challenge(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Send another code to an address that has not proven itself."""
        return _done(request, tenant_id, endpoint_id, lambda work: ask_again(work, endpoint_id))

    @post(
        f"{_ONE}/disablement",
        operation_id="webhooks.disable",
        operation_class=account(described.DISABLE),
        status_code=200,
        sync_to_thread=True,
    )
    def disable(self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID]) -> Response[bytes]:
        """Send it nothing more, until it is enabled."""
        return _done(request, tenant_id, endpoint_id, lambda work: disable_endpoint(work, endpoint_id))

    @post(
        f"{_ONE}/enablement",
        operation_id="webhooks.enable",
        operation_class=account(described.ENABLE),
        status_code=200,
        sync_to_thread=True,
    )
    def enable(self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID]) -> Response[bytes]:
        """Let a disabled one hear events again. What it missed is sent when you ask for it."""
        return _done(request, tenant_id, endpoint_id, lambda work: enable_endpoint(work, endpoint_id))

    @post(
        f"{_ONE}/test",
        operation_id="webhooks.test",
        operation_class=account(described.TEST),
        status_code=202,
        sync_to_thread=True,
    )
    def test(self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID]) -> Response[bytes]:
        """Send it an event made for this, at once."""

        def operation(work: Work) -> dict[str, object]:
            return {"event_id": str(try_endpoint(work, endpoint_id))}

        made, replayed = Place(request, tenant_id).change({}, operation)
        return answer_done(write(Tried(UUID(str(made["event_id"])))), status=202, replayed=replayed)

    @post(
        f"{_ONE}/repetition",
        operation_id="webhooks.repeat",
        operation_class=account(described.REPEAT),
        status_code=202,
        sync_to_thread=True,
    )
    def repeat(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Send again what failed, was held back or, if wished, was delivered: by time and type, the newest thousand."""
        told = given(read_body(request, body, RepetitionWanted))
        wished = Wished(**told | ({"types": tuple(told["types"])} if "types" in told else {}))

        def operation(work: Work) -> dict[str, object]:
            return {"number": repeat_wished(work, endpoint_id, wished)}

        made, replayed = Place(request, tenant_id).change({name: str(value) for name, value in told.items()}, operation)
        return answer_done(write(Repeated(int(str(made["number"])))), status=202, replayed=replayed)

    @get(
        f"{_ONE}/deliveries",
        operation_id="webhooks.deliveries",
        operation_class=account(described.DELIVERIES),
        sync_to_thread=True,
    )
    def deliveries(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID]
    ) -> Response[bytes]:
        """List what it was sent in the last thirty days, with every try, the newest event first."""
        asked = read_query(request, DeliveryQuery)
        with begin_work(request, tenant_id) as work:
            page = delivery_page(work, endpoint_id, asked)
        return answer_read(request, write(page), link_next(request, page.next))

    @get(
        f"{_ONE}/deliveries/{{event_id:uuid}}",
        operation_id="webhooks.delivery",
        operation_class=account(described.DELIVERY),
        sync_to_thread=True,
    )
    def delivery(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], event_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Read how one event fares with it."""
        with begin_work(request, tenant_id) as work:
            content = write(delivery_out(get_delivery(work, endpoint_id, event_id)))
        return answer_read(request, content)

    @post(
        f"{_ONE}/deliveries/{{event_id:uuid}}/repetition",
        operation_id="webhooks.repeatDelivery",
        operation_class=account(described.REPEAT_DELIVERY),
        status_code=202,
        sync_to_thread=True,
    )
    def repeat_one(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], event_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Send one event again, as it was, whatever became of it before."""

        def operation(work: Work) -> dict[str, object]:
            repeat_delivery(work, endpoint_id, event_id)
            return {"number": 1}

        _made, replayed = Place(request, tenant_id).change({}, operation)
        return answer_done(write(Repeated(1)), status=202, replayed=replayed)


def _done(
    request: PageRequest, tenant_id: UUID, endpoint_id: UUID, operation: Callable[[Work], Endpoint]
) -> Response[bytes]:
    """Run it once for the key, and answer how the endpoint is now."""

    def running(work: Work) -> dict[str, object]:
        return {"id": str(operation(work).id)}

    place = Place(request, tenant_id)
    _made, replayed = place.change({}, running)
    return place.one(endpoint_id, replayed=replayed)
