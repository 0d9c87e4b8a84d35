"""The HTML doors of many steps at once: first what would become of each, then, confirmed, what has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, cast, get_args
from uuid import UUID

from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import staff_rights
from app.onboarding.models import WorkItem
from app.onboarding.queries.waiting import list_waiting
from app.onboarding.queues.bulk import change_many
from app.onboarding.queues.pages import person_of, reader_of
from app.onboarding.queues.queries import find_lines
from app.onboarding.queues.schemas import Action, BulkLine, BulkResult, BulkWork, BulkWorkOut
from app.onboarding.queues.showing import Reader, path_of, value_of
from app.onboarding.sending import in_words
from app.web.begin import begin_work, runtime_of, site_of, trace_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page
from app.web.translations import mark
from tenants.tenant import Tenant

PageRequest = Request[Any, Any, Any]
_MOST = 100


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The form as it was sent: which steps, what for, and whether it was looked at before."""

    lines: list[BulkLine]
    action: Action
    person: str
    note: str
    confirmed: bool


class ManyPages(Controller):
    """Taking, handing over and reminding of many steps."""

    include_in_schema = False

    @post("/work/changes", opt={"door": "partner"}, status_code=200, sync_to_thread=True)
    def team(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Steps of all customers."""
        actor, chosen = visit_of(request).actor, _chosen(form)
        reader = reader_of(request, staff_rights(actor), "/work")
        keys = [(each.onboarding_id, each.key) for each in chosen.lines]
        rows = find_lines(runtime_of(request), actor, site_of(request).organisation_id, keys)
        return _answer(request, form, chosen, reader, rows)

    @post("/t/{tenant_id:uuid}/work/changes", opt={"door": "tenant"}, status_code=200, sync_to_thread=True)
    def workspace(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Steps of one workspace."""
        with begin_work(request, tenant_id) as work:
            require(work, Permission.TASK_COMPLETE)
            reader = reader_of(request, work.rights, f"/t/{tenant_id}/work")
            rows = [WorkItem(**line) for line in list_waiting(work)]
        return _answer(request, form, _chosen(form), reader, rows, within=visit_of(request).tenant)


def _chosen(form: Form) -> _Chosen:
    lines: list[BulkLine] = []
    for value in dict.fromkeys(form.every("step")):
        with suppress(ValueError):  # what no list of ours has offered is nothing chosen
            tenant, onboarding, key = value.split(" ", 2)
            lines.append(BulkLine(UUID(tenant), UUID(onboarding), key[:200]))
    word = form.first("action")
    action = cast("Action", word) if word in get_args(Action) else "claim"
    return _Chosen(lines, action, form.first("person"), form.first("note")[:500], form.first("confirmed") == "yes")


def _answer(  # whose list, and what of it was chosen
    request: PageRequest,
    form: Form,
    chosen: _Chosen,
    reader: Reader,
    rows: Iterable[WorkItem],
    *,
    within: Tenant | None = None,
) -> Response[str]:
    shown: dict[str, Any] = {"side": reader.side, "home": reader.home, "done": chosen.confirmed, "results": []}
    shown |= {"action": chosen.action, "person": chosen.person, "note": chosen.note, "errors": []}
    known = {value_of(row): row for row in rows}
    shown |= {"to": _name_of(chosen.person, known.values()), "command_key": new_command_key()}
    status = 200
    if 0 < len(chosen.lines) <= _MOST:
        done = _change(request, form, chosen, within)
        shown |= {"counts": done, "results": [_result(one, known, reader) for one in done.items]}
    else:
        sentence = mark("Choose one to a hundred steps in the list first.")
        shown |= {"done": False, "counts": None, "errors": [("", reader.say(sentence))]}
        status = 422
    return page(request, "onboarding/work/many.html", shown, status=status, nav=staff_nav(request))


def _change(request: PageRequest, form: Form, chosen: _Chosen, within: Tenant | None) -> BulkWorkOut:
    wish = BulkWork(chosen.action, chosen.lines, person_of(chosen.person), chosen.note, dry_run=not chosen.confirmed)
    runtime, actor = runtime_of(request), visit_of(request).actor
    return change_many(runtime, actor, wish, key=form.command_key, trace_id=trace_of(request), within=within)


def _result(one: BulkResult, known: dict[str, WorkItem], reader: Reader) -> dict[str, Any]:
    pick = f"{one.tenant_id} {one.onboarding_id} {one.key}"
    row = known.get(pick)
    return {
        "pick": pick,
        "title": reader.read(row.title) if row else one.key,
        "onboarding": row.name if row else "",
        "path": path_of(row, reader) if row else reader.home,
        "outcome": one.outcome,
        "detail": _said(one.detail, reader.say) if one.detail else "",
    }


def _said(sentence: str, say: Callable[[str], str]) -> str:
    own = say(sentence)
    return own if own != sentence else in_words(sentence, say)


def _name_of(person: str, rows: Iterable[WorkItem]) -> str:
    people = (each for row in rows for each in row.candidates)
    return next((str(each["name"]) for each in people if each["id"] == person), "")
