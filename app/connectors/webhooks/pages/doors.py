"""The HTML doors of webhooks that go out: their endpoints, what each was sent, and what people do about it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.connectors.webhooks.pages import doing
from app.connectors.webhooks.pages.showing import show_endpoint, show_list
from app.web.forms import Form

PageRequest = Request[Any, Any, Any]
_ONE = "/{endpoint_id:uuid}"
_STEP = "/{endpoint_id:uuid}/{step:str}"


class WebhookPages(Controller):
    """The endpoints of one tenant: of a workspace, or of a partner's home."""

    path = "/t/{tenant_id:uuid}/webhooks"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
        """All of them, and the form for one more."""
        return show_list(request, tenant_id, done=done)

    @post("/", sync_to_thread=True)
    def add(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Name an address; its secret is shown in this answer and never again."""
        return doing.add(request, tenant_id, form)

    @get(_ONE, sync_to_thread=True)
    def read(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        endpoint_id: FromPath[UUID],
        before: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> Response[str]:
        """One endpoint, how it fares and what it was sent; `before`: the event from which on older ones are shown."""
        return show_endpoint(request, tenant_id, endpoint_id, before=before, done=done)

    @post(_ONE, sync_to_thread=True)
    def change(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Let it hear something else, or somewhere else."""
        return doing.change(request, tenant_id, endpoint_id, form)

    @post(f"{_ONE}/code", sync_to_thread=True)
    def confirm(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Prove the address by the code that arrived there."""
        return doing.confirm(request, tenant_id, endpoint_id, form)

    @post(f"{_ONE}/key", sync_to_thread=True)
    def rotate(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Sign with a new key; its secret is shown in this answer and never again."""
        return doing.rotate(request, tenant_id, endpoint_id, form)

    @post(f"{_ONE}/deliveries/{{event_id:uuid}}", sync_to_thread=True)
    def repeat(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        endpoint_id: FromPath[UUID],
        event_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Send one event again."""
        return doing.repeat_one(request, tenant_id, endpoint_id, event_id, form)

    @get(_STEP, sync_to_thread=True)
    def ask(
        self, request: PageRequest, tenant_id: FromPath[UUID], endpoint_id: FromPath[UUID], step: FromPath[str]
    ) -> Response[str]:
        """Ask before it is disabled or removed, and before much is sent again."""
        return doing.ask(request, tenant_id, endpoint_id, step)

    @post(_STEP, sync_to_thread=True)
    def do(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        endpoint_id: FromPath[UUID],
        step: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Do what a button says."""
        return doing.do(request, tenant_id, endpoint_id, step, form)
