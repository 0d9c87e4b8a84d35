"""What the pages of hooks show: never a secret, a signature or a body; an address once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Request, Response

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.connectors.inbound.queries import Came, Source, get_source, list_deliveries, list_sources
from app.connectors.inbound.rules import MOST_AT_ONCE, OVERLAP
from app.kernel.outbound.world_clock import world_time
from app.kernel.work import Work
from app.web.begin import begin_work
from app.web.forms import new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
SHOWN: Final = 25  # deliveries of a list
_DONE: Final = {
    "secret": mark("The secret is set. Messages are checked with it from now on."),
    "again": mark("It is worked on again. Load this page again in a moment to see how it went."),
    "closed": mark("The address is closed: nothing comes in by it any more."),
}


def show_list(request: PageRequest, tenant_id: UUID) -> Response[str]:
    """Every connection that messages can come in by."""
    with begin_work(request, tenant_id) as work:
        hooks, place = [shown_hook(work, source) for source in list_sources(work)], place_of(work)
    return _page(request, "hooks", place | {"hooks": hooks})


def show_hook(
    request: PageRequest,
    tenant_id: UUID,
    hook_id: UUID,
    *,
    came: str = "",
    held: str = "",
    done: str = "",
    trouble: str = "",
    status: int = 200,
    **wrong: dict[str, Any],
) -> Response[str]:
    """One of them, with what came in. `wrong`: what was typed into the forms `address` or `secret`, with its mistakes.

    `trouble`: why a delivery is not worked on again.
    """
    with begin_work(request, tenant_id) as work:
        if wrong or trouble:
            require(work, Permission.CONNECTION_WRITE)
        source, may = get_source(work, hook_id), can(work.rights, Permission.CONNECTION_WRITE)
        hook, place = shown_hook(work, source), place_of(work)
        context = place | {
            "hook": hook,
            "may_change": may,
            "trouble": trouble,
            "held": _listed(work, hook_id, "held", held),
            "taken": _listed(work, hook_id, "came", came),
            "forms": _forms(hook, wrong) if may else None,
            "command_key": new_command_key(),
        }
    return _page(request, "hook", context, status=status, notice=_DONE.get(done, ""))


def show_address(request: PageRequest, tenant_id: UUID, hook_id: UUID, url: str) -> Response[str]:
    """A new address, this once; "" for a form that was sent before."""
    with begin_work(request, tenant_id) as work:
        context = place_of(work) | {"hook": shown_hook(work, get_source(work, hook_id)), "url": url}
    return _page(request, "address", context, status=201)


def show_closing(request: PageRequest, tenant_id: UUID, hook_id: UUID) -> Response[str]:
    """The question before a hook is closed."""
    with begin_work(request, tenant_id) as work:
        require(work, Permission.CONNECTION_WRITE)
        context = place_of(work) | {"hook": shown_hook(work, get_source(work, hook_id))}
    return _page(request, "closing", context | {"command_key": new_command_key()})


def shown_hook(work: Work, source: Source) -> dict[str, Any]:
    """A hook as plain data."""
    now, declared = work.database_now, source.webhooks.events
    return {
        "id": source.id,
        "name": source.name,
        "system": source.manifest.title,
        "state": source.state,
        "scheme": source.webhooks.scheme,
        "types": [{"name": name, "summary": told.summary} for name, told in sorted(declared.items())],
        "addresses": [msgspec.structs.asdict(each) for each in source.hook.open(now)],
        "secrets": [msgspec.structs.asdict(each) for each in source.hook.active(now)],
    }


def place_of(work: Work) -> dict[str, Any]:
    """Whose hooks these are, and where their pages lie."""
    tenant = work.tenant
    settings = "/settings" if tenant.kind == "home" else f"/t/{tenant.id}/settings"
    return {
        "place": {"name": tenant.name, "path": settings},
        "path": path_of(tenant.id),
        "connections": f"/t/{tenant.id}/connections",
    }


def path_of(tenant_id: UUID) -> str:
    """Where the list of a tenant's hooks is."""
    return f"/t/{tenant_id}/inbound"


def _listed(work: Work, hook_id: UUID, name: str, before: str) -> dict[str, Any]:
    """A page of what came in, or of what was held back."""
    seen = _id_of(before)
    found = list_deliveries(work, hook_id, held=name == "held", before=seen, limit=SHOWN + 1)
    older = str(found[SHOWN - 1].id) if len(found) > SHOWN else ""
    return {"name": name, "deliveries": _shown(found[:SHOWN]), "older": older, "later": seen is not None}


def _shown(found: Sequence[Came]) -> list[dict[str, Any]]:
    now = world_time()
    return [
        {
            **{name: getattr(came.delivery, name) for name in ("at", "state", "reason", "said", "size", "asked")},
            "id": came.id,
            "headers": came.delivery.headers,
            "messages": [msgspec.structs.asdict(each) for each in came.delivery.messages],
            "replayable": came.delivery.can_be_replayed(now),
        }
        for came in found
    ]


def _forms(hook: dict[str, Any], wrong: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The forms of a hook's page, those that were wrong with what was typed."""
    usual: dict[str, Any] = {"typed": OVERLAP, "errors": []}
    return {
        "address": usual | {"room": len(hook["addresses"]) < MOST_AT_ONCE} | wrong.get("address", {}),
        "secret": usual | {"room": len(hook["secrets"]) < MOST_AT_ONCE} | wrong.get("secret", {}),
    }


def _id_of(before: str) -> UUID | None:
    """The delivery of a query; what is none asks for the first page."""
    try:
        return UUID(before) if before else None
    except ValueError:
        return None


def _page(
    request: PageRequest, name: str, context: dict[str, Any], *, status: int = 200, notice: str = ""
) -> Response[str]:
    nav = staff_nav(request)
    return page(request, f"connectors/inbound/{name}.html", context, status=status, nav=nav, notice=notice)
