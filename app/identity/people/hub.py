"""The ways to everything that governs who comes in: of a partner, and of one workspace. Only what the reader may do."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from app.access.decisions import can
from app.access.permissions import Permission
from app.kernel.work import Work
from app.web.begin import begin_work, home_of
from app.web.page.ways import staff_nav
from app.web.responses import page
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
Way = tuple[str, str, str, str, Permission]  # title, what it is for, path, icon, what it takes

PARTNER_WAYS: tuple[Way, ...] = (
    (mark("Staff"), mark("Who works here, and in which roles."), "/people", "users", Permission.TENANT_READ),
    (
        mark("Roles"),
        mark("What each role may do, and narrower ones of your own."),
        "/settings/roles",
        "shield-check",
        Permission.TENANT_READ,
    ),
    (
        mark("Access to customers"),
        mark("What your customers have agreed to, and what runs out soon."),
        "/delegations",
        "key",
        Permission.DELEGATION_REQUEST,
    ),
    (
        mark("Service accounts"),
        mark("Software that acts by itself, with scopes and keys."),
        "/service-accounts",
        "robot",
        Permission.TRAIL_READ,
    ),
    (
        mark("Single sign-on"),
        mark("Let your own provider sign your staff in."),
        "/settings/sso",
        "shield-lock",
        Permission.DIRECTORY_MANAGE,
    ),
    (
        mark("Directory"),
        mark("Let your directory say who works here (SCIM)."),
        "/settings/scim",
        "link",
        Permission.DIRECTORY_MANAGE,
    ),
    (
        mark("Webhooks"),
        mark("Tell your own systems at once what happens here."),
        "{home}/webhooks",
        "send",
        Permission.CONNECTION_READ,
    ),
    (mark("Trail"), mark("Who did what, when and why, with proof."), "{home}/trail", "history", Permission.TRAIL_READ),
)
WORKSPACE_WAYS: tuple[Way, ...] = (
    (mark("People"), mark("Who belongs to this workspace."), "{here}/people", "users", Permission.TENANT_READ),
    (
        mark("Who has access"),
        mark("What your partner may do here, until when, and how to end it."),
        "{here}/access",
        "key",
        Permission.TENANT_READ,
    ),
    (
        mark("Service accounts"),
        mark("Software that acts by itself, with scopes and keys."),
        "{here}/service-accounts",
        "robot",
        Permission.TRAIL_READ,
    ),
    (
        mark("Single sign-on"),
        mark("Let your own provider sign your people in."),
        "{here}/sso",
        "shield-lock",
        Permission.DIRECTORY_MANAGE,
    ),
    (
        mark("Directory"),
        mark("Let your directory say who belongs here (SCIM)."),
        "{here}/scim",
        "link",
        Permission.DIRECTORY_MANAGE,
    ),
    (
        mark("Webhooks"),
        mark("Tell your own systems at once what happens here."),
        "{here}/webhooks",
        "send",
        Permission.CONNECTION_READ,
    ),
    (mark("Trail"), mark("Who did what, when and why, with proof."), "{here}/trail", "history", Permission.TRAIL_READ),
)


class PartnerHub(Controller):
    """The partner's own settings."""

    path = "/settings"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """The ways that the reader's roles open."""
        home = home_of(request)
        with begin_work(request, home.id) as work:
            ways = _open_to(work, PARTNER_WAYS, home=f"/t/{home.id}")
        context = {"place": {"name": home.name, "path": "/"}, "ways": ways, "title": mark("Settings")}
        return page(request, "identity/people/hub.html", context, nav=staff_nav(request))


class WorkspaceHub(Controller):
    """A workspace's settings, for its own people and for staff whom it lets in."""

    path = "/t/{tenant_id:uuid}/settings"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """The ways that the reader's role opens."""
        with begin_work(request, tenant_id) as work:
            ways = _open_to(work, WORKSPACE_WAYS, here=f"/t/{tenant_id}")
            place = {"name": work.tenant.name, "path": f"/t/{tenant_id}"}
        context = {"place": place, "ways": ways, "title": mark("Workspace settings")}
        return page(request, "identity/people/hub.html", context, nav=staff_nav(request))


def _open_to(work: Work, ways: tuple[Way, ...], **places: str) -> list[dict[str, str]]:
    return [
        {"title": title, "means": means, "path": path.format(**places), "icon": icon}
        for title, means, path, icon, permission in ways
        if can(work.rights, permission)
    ]
