"""One onboarding goes on as two people have agreed, or back: each a command of its own, done once however often asked.

It is done in the names of those people: what they may not do in this workspace at this moment is not done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.events import MigrationMap
from app.flow.migration.asking import check_other_version
from app.flow.migration.migrate import MigrationRefused
from app.kernel.actor import Actor
from app.kernel.commands import Result, fingerprint, run_command
from app.kernel.errors import Conflict, SlipwayError
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.onboarding.migration.operations import PlanMoved, decide_migration, look, propose_migration
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.stored import definition_of
from app.onboarding.upgrades.events import OnboardingTakenBack, OnboardingUpgraded
from app.onboarding.upgrades.rules import Line, Upgrade, Word, way_back
from app.onboarding.upgrades.tenant.looking import word_of
from app.onboarding.upgrades.tenant.targets import Targets
from app.templates.language import address
from app.templates.queries import get_pinned
from app.web.translations import mark
from tenants.tenant import Tenant


class PinnedMissing(Conflict):
    """What it ran before is not pinned here any more as it was."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Where it is done, in whose names, and what of. `by` agreed, or wants it back; `asked` proposed it."""

    runtime: Runtime
    tenant: Tenant
    upgrade: Upgrade
    targets: Targets
    by: Actor
    asked: Actor
    trace_id: str

    def apply(self, line: Line) -> Line:
        """The line with what became of its onboarding: it went on exactly as was seen, or stays as it is."""

        def operation(work: Work) -> Result:
            _go_on(work, self, line)
            return {}

        word, told = self._once(line, "on", operation, line.plan)
        # What has something to be settled now had nothing when it was looked at.
        return msgspec.structs.replace(line, applied="moved" if word == "problems" else word, told=told)

    def take_back(self, line: Line) -> Line:
        """The line with what became of its onboarding: it goes on with what it ran before, or stays as it is."""

        def operation(work: Work) -> Result:
            _go_back(work, self, line)
            return {}

        wanted = self.upgrade.undone.at.isoformat() if self.upgrade.undone else ""
        word, told = self._once(line, f"back:{wanted}", operation, line.before)
        applied: Word | None = "done" if word == "done" else line.applied  # it had gone on, written down or not
        return msgspec.structs.replace(line, applied=applied, back=word, told=told)

    def _once(self, line: Line, way: str, operation: Callable[[Work], Result], content: str) -> tuple[Word, str]:
        key = f"upgrade:{self.upgrade.id}:{line.onboarding}:{way}"
        mark = fingerprint("template.upgrade", [key, content])
        try:
            run_command(
                self.runtime, self.tenant, self.by, key=key, mark=mark, trace_id=self.trace_id, operation=operation
            )
        except SlipwayError as error:
            return word_of(error), error.message
        return "done", ""


def _go_on(work: Work, carrier: Carrier, line: Line) -> None:
    upgrade, to = carrier.upgrade, line.onboarding
    wish: dict[str, Any] = {
        "target": carrier.targets.of(line),
        "wanted": line.map,
        "reason": upgrade.asked.reason,
        "seen": line.plan,
    }
    with work.acting(carrier.asked):
        propose_migration(work, onboarding_id=to, **wish)
    decide_migration(work, onboarding_id=to, agreed=True, seen=line.plan)
    told = {"upgrade": str(upgrade.id), "agreed": upgrade.agreement, "plan": line.plan, "before": line.before}
    work.record(OnboardingUpgraded(subject_id=to, onboarding_id=to, reason=upgrade.asked.reason, **told))


def _go_back(work: Work, carrier: Carrier, line: Line) -> None:
    """The earlier definition, whose bytes are looked at again. What only the newer one has is kept with the migration.

    Raises NotPermitted, SameVersion where it runs that already or never went on, PlanMoved where it runs something
    else meanwhile, PinnedMissing, MigrationRefused.
    """
    require(work, Permission.ONBOARDING_WRITE)
    upgrade, to = carrier.upgrade, line.onboarding
    onboarding = lock_onboarding(work, to)
    check_other_version(line.before, onboarding.definition_digest)
    if onboarding.definition_digest != (line.definition or upgrade.definition):
        raise PlanMoved(mark("It runs another version by now; look at its own page."))
    if address(dict(get_pinned(work.session, line.before).document)) != line.before:
        raise PinnedMissing(mark("What it ran before is not here any more as it was."))
    before, wanted = definition_of(work, line.before), way_back(line.map)
    plan = look(work, onboarding, before, wanted).plan
    if gone := [each.item for each in plan.problems if each.kind == "unplaced" and each.item]:
        wanted = MigrationMap(items=wanted.items, dropped=tuple(dict.fromkeys(gone)))
        plan = look(work, onboarding, before, wanted).plan
    if plan.problems:
        raise MigrationRefused(plan.problems)
    reason = upgrade.undone.reason if upgrade.undone else ""
    about: dict[str, Any] = {"before": plan.before, "definition": plan.definition, "version": plan.version}
    about |= {"map": wanted, "keeps_dates": True}
    advance(work, onboarding, flow.Migrated(by=acting(work, onboarding), reason=reason, **about))
    _tell(work, upgrade.id, to, line.before, wanted, reason)


def _tell(work: Work, upgrade: UUID, to: UUID, digest: str, wanted: MigrationMap, reason: str) -> None:
    dropped = sorted(wanted.dropped)
    told: dict[str, Any] = {"upgrade": str(upgrade), "definition_digest": digest, "dropped": dropped}
    work.record(OnboardingTakenBack(subject_id=to, onboarding_id=to, reason=reason, **told))
