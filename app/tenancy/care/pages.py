"""The operator's page of jobs: what waits, runs, has failed or was set aside; retry and cancel in bulk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import AtWork, staff_rights
from app.kernel.errors import Invalid, SlipwayError
from app.kernel.queue.care.found import STATES, Wanted, count_groups
from app.tenancy.care.bulk import STATES_FOR, Act, Outcome, carry_out
from app.tenancy.care.showing import names_of, shown
from app.web.begin import runtime_of, site_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, told_of
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_NAMES = ("state", "kind", "tenant", "older")


class ChoiceUnreadable(Invalid):
    """What is asked for is nothing that jobs can be chosen by, or nothing that can be done to them."""


class JobPages(Controller):
    """For whoever operates the installation: on the operator's host, of all cells together."""

    path = "/operations/jobs"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """States by kind and workspace, and how long each queue waits; what fits the choice can be acted on."""
        _let_in(request)
        return _draw(request, {name: request.query_params.get(name, "") for name in _NAMES})

    @post("/", sync_to_thread=True)
    def act(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Retry or cancel all that fit the choice and can be: the page then says how each of them went."""
        _let_in(request)
        kept = {name: form.first(name) for name in _NAMES}
        try:
            act = _act(form.first("act"))
            outcome = carry_out(
                runtime_of(request), act, _wanted(kept, act), visit_of(request).actor, reason=form.first("reason")
            )
        except SlipwayError as refused:
            return _draw(request, kept, refused=refused, reason=form.first("reason"))
        return _draw(request, kept, outcome=outcome)


def _let_in(request: PageRequest) -> None:
    actor = visit_of(request).actor
    require(AtWork(staff_rights(actor), actor), Permission.FLEET_OPERATE)


def _act(said: str) -> Act:
    if said not in STATES_FOR:
        raise ChoiceUnreadable(mark("Choose whether to retry or to cancel."))
    return said


def _wanted(kept: dict[str, str], act: Act | None = None) -> Wanted:
    """Which jobs are meant. Raises ChoiceUnreadable."""
    states = [kept["state"]] if kept["state"] else list(STATES)
    try:
        tenant = UUID(kept["tenant"]) if kept["tenant"] else None
        older = float(int(kept["older"] or "0"))
    except ValueError as error:
        raise ChoiceUnreadable(_UNREADABLE) from error
    if not set(states) <= set(STATES) or not 0 <= older < 1e9:  # noqa: PLR2004 - thirty years, in seconds
        raise ChoiceUnreadable(_UNREADABLE)
    if act:
        states = [state for state in states if state in STATES_FOR[act]]
    return Wanted(states=states, kind=kept["kind"] or None, tenant_id=tenant, older=older)


def _draw(
    request: PageRequest,
    kept: dict[str, str],
    *,
    outcome: Outcome | None = None,
    refused: SlipwayError | None = None,
    reason: str = "",
) -> Response[str]:
    databases = runtime_of(request).databases
    wanted = _wanted(kept)
    everything = [group for cell in databases.cells for group in count_groups(databases, cell, Wanted())]
    chosen = [group for cell in databases.cells for group in count_groups(databases, cell, wanted)]
    names = names_of(databases, site_of(request).organisation_id, {group.tenant_id for group in chosen})
    context = shown(everything, chosen, names) | {
        "kept": kept,
        "narrowed": any(kept.values()),
        "outcome": outcome,
        "refused": told_of(request, refused)["detail"] if refused else "",
        "reason": reason,
        "command_key": new_command_key(),
    }
    return page(request, "tenancy/jobs.html", context, nav=staff_nav(request), status=422 if refused else 200)


_UNREADABLE = mark("That is no choice of jobs. Start again from the whole list.")
