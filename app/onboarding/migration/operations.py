"""A migration is looked at, proposed by one person, and agreed to or declined by another."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec

from app.access.duties import require_another, require_person
from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.definition import Definition
from app.flow.events import By, MigrationMap
from app.flow.migration.asking import MigrationNotProposed, check_other_version
from app.flow.migration.migrate import MigrationRefused, Preview, preview
from app.flow.migration.plan import MigrationPlan
from app.flow.state import State
from app.flow.steps.holds import check_not_held
from app.kernel.errors import Conflict, Invalid
from app.kernel.work import Work
from app.onboarding.migration.versions import Target, definition_for
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.stored import definition_of, find_onboarding, state_of
from app.templates.operations import pin

SYSTEM_ONLY = {
    "propose": "part of an operation that has checked its own permission, and of an operator's command",
    "look": "part of an operation that has checked its own permission, and of an operator's command",
}


class PlanMoved(Conflict):
    """Work has gone on since: the migration would not do any more what was looked at."""


class MapUnfit(Invalid):
    """A map that is not JSON of the right shape."""


class NotRunning(Conflict):
    """Only a running onboarding goes on with another version."""


def try_migration(work: Work, *, onboarding_id: UUID, target: Target, wanted: MigrationMap) -> Preview:
    """The dry run: what the migration would do now. Nothing is written.

    Raises NotPermitted, OnboardingMissing, TemplateMissing, OtherTemplate, SameVersion, NotRunning, OnHold.
    """
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = find_onboarding(work.session, onboarding_id)
    return look(work, onboarding, definition_for(work, onboarding, target), wanted)


def propose_migration(
    work: Work, *, onboarding_id: UUID, target: Target, wanted: MigrationMap, reason: str, seen: str
) -> Decision:
    """Ask another person to agree to what was seen; in a sandbox, where one plays everybody, it is done at once.

    `seen` is the plan's address. Raises as `try_migration`, and PlanMoved, MigrationRefused, MigrationWaits.
    """
    require(work, Permission.ONBOARDING_WRITE)
    onboarding = lock_onboarding(work, onboarding_id)
    plan = look(work, onboarding, definition_for(work, onboarding, target), wanted).plan
    if plan.address != seen:
        raise PlanMoved("This would not do any more what you have looked at; look at it again, then decide.")
    return propose(work, onboarding, target, plan, by=acting(work, onboarding), reason=reason)


def propose(
    work: Work, onboarding: Onboarding, target: Target, plan: MigrationPlan, *, by: By, reason: str
) -> Decision:
    """Write the proposal down with its definition. Raises MigrationRefused, MigrationWaits, ReasonNeeded."""
    if plan.problems:
        raise MigrationRefused(plan.problems)
    if target.effective is not None:
        pin(work, target.effective)
    about: dict[str, Any] = {"by": by, "definition": plan.definition, "version": plan.version}
    about |= {"reason": reason, "map": plan.map}
    if work.tenant.kind == "sandbox":
        return advance(work, onboarding, flow.Migrated(before=plan.before, keeps_dates=True, **about))
    return advance(work, onboarding, flow.MigrationProposed(plan=plan.address, **about))


def decide_migration(work: Work, *, onboarding_id: UUID, agreed: bool, seen: str = "", reason: str = "") -> Decision:
    """Agree to what somebody else proposed, or decline it (with a reason; one's own is taken back so).

    `seen`: the address of the plan that is agreed to. Raises NotPermitted, PersonNeeded, SecondPersonNeeded,
    MigrationNotProposed, PlanMoved, MigrationRefused, and what the engine refuses.
    """
    require(work, Permission.ONBOARDING_WRITE)
    require_person(work.actor)
    onboarding = lock_onboarding(work, onboarding_id)
    waiting, by = state_of(onboarding).migration, acting(work, onboarding)
    if waiting is None:
        raise MigrationNotProposed("No migration of this onboarding waits for a decision.")
    if not agreed:
        return advance(work, onboarding, flow.MigrationDeclined(by=by, reason=reason))
    asked = waiting.proposed
    require_another(UUID(asked.by.actor.partition(":")[2]), work.actor)
    plan = look(work, onboarding, definition_of(work, asked.definition), asked.map).plan
    if plan.problems:
        raise MigrationRefused(plan.problems)
    if asked.plan != seen or plan.address != asked.plan:
        raise PlanMoved("Work has gone on since this was proposed, and it would do something else now. Decline it.")
    about: dict[str, Any] = {"before": onboarding.definition_digest, "definition": asked.definition}
    about |= {"version": asked.version, "map": asked.map, "proposed_by": asked.by.actor}
    return advance(work, onboarding, flow.Migrated(by=by, reason=asked.reason, keeps_dates=True, **about))


def look(work: Work, onboarding: Onboarding, new: Definition, wanted: MigrationMap) -> Preview:
    """What it would do now. Raises SameVersion, NotRunning, OnHold."""
    state = state_of(onboarding)
    check_other_version(new.digest, state.definition)
    event = flow.Migrated(
        by=By(actor=work.actor.label),
        before=state.definition,
        definition=new.digest,
        version=new.version,
        reason="",
        map=wanted,
        keeps_dates=True,
    )
    _check_running(state, event)
    return preview(definition_of(work, state.definition), new, state, event, work.now)


def plan_waiting(work: Work, onboarding: Onboarding) -> Preview | None:
    """What the proposal that waits would do now; None where none waits, or where it cannot be looked at."""
    state = state_of(onboarding)
    if state.migration is None or state.phase != "running":
        return None
    asked = state.migration.proposed
    return look(work, onboarding, definition_of(work, asked.definition), asked.map)


def read_map(text: str) -> MigrationMap:
    """A map as JSON. Raises MapUnfit."""
    try:
        return msgspec.json.decode(text.encode(), type=MigrationMap) if text.strip() else MigrationMap()
    except (msgspec.DecodeError, UnicodeError) as error:
        raise MapUnfit(f"The map cannot be used: {error}", errors=[("/map", str(error))]) from None


def _check_running(state: State, event: flow.Migrated) -> None:
    check_not_held(state, event)
    if state.status != "running":
        raise NotRunning(f"This onboarding is {state.status}; it goes on with nothing any more.")
