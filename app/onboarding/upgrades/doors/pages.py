"""The HTML doors of upgrades: who runs which version, a dry run, the second person, stop, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.rights import staff_rights
from app.flow.events import MigrationMap
from app.kernel.errors import Conflict, Invalid, SlipwayError
from app.kernel.work import Work
from app.onboarding.migration.operations import read_map
from app.onboarding.sending import in_words
from app.onboarding.upgrades import operations
from app.onboarding.upgrades.doors.showing import Reader, line_page, upgrade_line, upgrade_page
from app.onboarding.upgrades.queries import count_lines, read_template_line, read_upgrade, read_upgrades
from app.onboarding.upgrades.rules import Upgrade
from app.web.begin import begin_work, home_of, run_form, runtime_of, visit_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import fragment, locale_of, page, redirect
from app.web.translations import mark, translations

PageRequest = Request[Any, Any, Any]
_GIVEN = ("to", "from", "map", "reason")


class OnboardingUnfit(Invalid):
    """What is to name one onboarding names none; it must not stand for all of them."""


class UpgradePages(Controller):
    """Upgrades of the partner whose host this is."""

    path = "/upgrades"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, template: FromQuery[str] = "") -> Response[str]:
        """The upgrades, and what runs; of one template its versions, who runs each, and a new upgrade."""
        return _line(request, template, {}) if template else _list(request)

    @post("/", sync_to_thread=True)
    def ask(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Begin a dry run."""
        given = {name: form.first(name) for name in _GIVEN} | {"from": "\n".join(form.every("from"))}
        home, template = home_of(request), form.first("template")
        try:
            who = (runtime_of(request), visit_of(request).actor, home.organisation_id)
            chosen = operations.choose(*who, given["to"], form.every("from"))
            wanted = read_map(given["map"]) if given["map"].strip() else MigrationMap()
            told: dict[str, Any] = {"wanted": wanted, "reason": given["reason"]}
            made = _run(request, form, partial(operations.ask_for_upgrade, chosen=chosen, **told))
        except (Conflict, Invalid) as error:
            return _line(request, template, given, error)
        return redirect(request, f"/upgrades/{made}")

    @get("/{upgrade_id:uuid}", sync_to_thread=True)
    def look(
        self, request: PageRequest, upgrade_id: FromPath[UUID], word: FromQuery[str] = "", after: FromQuery[int] = 0
    ) -> Response[str]:
        """One upgrade: how far it is, what it shows, what became of each onboarding."""
        return _one(request, upgrade_id, word=word, after=max(after, 0))

    @get("/{upgrade_id:uuid}/progress", sync_to_thread=True)
    def progress(self, request: PageRequest, upgrade_id: FromPath[UUID]) -> Response[str]:
        """What has changed meanwhile, for the page that is open; it asks as long as jobs are at it."""
        return fragment(request, "onboarding/upgrades/_live.html", _shown(request, upgrade_id))

    @post("/{upgrade_id:uuid}/decision", sync_to_thread=True)
    def decide(self, request: PageRequest, upgrade_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Agree to what the dry run shows, or decline it."""
        word: dict[str, Any] = {"agreed": form.first("decision") == "agree", "seen": form.first("preview")}
        act = partial(operations.decide_upgrade, reason=form.first("reason"), **word)
        return _do(request, upgrade_id, form, act)

    @post("/{upgrade_id:uuid}/halt", sync_to_thread=True)
    def halt(self, request: PageRequest, upgrade_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Stop it, or let it go on."""
        act = operations.stop_upgrade if form.first("decision") == "stop" else operations.resume_upgrade
        return _do(request, upgrade_id, form, act)

    @post("/{upgrade_id:uuid}/way-back", sync_to_thread=True)
    def take_back(self, request: PageRequest, upgrade_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Take it back: all of it, or one onboarding."""
        act = partial(_take_back, one="".join(form.every("onboarding")), reason=form.first("reason"))
        return _do(request, upgrade_id, form, act)


def _take_back(work: Work, *, one: str, **said: Any) -> Upgrade:
    """All of it only where none is named. Raises OnboardingUnfit, and what taking back raises."""
    try:
        onboarding_id = UUID(one) if one else None
    except ValueError:
        raise OnboardingUnfit(mark("This cannot be used.")) from None
    return operations.take_back_upgrade(work, onboarding_id=onboarding_id, **said)


def _do(request: PageRequest, upgrade_id: UUID, form: Form, act: Callable[..., Upgrade]) -> Response[str]:
    versions = frozenset({f'"{form.first("number")}"'})
    try:
        _run(request, form, partial(act, upgrade_id=upgrade_id, versions=versions))
    except (Conflict, Invalid) as error:
        return _one(request, upgrade_id, error=error, given={"reason": form.first("reason")})
    return redirect(request, f"/upgrades/{upgrade_id}")


def _run(request: PageRequest, form: Form, command: Callable[[Work], Upgrade]) -> str:
    def once(work: Work) -> dict[str, object]:
        return {"id": str(command(work).id)}

    home = home_of(request)
    return str(run_form(request, home.id, key=form.command_key, body=form.typed, operation=once)["id"])


def _reader(request: PageRequest) -> Reader:
    actor, language = visit_of(request).actor, locale_of(request).language
    may_write = can(staff_rights(actor), Permission.ONBOARDING_WRITE)
    return Reader(actor.id, translations(language).gettext, language, may_write)


def _list(request: PageRequest) -> Response[str]:
    home, reader = home_of(request), _reader(request)
    with begin_work(request, home.id) as work:
        upgrades = read_upgrades(work)
    lines = count_lines(runtime_of(request), visit_of(request).actor, home.organisation_id)
    context = {"upgrades": [upgrade_line(each, reader) for each in upgrades], "lines": lines}
    return page(request, "onboarding/upgrades/list.html", context, nav=staff_nav(request))


def _line(
    request: PageRequest, template: str, given: dict[str, str], error: SlipwayError | None = None
) -> Response[str]:
    home, reader = home_of(request), _reader(request)
    with begin_work(request, home.id) as work:
        upgrades = read_upgrades(work, template)
    found = read_template_line(runtime_of(request), visit_of(request).actor, home.organisation_id, template)
    context = line_page(found, upgrades, reader) | {"given": given, "command_key": new_command_key()}
    context |= {"errors": _errors(error, reader)}
    status = error.status if error else 200
    return page(request, "onboarding/upgrades/line.html", context, status=status, nav=staff_nav(request))


def _one(  # what is shown of it, and what was sent back
    request: PageRequest,
    upgrade_id: UUID,
    *,
    word: str = "",
    after: int = 0,
    error: SlipwayError | None = None,
    given: dict[str, str] | None = None,
) -> Response[str]:
    context = _shown(request, upgrade_id, word=word, after=after)
    context |= {"errors": _errors(error, _reader(request)), "given": given or {}}
    status = error.status if error else 200
    return page(request, "onboarding/upgrades/one.html", context, status=status, nav=staff_nav(request))


def _shown(request: PageRequest, upgrade_id: UUID, *, word: str = "", after: int = 0) -> dict[str, Any]:
    with begin_work(request, home_of(request).id) as work:
        upgrade, parts = read_upgrade(work, upgrade_id)
    shown = upgrade_page(upgrade, parts, _reader(request), word=word, after=after)
    follows = upgrade.is_under_way and not (word or after)
    return shown | {"command_key": new_command_key(), "errors": [], "given": {}, "follows": follows}


def _errors(error: SlipwayError | None, reader: Reader) -> list[tuple[str, str]]:
    if error is None:
        return []
    own = reader.say(error.message)
    return [("reason", own if own != error.message else in_words(error.message, reader.say))]
