"""The dry run of one workspace's onboardings: what going on would do to each, or why it stays. Nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import msgspec

from app.access.permissions import Permission
from app.access.require import NotPermitted, require
from app.flow.decide import OnboardingEnded
from app.flow.definition import Definition
from app.flow.events import MigrationMap
from app.flow.migration.asking import MigrationNotProposed, MigrationWaits, SameVersion
from app.flow.migration.migrate import MigrationRefused, Preview
from app.flow.migration.parts import find_item, of_pattern
from app.flow.parts.unfolding import unfold
from app.flow.steps.holds import OnHold
from app.kernel.errors import SlipwayError
from app.kernel.work import TenantNotActive, TenantUpgrading, Work
from app.onboarding.migration.operations import NotRunning, PlanMoved, look
from app.onboarding.migration.versions import definition_for
from app.onboarding.models import Onboarding
from app.onboarding.queries.stored import OnboardingMissing, definition_of, find_onboarding, state_of
from app.onboarding.upgrades.rules import Fated, Line, Word
from app.onboarding.upgrades.tenant.targets import Targets

_WORDS: Final[Mapping[type[SlipwayError], Word]] = {
    SameVersion: "runs_it",
    OnHold: "held",
    NotRunning: "ended",
    OnboardingEnded: "ended",
    OnboardingMissing: "ended",
    MigrationWaits: "waits",
    MigrationNotProposed: "waits",
    MigrationRefused: "problems",
    PlanMoved: "moved",
    NotPermitted: "no_right",
    TenantNotActive: "resting",
    TenantUpgrading: "resting",
}


def word_of(error: SlipwayError) -> Word:
    """What a refusal is called in the list."""
    return _WORDS.get(type(error), "failed")


def look_at(work: Work, line: Line, targets: Targets, wanted: MigrationMap) -> Line:
    """The line with what going on would do to its onboarding now, or with why it stays with what it runs."""
    try:
        require(work, Permission.ONBOARDING_WRITE)
        onboarding = find_onboarding(work.session, line.onboarding)
        new = definition_for(work, onboarding, targets.of(line))
        found = look_here(work, onboarding, new, wanted)
    except SlipwayError as error:
        return msgspec.structs.replace(line, seen=word_of(error), told=error.message)
    return _seen(work, line, onboarding, new, found)


def look_here(work: Work, onboarding: Onboarding, new: Definition, wanted: MigrationMap) -> Preview:
    """The dry run with as much of the map's values as this onboarding needs: of many, each needs others of them."""
    found = look(work, onboarding, new, msgspec.structs.replace(wanted, values={}))
    places = {each.place.removeprefix("/values/") for each in found.plan.problems if each.kind in {"value", "owner"}}
    places |= {of_pattern(place) for place in places}
    given = {place: value for place, value in wanted.values.items() if place in places}
    return look(work, onboarding, new, msgspec.structs.replace(wanted, values=given)) if given else found


def _seen(work: Work, line: Line, onboarding: Onboarding, new: Definition, found: Preview) -> Line:
    plan, state = found.plan, state_of(onboarding)
    old, new = definition_of(work, plan.before), unfold(new, plan.parts)
    seen: Word = "problems" if plan.problems else "waits" if state.migration is not None else "goes"
    fates: list[Fated] = [
        (each.fate, each.was, each.becomes, _title(old, new, each.was, each.becomes))
        for each in plan.lines
        if each.fate != "kept" or each.was != each.becomes
    ]
    return msgspec.structs.replace(
        line,
        before=plan.before,
        definition=plan.definition,
        version=old.version,
        seen=seen,
        plan=plan.address,
        map=plan.map,
        counts=dict(Counter(each.fate for each in plan.lines)),
        fates=tuple(fates),
        moves=tuple((each.item, each.was, each.becomes) for each in found.decision.moves) if found.decision else (),
        kinds=tuple(sorted({each.kind for each in plan.problems})),
        told=MigrationRefused(plan.problems).message if plan.problems else "",
    )


def _title(old: Definition, new: Definition, was: str | None, becomes: str | None) -> dict[str, str]:
    item = new.items.get(becomes or "") or find_item(old, was or "")
    return dict(item.title) if item else {}
