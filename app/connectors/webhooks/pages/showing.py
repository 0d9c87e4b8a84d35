"""What the pages of webhooks show. Who may only read sees an endpoint's host: its path may be a secret."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.connectors.webhooks.operations.care import MOST_REPEATED
from app.connectors.webhooks.operations.customers import names_of
from app.connectors.webhooks.operations.endpoints import version_tag
from app.connectors.webhooks.operations.keys import OVERLAP
from app.connectors.webhooks.pages.choosing import chosen_of, offers
from app.connectors.webhooks.pages.wording import shown_delivery, shown_endpoint, shown_in_list, shown_trouble
from app.connectors.webhooks.queries import Sent, get_endpoint, list_deliveries, list_endpoints, wished_for
from app.connectors.webhooks.rules import MOST_ENDPOINTS, MOST_KEYS, Endpoint
from app.kernel.work import Work
from app.web.begin import begin_work, runtime_of
from app.web.forms import new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
Errors = list[tuple[str, str]]
SHOWN: Final = 50  # deliveries on a page
_DONE: Final = {
    "changed": mark("Saved."),
    "verified": mark("The address is verified. From now on it hears what it is to hear."),
    "verification": mark("Another code is on its way."),
    "test": mark("A test is on its way. Load this page again in a moment to see how it went."),
    "again": mark("It is sent again. Load this page again in a moment to see how it went."),
    "repetition": mark("What was missed is sent again, the oldest first."),
    "enablement": mark("The endpoint hears events again."),
    "disablement": mark("The endpoint is disabled: nothing is sent to it."),
    "removal": mark("The endpoint is removed."),
}


def show_list(
    request: PageRequest,
    tenant_id: UUID,
    *,
    typed: dict[str, Any] | None = None,
    errors: Errors | None = None,
    unknown: Sequence[str] = (),
    status: int = 200,
    done: str = "",
) -> Response[str]:
    """Every endpoint, and the form for one more; `typed` is what was typed there, and wrong."""
    with begin_work(request, tenant_id) as work:
        if typed is not None:
            _require_hearing(work)
        found, may, place = list_endpoints(work), _may_hear(work), place_of(work)
    filled = typed or {"url": "", "description": "", "hears": "everything", "types": [], "names": ""}
    form = {"typed": filled, "errors": errors or [], "unknown": list(unknown), "offers": offers(filled["types"])}
    context = place | {
        "endpoints": [shown_in_list(each) for each in found],
        "may_change": may,
        "room": len(found) < MOST_ENDPOINTS,
        "form": form if may else None,
        "command_key": new_command_key(),
    }
    return _page(request, "endpoints", context, status=status, done=done)


def show_endpoint(
    request: PageRequest,
    tenant_id: UUID,
    endpoint_id: UUID,
    *,
    before: str = "",
    done: str = "",
    status: int = 200,
    **wrong: dict[str, Any],
) -> Response[str]:
    """One endpoint. `wrong`: what was typed into the forms `change`, `code` or `rotate`, with its mistakes."""
    seen = _event_of(before)
    with begin_work(request, tenant_id) as work:
        if wrong:
            require(work, Permission.CONNECTION_WRITE)
        if "change" in wrong:
            _require_hearing(work)
        endpoint, may, hears = get_endpoint(work, endpoint_id), _may_change(work), _may_hear(work)
        sent = list_deliveries(work, endpoint_id, before=seen, limit=SHOWN + 1)
        lost = count_missed(work, endpoint_id) if may and endpoint.state == "disabled" else None
        now, place = work.database_now, place_of(work)
        organisation_id = work.tenant.organisation_id
    names = names_of(runtime_of(request), organisation_id, sent)
    context = place | {
        "endpoint": shown_endpoint(endpoint, now, may=may),
        "trouble": shown_trouble(endpoint, now),
        "may_change": may,
        "missed": lost,
        "now": now,
        "sent": _sent(sent, now, seen, names),
        "command_key": new_command_key(),
        "forms": _forms(endpoint, now, wrong) | {"may_hear": hears} if may else None,
    }
    return _page(request, "endpoint", context, status=status, done=done)


def show_secret(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, secret: str, *, fresh: bool) -> Response[str]:
    """The secret of a new key, this once; "" for a form that was sent before. `fresh`: the endpoint is new, too."""
    with begin_work(request, tenant_id) as work:
        endpoint, place, now = get_endpoint(work, endpoint_id), place_of(work), work.database_now
    context = place | {
        "endpoint": shown_endpoint(endpoint, now, may=True),
        "secret": secret,
        "public": endpoint.keys[-1].public,
        "fresh": fresh,
    }
    return _page(request, "secret", context, status=201)


def show_question(request: PageRequest, tenant_id: UUID, endpoint_id: UUID, step: str, verb: str) -> Response[str]:
    """What would be done, and the form that does it."""
    with begin_work(request, tenant_id) as work:
        require(work, Permission.CONNECTION_WRITE)
        endpoint, place, now = get_endpoint(work, endpoint_id), place_of(work), work.database_now
        lost = count_missed(work, endpoint_id) if verb == "repeat" else None
    context = place | {
        "endpoint": shown_endpoint(endpoint, now, may=True),
        "step": verb,
        "missed": lost,
        "action": f"{place['path']}/{endpoint_id}/{step}",
        "command_key": new_command_key(),
    }
    return _page(request, "confirm", context)


def place_of(work: Work) -> dict[str, Any]:
    """Whose webhooks these are, and where their pages lie."""
    tenant = work.tenant
    home = tenant.kind == "home"
    return {
        "place": {"name": tenant.name, "path": "/settings" if home else f"/t/{tenant.id}/settings", "home": home},
        "path": path_of(tenant.id),
        "connections": f"/t/{tenant.id}/connections",
    }


def path_of(tenant_id: UUID) -> str:
    """Where the list of a tenant's endpoints is."""
    return f"/t/{tenant_id}/webhooks"


def count_missed(work: Work, endpoint_id: UUID) -> int:
    """How many deliveries would be sent again. Raises NotPermitted, EndpointUnknown."""
    return sum(1 for _each in islice(wished_for(work, endpoint_id), MOST_REPEATED))


def _forms(endpoint: Endpoint, now: datetime, wrong: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The forms of an endpoint's page, those that were wrong with what was typed."""
    change: dict[str, Any] = {"typed": chosen_of(endpoint), "errors": [], "unknown": [], "open": False} | wrong.get(
        "change", {}
    )
    return {
        "change": change | {"offers": offers(change["typed"]["types"]), "seen": version_tag(endpoint)},
        "code": {"typed": "", "errors": []} | wrong.get("code", {}),
        "rotate": {"typed": OVERLAP, "errors": []} | wrong.get("rotate", {}),
        "room": len(endpoint.signing(now)) < MOST_KEYS,
    }


def _sent(found: list[Sent], now: datetime, seen: UUID | None, names: dict[UUID, str]) -> dict[str, Any]:
    """A page of deliveries, the newest first, with how many there are of each state."""
    shown = found[:SHOWN]
    return {
        "deliveries": [shown_delivery(each, now, names) for each in shown],
        "counts": Counter(each.delivery.state for each in shown),
        "older": str(shown[-1].event_id) if len(found) > SHOWN else "",
        "later": seen is not None,
    }


def _event_of(before: str) -> UUID | None:
    """The event of a query; one that is none asks for the first page."""
    try:
        return UUID(before) if before else None
    except ValueError:
        return None


def _may_change(work: Work) -> bool:
    return can(work.rights, Permission.CONNECTION_WRITE)


def _may_hear(work: Work) -> bool:
    """Who has an address hear of everything must be allowed to read it in the trail."""
    return _may_change(work) and can(work.rights, Permission.TRAIL_READ)


def _require_hearing(work: Work) -> None:
    require(work, Permission.CONNECTION_WRITE)
    require(work, Permission.TRAIL_READ)


def _page(
    request: PageRequest, name: str, context: dict[str, Any], *, status: int = 200, done: str = ""
) -> Response[str]:
    nav, notice = staff_nav(request), _DONE.get(done, "")
    return page(request, f"connectors/webhooks/{name}.html", context, status=status, nav=nav, notice=notice)
