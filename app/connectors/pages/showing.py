"""What the pages of connections show: never a secret, only that it is there, since when and by when to change it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from litestar import Request, Response

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.connectors.auth.schemes import AuthorizationCode, is_by_token
from app.connectors.connecting.ageing import due_dates
from app.connectors.connecting.care import ConnectionDetail, get_detail
from app.connectors.connecting.journeys import CALLBACK
from app.connectors.kit.manifest import Manifest
from app.connectors.operations import list_connections
from app.connectors.pages.offering import FIELD, FIELDS, fields_of, manifests_of, offer
from app.kernel.work import Work
from app.web.begin import begin_work, front_of, site_of
from app.web.forms import new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
Errors = list[tuple[str, str]]
_DONE: Final = {
    "renamed": mark("Saved."),
    "changed": mark("The new credentials are being tried out. Those in use stay until the new ones have worked."),
    "removed": mark("The connection is removed, and its credentials are destroyed."),
}


def show_list(
    request: PageRequest,
    tenant_id: UUID,
    *,
    typed: dict[str, Any] | None = None,
    errors: Errors | None = None,
    status: int = 200,
    done: str = "",
) -> Response[str]:
    """What is connected, and a form for each connector that is not; `typed` is what was typed there, and wrong."""
    with begin_work(request, tenant_id) as work:
        connected, place = list_connections(work), _place(work)
    manifests = manifests_of(request)
    taken = {connection["connector"] for connection in connected}
    context = place | {
        "connections": [connection | {"system": title_of(manifests, connection)} for connection in connected],
        "offers": [offer(manifest) for key, manifest in manifests.items() if key not in taken],
        "typed": {"connector": "", "name": "", "way": "", **(typed or {})},
        "errors": errors or [],
        "callback": callback_of(request),
        "command_key": new_command_key(),
    }
    return _page(request, "connections", context, status=status, done=done)


def show_one(
    request: PageRequest,
    tenant_id: UUID,
    connection_id: UUID,
    *,
    wrong: dict[str, Any] | None = None,
    status: int = 200,
    done: str = "",
) -> Response[str]:
    """One connection. `wrong`: what was typed into a form of its page, with its mistakes."""
    with begin_work(request, tenant_id) as work:
        detail, place, now = get_detail(work, connection_id), _place(work), work.now
        may = can(work.rights, Permission.CONNECTION_WRITE)
    manifest = manifests_of(request).get(detail.connector)
    context = place | {
        "connection": shown(detail, manifest, now),
        "may_change": may and manifest is not None,
        "fields": fields_of(manifest, manifest.way(detail.auth), required=False) if manifest else [],
        "typed": {"name": detail.name, **{FIELD + name: text for name, text in detail.auth.items()}, **(wrong or {})},
        "errors": (wrong or {}).get("errors", []),
        "open": (wrong or {}).get("open", ""),
        "callback": callback_of(request),
        "command_key": new_command_key(),
    }
    return _page(request, "connection", context, status=status, done=done)


def show_departure(
    request: PageRequest, tenant_id: UUID, detail: ConnectionDetail, manifest: Manifest, url: str
) -> Response[str]:
    """What the peer will be asked for, and the way there: a link, for no form of ours leads to another host."""
    with begin_work(request, tenant_id) as work:
        place, now = _place(work), work.now
    scheme = manifest.way(detail.auth)
    scopes = scheme.scopes if isinstance(scheme, AuthorizationCode) else ()
    context = place | {"connection": shown(detail, manifest, now), "url": url, "scopes": scopes}
    return _page(request, "departure", context)


def show_removal(request: PageRequest, tenant_id: UUID, connection_id: UUID) -> Response[str]:
    """What taking it away means, and the form that does it."""
    with begin_work(request, tenant_id) as work:
        require(work, Permission.CONNECTION_WRITE)
        detail, place, now = get_detail(work, connection_id), _place(work), work.now
    manifest = manifests_of(request).get(detail.connector)
    context = place | {"connection": shown(detail, manifest, now), "command_key": new_command_key()}
    return _page(request, "removal", context)


def shown(detail: ConnectionDetail, manifest: Manifest | None, now: datetime) -> dict[str, Any]:
    """A connection as its pages need it."""
    scheme = manifest.way(detail.auth) if manifest else None
    due = due_dates(manifest, detail.secrets) if manifest else {}
    slots = manifest.secrets if manifest else {}
    check, journey = detail.check, detail.journey
    return {
        "id": str(detail.id),
        "name": detail.name,
        "system": manifest.title if manifest else detail.connector,
        "state": detail.state,
        "way": scheme.label if scheme else {},
        "fields": [(FIELDS[name][0], text) for name, text in detail.auth.items() if name in FIELDS],
        "asks_there": isinstance(scheme, AuthorizationCode),
        "by_token": scheme is not None and is_by_token(scheme),
        "renewed_at": detail.token.renewed_at,
        "refused": detail.token.said if detail.state == "reconnect" else "",
        "check": {"under_way": check.under_way, "works": check.works, "said": check.said, "trial": check.trial}
        | {"at": _time(check.at), "worked_at": _time(check.worked_at)},
        "journey": {"step": journey.step, "said": journey.said} if journey else None,
        "secrets": [
            {"label": slots[name].label, "at": kept.at, "due": due.get(name), "old": name in due and due[name] <= now}
            for name, kept in sorted(detail.secrets.items())
            if name in slots
        ],
    }


def title_of(manifests: dict[str, Manifest], connection: dict[str, Any]) -> str:
    """How the connected system is called; the connection's own name where its connector is no longer installed."""
    manifest = manifests.get(connection["connector"])
    return manifest.title if manifest else str(connection["name"])


def callback_of(request: PageRequest) -> str:
    """Where peers send people back to, on the host of this very site."""
    return front_of(request).url(site_of(request).host, CALLBACK)


def _place(work: Work) -> dict[str, Any]:
    path = f"/t/{work.tenant.id}"
    return {"tenant": {"name": work.tenant.name, "path": path}, "path": f"{path}/connections"}


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _page(
    request: PageRequest, name: str, context: dict[str, Any], *, status: int = 200, done: str = ""
) -> Response[str]:
    nav, notice = staff_nav(request), _DONE.get(done, "")
    return page(request, f"connectors/{name}.html", context, status=status, nav=nav, notice=notice)
