"""The HTML doors of messages that come in: the hooks of one tenant, what came by each, what was held back."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.connectors.inbound.pages import doing
from app.connectors.inbound.pages.showing import show_closing, show_hook, show_list
from app.web.forms import Form

PageRequest = Request[Any, Any, Any]
_ONE = "/{hook_id:uuid}"


class HookPages(Controller):
    """The hooks of one tenant: of a workspace, or of a partner's home."""

    path = "/t/{tenant_id:uuid}/inbound"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """Every connection that messages can come in by."""
        return show_list(request, tenant_id)

    @get(_ONE, sync_to_thread=True)
    def read(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        hook_id: FromPath[UUID],
        came: FromQuery[str] = "",
        held: FromQuery[str] = "",
        done: FromQuery[str] = "",
    ) -> Response[str]:
        """One of them, with what came in; `came`, `held`: the delivery from which on older ones are shown."""
        return show_hook(request, tenant_id, hook_id, came=came, held=held, done=done)

    @post(f"{_ONE}/address", sync_to_thread=True)
    def open(
        self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Open an address; it is shown in this answer and never again."""
        return doing.open_another(request, tenant_id, hook_id, form)

    @post(f"{_ONE}/secret", sync_to_thread=True)
    def secret(
        self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Set what messages are checked with."""
        return doing.set_another(request, tenant_id, hook_id, form)

    @get(f"{_ONE}/closing", sync_to_thread=True)
    def ask(self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID]) -> Response[str]:
        """Ask before it is closed."""
        return show_closing(request, tenant_id, hook_id)

    @post(f"{_ONE}/closing", sync_to_thread=True)
    def close(
        self, request: PageRequest, tenant_id: FromPath[UUID], hook_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Close it."""
        return doing.close(request, tenant_id, hook_id, form)

    @post(f"{_ONE}/deliveries/{{delivery_id:uuid}}", sync_to_thread=True)
    def replay(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        hook_id: FromPath[UUID],
        delivery_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Have a delivery worked on again."""
        return doing.replay(request, tenant_id, hook_id, delivery_id, form)
