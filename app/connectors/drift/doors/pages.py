"""The HTML doors of drifts: what differs, what waits for it, and the form that decides."""

from __future__ import annotations

from typing import Any, Final, cast, get_args
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.decisions import can
from app.access.permissions import Permission
from app.connectors.drift.doors.wire import DriftOut, HeldOut, drifts_out
from app.connectors.drift.holding import count_waiting
from app.connectors.drift.operations import (
    MOST_LISTED,
    NothingOpen,
    SettlementUnexplained,
    ask_look,
    read_drifts,
    settle_drift,
)
from app.connectors.drift.rules import Answer
from app.connectors.kit.runner import Runner
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_DONE: Final = {
    "look": mark("Other systems are being asked. Load this page again in a moment to see what they say."),
    "settled": mark("It is decided. What waited for it goes on, or stands among the exceptions."),
}
_ANSWERS: Final = (
    ("theirs", mark("What they say holds")),
    ("ours", mark("What we say holds")),
    ("give_up", mark("Give up what waits")),
)


class UnknownAnswer(SettlementUnexplained):
    """A difference is decided by theirs, ours or giving up, by nothing else."""


class DriftPages(Controller):
    """Records that another system says something else of."""

    path = "/t/{tenant_id:uuid}/drifts"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID], done: FromQuery[str] = "") -> Response[str]:
        """All of them, those to decide first."""
        return _show(request, tenant_id, done=done)

    @post("/looks", sync_to_thread=True)
    def look(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Have other systems asked at once."""

        def operation(work: Work) -> dict[str, object]:
            ask_look(work)
            return {}

        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, f"/t/{tenant_id}/drifts?done=look")

    @post("/{drift_id:uuid}", sync_to_thread=True)
    def settle(
        self, request: PageRequest, tenant_id: FromPath[UUID], drift_id: FromPath[UUID], form: NamedDependency[Form]
    ) -> Response[str]:
        """Decide one; what is wrong is said beside its field."""

        def operation(work: Work) -> dict[str, object]:
            settle_drift(work, drift_id, answer=_answer(form), reason=form.first("reason"))
            return {}

        try:
            run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        except (SettlementUnexplained, NothingOpen) as error:
            return _show(request, tenant_id, wrong=(str(drift_id), form, error))
        return redirect(request, f"/t/{tenant_id}/drifts?done=settled")


def _answer(form: Form) -> Answer:
    if (said := form.first("answer")) in get_args(Answer):
        return cast("Answer", said)
    what = mark("Choose what holds.")
    raise UnknownAnswer(what, errors=[("/answer", what)])


def _show(
    request: PageRequest, tenant_id: UUID, *, done: str = "", wrong: tuple[str, Form, SlipwayError] | None = None
) -> Response[str]:
    with begin_work(request, tenant_id) as work:
        drifts, holds = read_drifts(work)
        out = drifts_out(drifts[:MOST_LISTED], holds, count_waiting(work.session, holds))
        titles = {key: each.title for key, each in work.service(Runner).registry.manifests().items()}
        name, may = work.tenant.name, can(work.rights, Permission.CONNECTION_WRITE)
    at, form, error = wrong or ("", None, None)
    said = [(place.strip("/"), sentence) for place, sentence in error.errors] if error else []
    context = {
        "tenant": {"name": name, "path": f"/t/{tenant_id}"},
        "path": f"/t/{tenant_id}/drifts",
        "open": [_shown(each, titles) for each in out.drifts if each.state == "open"],
        "settled": [_shown(each, titles) for each in out.drifts if each.state != "open"],
        "held": [_held(each, titles) for each in out.held],
        "answers": [{"id": key, "label": label} for key, label in _ANSWERS],
        "wrong": {"at": at, "errors": said or ([("answer", error.message)] if error else [])},
        "typed": {"answer": form.first("answer"), "reason": form.first("reason")} if form else {},
        "may_change": may,
        "command_key": new_command_key(),
    }
    status, notice = (error.status if error else 200), _DONE.get(done, "")
    return page(request, "connectors/drift/drifts.html", context, status=status, nav=staff_nav(request), notice=notice)


def _shown(drift: DriftOut, titles: dict[str, str]) -> dict[str, Any]:
    """A record as the page needs it."""
    return {
        "id": str(drift.id),
        "system": titles.get(drift.connector, drift.connector),
        "title": drift.title,
        "sold": drift.source == "sold",
        "waiting": drift.waiting,
        "seen_at": drift.seen_at,
        "differences": drift.differences,
    }


def _held(held: HeldOut, titles: dict[str, str]) -> dict[str, Any]:
    return {
        "system": titles.get(held.connector, held.connector),
        "onboarding": str(held.onboarding),
        "since": held.since,
        "waiting": held.waiting,
        "fields": held.fields,
    }
