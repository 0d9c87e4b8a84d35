"""The HTML doors of an integration on its way live: one page, and a form for each step."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.connectors.pillars.pages.showing import show
from app.connectors.pillars.pages.taking import take
from app.web.forms import Form

PageRequest = Request[Any, Any, Any]


class IntegrationPages(Controller):
    """How one connection goes live."""

    path = "/t/{tenant_id:uuid}/connections/{system_id:uuid}/integration"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def read(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], done: FromQuery[str] = ""
    ) -> Response[str]:
        """The steps by facts, what flows, the checks, the stages, its health and its connector's changes."""
        return show(request, tenant_id, system_id, done=done)

    @post("/begin", sync_to_thread=True)
    def begin(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Take a connection through the steps that was live without them."""
        return take(request, tenant_id, system_id, form, "begin")

    @post("/scope", sync_to_thread=True)
    def scope(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Confirm the map."""
        return take(request, tenant_id, system_id, form, "scope")

    @post("/risk", sync_to_thread=True)
    def risk(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Answer the checklist."""
        return take(request, tenant_id, system_id, form, "risk")

    @post("/acceptance", sync_to_thread=True)
    def accept(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Accept a risk that somebody else has assessed."""
        return take(request, tenant_id, system_id, form, "accept")

    @post("/consent", sync_to_thread=True)
    def consent(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Record the customer's consent."""
        return take(request, tenant_id, system_id, form, "consent")

    @post("/quality", sync_to_thread=True)
    def quality(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Record a sample of values."""
        return take(request, tenant_id, system_id, form, "quality")

    @post("/validation", sync_to_thread=True)
    def validate(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Have it validated."""
        return take(request, tenant_id, system_id, form, "validate")

    @post("/stage", sync_to_thread=True)
    def stage(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Let it out further, or take it back."""
        return take(request, tenant_id, system_id, form, "stage")

    @post("/rollback", sync_to_thread=True)
    def back(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Take the stage before."""
        return take(request, tenant_id, system_id, form, "back")
