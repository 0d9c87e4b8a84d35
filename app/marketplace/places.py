"""What each door of the marketplace does first: who may come in, and the organisation's scope in `control`."""

from __future__ import annotations

from typing import Any

from litestar import Request

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.web.begin import runtime_of, site_of, visit_of
from tenants.sessions import partner_session

PageRequest = Request[Any, Any, Any]


def let_in(request: PageRequest, permission: Permission = Permission.TEMPLATE_READ) -> None:
    """Go on only for staff who may. Raises NotPermitted."""
    actor = visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), permission)


def may(request: PageRequest, permission: Permission) -> bool:
    """Whether the reader may do it in their home: for pages that show only what can be done."""
    return can(staff_rights(visit_of(request).actor), permission)


def scope(request: PageRequest) -> Any:
    """One transaction in `control`, as the organisation whose host this is."""
    organisation_id = site_of(request).organisation_id
    return partner_session(runtime_of(request).databases, organisation_id, actor=visit_of(request).actor.label)
