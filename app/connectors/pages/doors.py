"""The HTML doors of connections: set one up, let it in, try it out, change what it signs in with, take it away."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.connectors.connecting.journeys import read_state
from app.connectors.pages import doing
from app.connectors.pages.showing import show_list, show_one, show_removal
from app.web.forms import Form
from app.web.responses import redirect

PageRequest = Request[Any, Any, Any]
_ONE = "/{system_id:uuid}"


class ConnectionPages(Controller):
    """The connections of one workspace."""

    path = "/t/{tenant_id:uuid}/connections"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
        """What is connected, and a form for each connector that is not."""
        return show_list(request, tenant_id, done=done)

    @post("/", sync_to_thread=True)
    def add(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Set a connection up. The command's fingerprint leaves the secrets out: a hash of one is a hint."""
        return doing.add(request, tenant_id, form)

    @get("/callback", sync_to_thread=True)
    def take_answer(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """Take what the peer answered, once, from who went there."""
        return doing.take_answer(request, tenant_id)

    @get(_ONE, sync_to_thread=True)
    def read(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        done: FromQuery[str] = "",
    ) -> Response[str]:
        """One connection: whether it works, how old its credentials are, and what can be done."""
        return show_one(request, tenant_id, system_id, done=done)

    @post(_ONE, sync_to_thread=True)
    def rename(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Call it otherwise."""
        return doing.rename(request, tenant_id, system_id, form)

    @post(f"{_ONE}/authorization", sync_to_thread=True)
    def leave(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Begin a journey to the peer; the answer holds the way there."""
        return doing.leave(request, tenant_id, system_id, form)

    @post(f"{_ONE}/credentials", sync_to_thread=True)
    def change(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Lay new credentials beside those in use."""
        return doing.change(request, tenant_id, system_id, form)

    @post(f"{_ONE}/test", sync_to_thread=True)
    def test(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Have it tried out."""
        return doing.test(request, tenant_id, system_id, form)

    @get(f"{_ONE}/removal", sync_to_thread=True)
    def ask(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[str]:
        """Ask before it is taken away."""
        return show_removal(request, tenant_id, system_id)

    @post(f"{_ONE}/removal", sync_to_thread=True)
    def remove(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Take it away, with its credentials."""
        return doing.remove(request, tenant_id, system_id, form)


class ConnectionReturn(Controller):
    """Where peers send people back to: one address for all workspaces of a host, as it is registered there."""

    path = "/connections"
    opt = {"door": "signed_in"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/callback", sync_to_thread=True)
    def arrive(self, request: PageRequest) -> Response[str]:
        """Go on to the workspace that the answer is for."""
        answer = doing.answer_of(request)
        tenant_id = read_state(answer.get("state", "")).tenant_id
        return redirect(request, f"/t/{tenant_id}/connections/callback?{urlencode(answer)}")
