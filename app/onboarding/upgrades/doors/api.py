"""The JSON doors of upgrades: who runs what, ask, read, agree or decline, stop, take back."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response
from litestar.params import FromPath, RawBody

from app.kernel.commands import Result
from app.kernel.work import Work
from app.onboarding.upgrades import operations
from app.onboarding.upgrades.doors import described
from app.onboarding.upgrades.queries import read_template_line, read_upgrade, read_upgrades
from app.onboarding.upgrades.rules import Upgrade
from app.onboarding.upgrades.schemas import (
    Halt,
    RunningOut,
    RunsOut,
    UpgradeDecision,
    UpgradeHead,
    UpgradeList,
    UpgradeQuery,
    UpgradeWish,
    WayBack,
    head_of,
    upgrade_out,
)
from app.web.begin import begin_work, home_of, run_once, runtime_of, site_of, visit_of
from app.web.wire.answering import answer_done, answer_read, write
from app.web.wire.doors import commands, reads
from app.web.wire.reading import read_body, read_key, read_match, read_query

PageRequest = Request[Any, Any, Any]
UPGRADES = "/api/v1/upgrades"


class UpgradeDoors(Controller):
    """Upgrades of the partner whose host this is."""

    path = UPGRADES
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @reads("/", "upgrades.list", described.LIST)
    def list(self, request: PageRequest) -> Response[bytes]:
        """List the upgrades, the last first."""
        asked = read_query(request, UpgradeQuery)
        with begin_work(request, home_of(request).id) as work:
            found = read_upgrades(work, asked.template)
        return answer_read(request, write(UpgradeList([head_of(each) for each in found])))

    @reads("/running/{template:str}", "upgrades.running", described.RUNNING)
    def running(self, request: PageRequest, template: FromPath[str]) -> Response[bytes]:
        """Who runs which version of a template now, over all customers, as their lists say it."""
        actor, organisation_id = visit_of(request).actor, site_of(request).organisation_id
        found = read_template_line(runtime_of(request), actor, organisation_id, template)
        runs = [RunsOut(*(getattr(one, name) for name in RunsOut.__struct_fields__)) for one in found.running]
        published = [each.version for each in found.published]
        return answer_read(request, write(RunningOut(found.template_id, found.title, published, runs)))

    @reads("/{upgrade_id:uuid}", "upgrades.read", described.READ)
    def read(self, request: PageRequest, upgrade_id: FromPath[UUID]) -> Response[bytes]:
        """Read one with every onboarding: what the dry run showed, and what became of it."""
        with begin_work(request, home_of(request).id) as work:
            shown = upgrade_out(*read_upgrade(work, upgrade_id))
        return answer_done(write(shown), status=200, headers={"etag": f'"{shown.number}"'})

    @commands("/", "upgrades.create", described.CREATE, status=201)
    def create(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Ask for an upgrade: its dry run begins. Nothing is changed until another person has agreed to it."""
        read_key(request)  # before anything is looked for: without one, nothing happens however right the rest is
        wish, home = read_body(request, body, UpgradeWish), home_of(request)
        who = (runtime_of(request), visit_of(request).actor, home.organisation_id)
        chosen = operations.choose(*who, wish.to, wish.from_versions)
        told: dict[str, Any] = {"wanted": wish.map.of_engine(), "reason": wish.reason}
        return _once(request, wish, partial(operations.ask_for_upgrade, chosen=chosen, **told), status=201)

    @commands("/{upgrade_id:uuid}/decision", "upgrades.decide", described.DECIDE)
    def decide(self, request: PageRequest, upgrade_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Agree to exactly what the dry run showed, as another person, and it begins; or decline it with a reason."""
        said, versions = read_body(request, body, UpgradeDecision), read_match(request)
        word: dict[str, Any] = {"agreed": said.agreed, "seen": said.preview, "reason": said.reason}
        told = partial(operations.decide_upgrade, upgrade_id=upgrade_id, versions=versions, **word)
        return _once(request, said, told)

    @commands("/{upgrade_id:uuid}/halt", "upgrades.halt", described.HALT)
    def halt(self, request: PageRequest, upgrade_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Stop what is under way, or let it go on where it was stopped. What was done stays done."""
        said, versions = read_body(request, body, Halt), read_match(request)
        act = operations.stop_upgrade if said.stopped else operations.resume_upgrade
        return _once(request, said, partial(act, upgrade_id=upgrade_id, versions=versions))

    @commands("/{upgrade_id:uuid}/way-back", "upgrades.takeBack", described.BACK)
    def take_back(self, request: PageRequest, upgrade_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Let what went on go back to exactly the definition that it ran before: all of it, or one onboarding."""
        said, versions = read_body(request, body, WayBack), read_match(request)
        word: dict[str, Any] = {"reason": said.reason, "onboarding_id": said.onboarding_id}
        return _once(
            request, said, partial(operations.take_back_upgrade, upgrade_id=upgrade_id, versions=versions, **word)
        )


def _once(
    request: PageRequest, sent: msgspec.Struct, command: Callable[[Work], Upgrade], *, status: int = 200
) -> Response[bytes]:
    """Do it once for its `Idempotency-Key`; sent again, the same answer."""

    def perform(work: Work) -> Result:
        shown: Result = msgspec.to_builtins(head_of(command(work)))
        return shown

    body = [msgspec.to_builtins(sent), request.headers.get("if-match", "")]
    result, replayed = run_once(request, home_of(request).id, key=read_key(request), body=body, operation=perform)
    shown = msgspec.convert(result, UpgradeHead)
    headers = {"etag": f'"{shown.number}"'}
    if status == 201:  # noqa: PLR2004 - created: it has an address of its own
        headers["location"] = f"{UPGRADES}/{shown.id}"
    return answer_done(write(shown), status=status, headers=headers, replayed=replayed)
