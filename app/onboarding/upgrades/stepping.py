"""One step of an upgrade in one workspace: what the home's job for it does. At least once, done once, stoppable.

Flow "upgrade" (decision 19): the home's document is the authority; each workspace is met in transactions of its own;
what it met is written down in the home before the next is met. Killed anywhere it is asked for again, and what was
done answers as it did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
import structlog

from app.access.queries.absent import find_staff
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, LeaseLost
from app.kernel.work import Work, open_work
from app.onboarding.migration.versions import Target
from app.onboarding.upgrades import rules
from app.onboarding.upgrades.events import UpgradeEnded, UpgradeLooked
from app.onboarding.upgrades.records import find_part, find_upgrade, keep_part, keep_upgrade, list_parts
from app.onboarding.upgrades.rules import Line, Part, Upgrade, Who, count_words, preview_of
from app.onboarding.upgrades.tenant.carrying import Carrier
from app.onboarding.upgrades.tenant.looking import look_at, word_of
from app.onboarding.upgrades.tenant.targets import Targets, targets_for
from app.templates.operations import effective_document
from app.web.translations import mark
from tenants.registry import find_tenant
from tenants.sessions import DatabaseAway, lookup_session
from tenants.tenant import Tenant

log = structlog.get_logger()
WRITES = 100  # of one job at most, on its way through a workspace


def step_on(run: JobRun, upgrade_id: UUID, tenant_id: UUID, step: str) -> Outcome:
    """Meet each onboarding of the workspace that the step has not met yet; write down what became of them."""
    with run.work() as home:
        upgrade, part = find_upgrade(home.session, upgrade_id), find_part(home.session, upgrade_id, tenant_id)
    if upgrade.state != step or not upgrade.is_under_way:
        return Done()  # stopped, or over: whoever lets it go on asks anew
    step_here = _Step(run, upgrade, part)
    met = step_here.meet()
    if step_here.surprise is not None:
        with run.work() as home:
            write_down(home, upgrade, met)
        raise step_here.surprise  # the queue tries again what is left
    with run.finish() as home:
        write_down(home, upgrade, met)
    return Done()


def give_up(work: Work, args: dict[str, Any], reason: str) -> None:
    """A job came to no end: its onboardings say so, and the others go on."""
    upgrade_id, tenant_id = UUID(str(args["upgrade_id"])), UUID(str(args["tenant_id"]))
    upgrade, part = find_upgrade(work.session, upgrade_id, lock=True), find_part(work.session, upgrade_id, tenant_id)
    if upgrade.state == args["step"]:
        lines = [_failed(upgrade, line, reason) if upgrade.needs(line) else line for line in part.lines]
        write_down(work, upgrade, msgspec.structs.replace(part, lines=tuple(lines)))


def write_down(home: Work, begun: Upgrade, met: Part) -> None:
    """What a workspace met; the last of them ends the step. What another job has written meanwhile stays."""
    upgrade, lines = _join(home, begun, met)
    if upgrade.state == "taken_back" and not rules.are_home(lines):  # one went on behind the back of the way back
        keep_upgrade(home, msgspec.structs.replace(upgrade, state="applied", number=upgrade.number + 1))
    if upgrade.state != begun.state:
        return
    if any(upgrade.needs(line) for line in lines):
        return  # it was stopped on the way
    left = tuple(each for each in upgrade.left if each != met.tenant)
    upgrade = msgspec.structs.replace(upgrade, left=left)
    keep_upgrade(home, upgrade if left else _end(home, upgrade))


def _join(home: Work, begun: Upgrade, met: Part) -> tuple[Upgrade, tuple[Line, ...]]:
    """The upgrade as it is by now, locked, and the lines of the workspace with what was met."""
    upgrade = find_upgrade(home.session, begun.id, lock=True)
    known = find_part(home.session, upgrade.id, met.tenant)
    lines = tuple(rules.joined(begun, old, new) for old, new in zip(known.lines, met.lines, strict=True))
    if lines != known.lines:
        keep_part(home, upgrade.id, msgspec.structs.replace(known, lines=lines))
    return upgrade, lines


def _end(home: Work, upgrade: Upgrade) -> Upgrade:
    parts, step = list_parts(home.session, upgrade.id), upgrade.state
    about: dict[str, Any] = {"subject_id": upgrade.id, "template": upgrade.template, "version": upgrade.version}
    counts, preview = count_words(parts, step), upgrade.preview
    if step == "looking":
        preview = preview_of(parts)
        home.record(UpgradeLooked(preview=preview, counts=counts, **about))
    else:
        home.record(UpgradeEnded(step=step, counts=counts, **about))
    after, number = rules.after_step(upgrade, parts), upgrade.number + 1
    ended = msgspec.structs.replace(upgrade, state=after, number=number, preview=preview, stopped=after == "applying")
    left = tuple(part.tenant for part in parts if any(ended.needs(line) for line in part.lines))
    return msgspec.structs.replace(ended, left=left)


def target_of(run: JobRun, upgrade: Upgrade) -> Target:
    """The version with the overlay that was upon it when the upgrade was asked for: the same content, by address."""
    found = effective_document(
        run.runtime, run.tenant.organisation_id, template_digest=upgrade.to, overlay_digest=upgrade.overlay
    )
    return Target(upgrade.to, found)


class _Step:
    """One workspace in one step."""

    def __init__(self, run: JobRun, upgrade: Upgrade, part: Part) -> None:
        self.run, self.upgrade, self.part = run, upgrade, part
        self.target = target_of(run, upgrade)
        self.surprise: Exception | None = None
        self.unwritten = 0
        with lookup_session(run.runtime.databases) as (session, _now):
            self.tenant = find_tenant(session, part.tenant)

    def meet(self) -> Part:
        """The part with what its onboardings met, as far as nobody has stopped it."""
        if self.tenant is None or self.tenant.organisation_id != self.run.tenant.organisation_id:
            return self._each(
                lambda line: _failed(self.upgrade, line, mark("The workspace is not there any more."), "ended")
            )
        if self.upgrade.state == "looking":
            return self._look(self.tenant)
        carrier, applies = self._carrier(self.tenant), self.upgrade.state == "applying"
        return self._each(lambda line: self._carry(self._now(carrier), line, applies=applies))

    def _carry(self, carrier: Carrier, line: Line, *, applies: bool) -> Line:
        """A surprise of one onboarding must not keep its neighbours from going on, nor from being written down."""
        try:
            return carrier.apply(line) if applies else carrier.take_back(line)
        except (LeaseLost, DatabaseAway):
            raise
        except Exception as error:  # said of its line, or raised again when its neighbours are met
            log.exception("upgrade.surprised", upgrade_id=str(self.upgrade.id), onboarding_id=str(line.onboarding))
            if self.run.last_attempt:
                return _failed(self.upgrade, line, type(error).__name__)
            self.surprise = self.surprise or error
            return line

    def _look(self, tenant: Tenant) -> Part:
        """All of them in one transaction, which only reads."""
        actor = self._staff(self.upgrade.asked)
        targets = self._targets(tenant, actor)
        try:
            with open_work(self.run.runtime, tenant, actor, trace_id=self.run.job.trace_id) as work:
                return self._each(lambda line: look_at(work, line, targets, self.upgrade.map), ask=False)
        except SlipwayError as error:
            word, told = word_of(error), error.message
            return self._each(lambda line: msgspec.structs.replace(line, seen=word, told=told), ask=False)

    def _each(self, act: Callable[[Line], Line], *, ask: bool = True) -> Part:
        lines = list(self.part.lines)
        for place, line in enumerate(self.part.lines):
            if not self.upgrade.needs(line):
                continue
            if ask and not self._goes_on(lines):
                break
            lines[place] = act(line)
            self.unwritten += 1
        return msgspec.structs.replace(self.part, lines=tuple(lines))

    def _goes_on(self, lines: list[Line]) -> bool:
        """Whether nobody has stopped it; the job keeps its lease meanwhile, or it is not ours to go on.

        What was met so far is written down: each, or of a large workspace, whose document is long, several at once.
        """
        with self.run.work() as home:
            if self.unwritten > len(lines) // WRITES:
                _join(home, self.upgrade, msgspec.structs.replace(self.part, lines=tuple(lines)))
                self.unwritten = 0
            return find_upgrade(home.session, self.upgrade.id).number == self.upgrade.number

    def _carrier(self, tenant: Tenant) -> Carrier:
        asked, trace_id = self._staff(self.upgrade.asked), self.run.job.trace_id
        targets = self._targets(tenant, asked)
        return Carrier(self.run.runtime, tenant, self.upgrade, targets, asked, asked, trace_id)

    def _now(self, carrier: Carrier) -> Carrier:
        """In the names of the same people with their roles of this moment: a workspace may take long."""
        upgrade = self.upgrade
        who = upgrade.agreed if upgrade.state == "applying" else upgrade.undone
        return replace(carrier, by=self._staff(who or upgrade.asked), asked=self._staff(upgrade.asked))

    def _targets(self, tenant: Tenant, actor: Actor) -> Targets:
        runtime, trace_id = self.run.runtime, self.run.job.trace_id
        return targets_for(runtime, tenant, actor, self.target, self.part.lines, trace_id=trace_id)

    def _staff(self, who: Who) -> Actor:
        return find_staff(self.run.runtime, who.id, who.name, self.run.tenant.organisation_id)


def _failed(upgrade: Upgrade, line: Line, told: str, word: Any = "failed") -> Line:
    step = {"looking": "seen", "applying": "applied"}.get(upgrade.state, "back")
    return msgspec.structs.replace(line, **{step: word, "told": told})
