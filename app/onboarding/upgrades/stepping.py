"""One step of an upgrade in one workspace: what the home's job for it does. At least once, done once, stoppable.

Flow "upgrade" (decision 19): the home's document is the authority; each workspace is met in transactions of its own;
what it met is written down in the home, with the end of the job. Killed anywhere it is asked for again, and what was
done answers as it did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from app.access.queries.absent import find_staff
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work, open_work
from app.onboarding.migration.versions import Target
from app.onboarding.upgrades.events import UpgradeEnded, UpgradeLooked
from app.onboarding.upgrades.records import find_part, find_upgrade, keep_part, keep_upgrade, list_parts
from app.onboarding.upgrades.rules import Line, Part, Upgrade, Who, after_step, count_words, preview_of
from app.onboarding.upgrades.tenant.carrying import Carrier
from app.onboarding.upgrades.tenant.looking import look_at, word_of
from app.onboarding.upgrades.tenant.targets import Targets, targets_for
from app.templates.operations import effective_document
from app.web.translations import mark
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant


def step_on(run: JobRun, upgrade_id: UUID, tenant_id: UUID, step: str) -> Outcome:
    """Meet each onboarding of the workspace that the step has not met yet; write down what became of them."""
    with run.work() as home:
        upgrade, part = find_upgrade(home.session, upgrade_id), find_part(home.session, upgrade_id, tenant_id)
    if upgrade.state != step or not upgrade.is_under_way:
        return Done()  # stopped, or over: whoever lets it go on asks anew
    met = _Step(run, upgrade, part).meet()
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
    upgrade = find_upgrade(home.session, begun.id, lock=True)
    if upgrade.state != begun.state:
        return
    known = find_part(home.session, upgrade.id, met.tenant)
    lines = [new if upgrade.needs(old) else old for old, new in zip(known.lines, met.lines, strict=True)]
    keep_part(home, upgrade.id, msgspec.structs.replace(known, lines=tuple(lines)))
    if any(upgrade.needs(line) for line in lines):
        return  # it was stopped on the way
    left = tuple(each for each in upgrade.left if each != met.tenant)
    upgrade = msgspec.structs.replace(upgrade, left=left)
    keep_upgrade(home, upgrade if left else _end(home, upgrade))


def _end(home: Work, upgrade: Upgrade) -> Upgrade:
    parts, step = list_parts(home.session, upgrade.id), upgrade.state
    about: dict[str, Any] = {"subject_id": upgrade.id, "template": upgrade.template, "version": upgrade.version}
    counts, preview = count_words(parts, step), upgrade.preview
    if step == "looking":
        preview = preview_of(parts)
        home.record(UpgradeLooked(preview=preview, counts=counts, **about))
    else:
        home.record(UpgradeEnded(step=step, counts=counts, **about))
    after, number = after_step(upgrade, parts), upgrade.number + 1
    return msgspec.structs.replace(upgrade, state=after, number=number, preview=preview, stopped=False)


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
        carrier = self._carrier(self.tenant)
        return self._each(carrier.apply if self.upgrade.state == "applying" else carrier.take_back)

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
        lines: list[Line] = []
        going = True
        for line in self.part.lines:
            going = going and (not ask or not self.upgrade.needs(line) or self._goes_on())
            lines.append(act(line) if going and self.upgrade.needs(line) else line)
        return msgspec.structs.replace(self.part, lines=tuple(lines))

    def _goes_on(self) -> bool:
        """Whether nobody has stopped it; the job keeps its lease meanwhile, or it is not ours to go on."""
        with self.run.work() as home:
            return find_upgrade(home.session, self.upgrade.id).number == self.upgrade.number

    def _carrier(self, tenant: Tenant) -> Carrier:
        upgrade = self.upgrade
        who = upgrade.agreed if upgrade.state == "applying" else upgrade.undone
        by = self._staff(who or upgrade.asked)
        asked, trace_id = self._staff(upgrade.asked), self.run.job.trace_id
        return Carrier(self.run.runtime, tenant, upgrade, self._targets(tenant, asked), by, asked, trace_id)

    def _targets(self, tenant: Tenant, actor: Actor) -> Targets:
        runtime, trace_id = self.run.runtime, self.run.job.trace_id
        return targets_for(runtime, tenant, actor, self.target, self.part.lines, trace_id=trace_id)

    def _staff(self, who: Who) -> Actor:
        return find_staff(self.run.runtime, who.id, who.name, self.run.tenant.organisation_id)


def _failed(upgrade: Upgrade, line: Line, told: str, word: Any = "failed") -> Line:
    step = {"looking": "seen", "applying": "applied"}.get(upgrade.state, "back")
    return msgspec.structs.replace(line, **{step: word, "told": told})
