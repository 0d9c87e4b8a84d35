"""The HTML doors of a connection's settings: how it is set, what it may do, its mappings, its versions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.connectors.kit.settings import LEVELS, SettingsUnfit
from app.connectors.settings.approving import NothingAsked, OwnWish, Wish
from app.connectors.settings.forms import LEVEL_WORDS, field_of, fields_of, mappings_of, typed_config
from app.connectors.settings.operations import (
    NothingSet,
    ReasonMissing,
    SettingsStale,
    SettingsView,
    approve_access,
    change_settings,
    get_settings,
    lift_pause,
    refuse_access,
    roll_back_settings,
)
from app.connectors.settings.versions import Version
from app.connectors.settings.wire import versions_out, wish_out
from app.kernel.work import Work
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
Errors = list[tuple[str, str]]
_DONE = {
    "changed": mark("Saved. What begins from now on goes by it."),
    "asked": mark("Nothing has changed yet: somebody else has to approve that it may do more."),
    "approved": mark("Approved. What begins from now on goes by it."),
    "refused": mark("It may not do more than before."),
    "back": mark("The earlier version is in use again."),
    "resumed": mark("It is called again from now on."),
}


class SettingsPages(Controller):
    """How one connection is set."""

    path = "/t/{tenant_id:uuid}/connections/{system_id:uuid}/settings"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], done: FromQuery[str] = ""
    ) -> Response[str]:
        """The form, and every version."""
        return _show(request, tenant_id, system_id, done=done)

    @post("/", sync_to_thread=True)
    def change(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Set it otherwise; what is wrong is said beside its field, with all that was typed."""
        with begin_work(request, tenant_id) as work:
            require(work, Permission.CONNECTION_WRITE)
            connector = get_settings(work, system_id).connector
        wanted, seen, reason = typed_config(connector, form), _number(form.first("seen")), form.first("reason")

        def operation(work: Work) -> dict[str, object]:
            return _told(change_settings(work, system_id, wanted, seen=seen, reason=reason))

        return _do(request, tenant_id, system_id, form, operation, done="changed")

    @post("/resumption", sync_to_thread=True)
    def resume(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Have it called again at once."""

        def operation(work: Work) -> dict[str, object]:
            lift_pause(work, system_id)
            return {}

        return _do(request, tenant_id, system_id, form, operation, done="resumed")

    @post("/rollback", sync_to_thread=True)
    def roll_back(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Take an earlier version again."""
        number = _number(form.first("version"))

        def operation(work: Work) -> dict[str, object]:
            return _told(roll_back_settings(work, system_id, number, reason=form.first("reason")))

        return _do(request, tenant_id, system_id, form, operation, done="back")

    @post("/approval", sync_to_thread=True)
    def approve(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Let it do what somebody else has asked for."""

        def operation(work: Work) -> dict[str, object]:
            return _told(approve_access(work, system_id))

        return _do(request, tenant_id, system_id, form, operation, done="approved")

    @post("/refusal", sync_to_thread=True)
    def refuse(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        system_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Refuse what somebody has asked for, or take it back."""

        def operation(work: Work) -> dict[str, object]:
            refuse_access(work, system_id, reason=form.first("reason"))
            return {}

        return _do(request, tenant_id, system_id, form, operation, done="refused")


def _told(made: Version | Wish) -> dict[str, object]:
    return {"version": made.number} if isinstance(made, Version) else {"asked": True}


def _do(
    request: PageRequest,
    tenant_id: UUID,
    connection_id: UUID,
    form: Form,
    operation: Callable[[Work], dict[str, object]],
    *,
    done: str,
) -> Response[str]:
    """Run it once; what can be mended is said on the page."""
    try:
        made = run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        done = "asked" if made.get("asked") else done
    except (SettingsUnfit, ReasonMissing) as error:
        errors = [(field_of(place), sentence) for place, sentence in error.errors] or [("level", error.message)]
        return _show(request, tenant_id, connection_id, typed=form.typed, errors=errors)
    except (NothingSet, SettingsStale, NothingAsked, OwnWish) as error:
        return _show(request, tenant_id, connection_id, typed=form.typed, errors=[("level", error.message)])
    return redirect(request, f"/t/{tenant_id}/connections/{connection_id}/settings?done={done}")


def _show(
    request: PageRequest,
    tenant_id: UUID,
    connection_id: UUID,
    *,
    typed: dict[str, Any] | None = None,
    errors: Errors | None = None,
    done: str = "",
) -> Response[str]:
    with begin_work(request, tenant_id) as work:
        view, name, me = get_settings(work, connection_id), work.tenant.name, str(work.actor.id)
        may = can(work.rights, Permission.CONNECTION_WRITE)
    context = _shown(view, typed, errors or []) | {
        "tenant": {"name": name, "path": f"/t/{tenant_id}"},
        "may_change": may,
        "own_wish": view.wish is not None and view.wish.by_id == me,
        "done": _DONE.get(done, ""),
        "action": f"/t/{tenant_id}/connections/{connection_id}/settings",
        "command_key": new_command_key(),
    }
    return page(request, "connectors/settings.html", context, status=422 if errors else 200, nav=staff_nav(request))


def _shown(view: SettingsView, typed: dict[str, Any] | None, errors: Errors) -> dict[str, Any]:
    """A connection's settings as plain values, or as they were typed."""
    standing = view.standing
    minutes = math.ceil(max(standing.seconds, standing.held) / 60)
    return {
        "connection": {
            "name": view.name,
            "system": view.connector.manifest.title,
            "version": view.config.version,
        },
        "standing": {"circuit": standing.circuit, "failures": standing.failures, "minutes": minutes},
        "level": (typed or {}).get("level") or view.level,
        "level_now": LEVEL_WORDS[view.level],
        "levels": [{"id": each, "label": LEVEL_WORDS[each]} for each in LEVELS],
        "fields": fields_of(view, typed),
        "mappings": mappings_of(view, typed),
        "reason": (typed or {}).get("reason", ""),
        "errors": errors,
        "mapping_wrong": any(name.startswith("map-") for name, _said in errors),
        "versions": versions_out(view.versions),
        "wish": wish_out(view.wish),
        "wish_level": LEVEL_WORDS[view.wish.level] if view.wish else "",
    }


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 9 else -1  # noqa: PLR2004  a million versions
