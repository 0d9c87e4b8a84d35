"""The JSON doors of endpoints: name one, look at it, change it, give it another key, let it go."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, patch, post
from litestar.params import FromPath, RawBody

from app.connectors.webhooks.api import described
from app.connectors.webhooks.api.answers import Place, given, shown
from app.connectors.webhooks.operations.care import rotate_key
from app.connectors.webhooks.operations.endpoints import Wanted, add_endpoint, change_endpoint, remove_endpoint
from app.connectors.webhooks.queries import list_endpoints
from app.connectors.webhooks.schemas import EndpointCreate, EndpointList, EndpointPatch, RotationWanted
from app.web.begin import begin_work
from app.web.wire.answering import answer_done, answer_read, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import JSON, MERGE_PATCH, read_body, read_match

PageRequest = Request[Any, Any, Any]
_ONE = "/{endpoint_id:uuid}"


class WebhookDoors(Controller):
    """The endpoints of one workspace, or of a partner's home."""

    path = "/api/v1/tenants/{tenant_id:uuid}/webhooks"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("webhooks",)

    @get("/", operation_id="webhooks.list", operation_class=account(described.LIST), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List the endpoints with their health, the newest first."""
        with begin_work(request, tenant_id) as work:
            found = [shown(work, endpoint) for endpoint in list_endpoints(work)]
        return answer_read(request, write(EndpointList(found)))

    @post("/", operation_id="webhooks.create", operation_class=account(described.CREATE), sync_to_thread=True)
    def create(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Name an address. It is sent a code and hears events once it has given that back; the secret is shown now."""
        wanted = given(read_body(request, body, EndpointCreate))
        place = Place(request, tenant_id)
        return place.key_made(wanted, lambda work: add_endpoint(work, **wanted), status=201)

    @get(_ONE, operation_id="webhooks.read", operation_class=account(described.READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID]) -> Response[bytes]:
        """Read one endpoint: how it is, and since when it has been so."""
        return Place(request, tenant_id).one(endpoint_id)

    @patch(_ONE, operation_id="webhooks.update", operation_class=account(described.UPDATE), sync_to_thread=True)
    def update(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Change where it is or what it hears, from the version you have read."""
        versions = read_match(request)
        wanted = Wanted(**given(read_body(request, body, EndpointPatch, media=(MERGE_PATCH, JSON))))
        with begin_work(request, tenant_id) as work:
            change_endpoint(work, endpoint_id, wanted, versions=versions)
        return Place(request, tenant_id).one(endpoint_id)

    @delete(
        _ONE,
        operation_id="webhooks.remove",
        operation_class=account(described.REMOVE),
        status_code=200,
        sync_to_thread=True,
    )
    def remove(self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID]) -> Response[bytes]:
        """Let it go, with its keys and the log of its deliveries."""
        with begin_work(request, tenant_id) as work:
            content = write(shown(work, remove_endpoint(work, endpoint_id)))
        return answer_done(content, status=200)

    @post(
        f"{_ONE}/rotation",
        operation_id="webhooks.rotate",
        operation_class=account(described.ROTATE),
        status_code=200,
        sync_to_thread=True,
    )
    def rotate(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Sign with another key from now on, and with the one before for a while; the new secret is shown now."""
        hours = read_body(request, body, RotationWanted).overlap_hours
        return Place(request, tenant_id).key_made(
            {"overlap_hours": hours},
            lambda work: rotate_key(work, endpoint_id, overlap_hours=hours),
            status=200,
        )
