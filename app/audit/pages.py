"""The HTML doors of a workspace's trail: what happened here, and whether it can be believed."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import UNSET, UnsetType

from app.audit.gate import EXPORT, KEEP, may
from app.audit.operations.keeping import change_keeping, publish_checkpoint, read_keeping
from app.audit.queries.search import fingerprint_of, search_trail
from app.audit.schemas import EntryOut, KeepingForm, TrailPage, TrailQuery
from app.audit.words import KINDS, sentence
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.web.begin import begin_work, run_form, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page, redirect
from app.web.translations import translations

PageRequest = Request[Any, Any, Any]
_DAY = timedelta(days=1)


class TrailPages(Controller):
    """The trail of one tenant, for the customer's people and the partner's staff; of a home, for its own."""

    path = "/t/{tenant_id:uuid}/trail"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[str]:
        """What happened, the newest first, as far as the filters say."""
        return draw(request, tenant_id)

    @post("/keeping", sync_to_thread=True)
    def keep(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Change how long personal values stay and whom checkpoints are mailed to."""

        def operation(work: Work) -> dict[str, object]:
            filled = form.fill(KeepingForm)
            change_keeping(work, filled)
            return {}

        return sent(request, tenant_id, form, operation)

    @post("/checkpoint", sync_to_thread=True)
    def publish(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Mail the newest checkpoint now."""

        def operation(work: Work) -> dict[str, object]:
            publish_checkpoint(work)
            return {}

        return sent(request, tenant_id, form, operation)


def draw(
    request: PageRequest, tenant_id: UUID, *, form: Form | None = None, error: SlipwayError | None = None
) -> Response[str]:
    """The page; with the settings as they were typed into `form`, and what is wrong with them."""
    filters = dict(request.query_params)
    with begin_work(request, tenant_id) as work:
        found, name = search_trail(work, asked(filters)), work.tenant.name
        keeping, takes = read_keeping(work) if may(work, KEEP) else None, may(work, EXPORT)
    context = view(request, found, filters) | {
        "keeping": keeping,
        "typed": form.typed if form else {},
        "errors": error.errors or [("", error.message)] if error else [],
        "tenant": {"name": name, "path": f"/t/{tenant_id}"},
        "files": f"/api/v1/tenants/{tenant_id}/trail/export" if takes else "",
    }
    return page(request, "audit/trail.html", context, status=error.status if error else 200, nav=staff_nav(request))


def sent(
    request: PageRequest, tenant_id: UUID, form: Form, operation: Callable[[Work], dict[str, object]]
) -> Response[str]:
    """Carry the form out once for its key; what can be mended is mended where it was typed."""
    try:
        run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
    except SlipwayError as error:
        if error.status not in {409, 422}:
            raise
        return draw(request, tenant_id, form=form, error=error)
    return redirect(request, f"/t/{tenant_id}/trail")


def view(request: PageRequest, found: TrailPage, typed: dict[str, str]) -> dict[str, Any]:
    """What of the page does not depend on whose trail it is."""
    return {
        "entries": [line(request, entry) for entry in found.items],
        "head": found.head,
        "fingerprint": fingerprint_of(found.head),
        "older": found.next or "",
        "first": bool(typed.get("after")),
        "kept": {name: typed.get(name, "") for name in ("person", "subject", "action", "since", "until")},
        "kinds": kinds(request),
        "command_key": new_command_key(),
        "publish_key": new_command_key(),
        "side": "partner" if visit_of(request).actor.roles else "customer",
    }


def asked(typed: dict[str, str]) -> TrailQuery:
    """The filters of the address; one that cannot be read is left out rather than refused: nobody typed it."""
    return TrailQuery(
        person=_read(UUID, typed.get("person")),
        subject=_read(UUID, typed.get("subject")),
        action=typed["action"] if typed.get("action") in KINDS else UNSET,
        since=_read(_start, typed.get("since")),
        until=_read(_end, typed.get("until")),
        cursor=typed.get("after") or UNSET,
    )


def line(request: PageRequest, entry: EntryOut) -> dict[str, Any]:
    """One entry as the page shows it: who, what in words, when, why, and what changed."""
    say = translations(locale_of(request).language).gettext
    before, after = entry.body.get("before"), entry.body.get("after")
    return {
        "id": entry.id,
        "at": entry.at,
        "who": {"name": entry.actor.name, "kind": entry.actor.kind, "id": entry.actor.id},
        "what": say(sentence(entry.action)),
        "action": entry.action,
        "subject": {"kind": entry.subject.kind, "id": entry.subject.id},
        "reason": entry.reason or "",
        "on_behalf_of": entry.on_behalf_of,
        "place": entry.place,
        "changes": changes(before if isinstance(before, dict) else {}, after if isinstance(after, dict) else {}),
    }


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, str]]:
    """What was and what is, for every field of either."""

    def shown(value: object) -> str:
        return "" if value is None else str(value)

    names = dict.fromkeys([*before, *after])
    return [{"field": name, "was": shown(before.get(name)), "now": shown(after.get(name))} for name in names]


def kinds(request: PageRequest) -> list[dict[str, str]]:
    """What the filter of kinds offers."""
    say = translations(locale_of(request).language).gettext
    return [{"id": kind, "label": say(words)} for kind, words in KINDS.items()]


def _start(day: str) -> str:
    return _midnight(date.fromisoformat(day))


def _end(day: str) -> str:
    return _midnight(date.fromisoformat(day) + _DAY)


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _read(read: Callable[[str], Any], given: str | None) -> Any | UnsetType:
    try:
        return read(given) if given else UNSET
    except (ValueError, OverflowError):
        return UNSET
