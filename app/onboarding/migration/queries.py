"""What people and software see of migrations: the version that runs, what is on offer, what waits, what it would do."""

from __future__ import annotations

from app.access.permissions import Permission
from app.access.require import require
from app.flow.migration.migrate import Preview
from app.flow.state import State
from app.kernel.work import Work
from app.onboarding.dates.queries import move_out, would_move
from app.onboarding.migration.operations import plan_waiting
from app.onboarding.migration.schemas import (
    ItemFate,
    MigratedOut,
    MigrationOut,
    PlanOut,
    ProblemOut,
    VersionOut,
    WaitingOut,
)
from app.onboarding.migration.versions import Version, list_kept
from app.onboarding.queries.picture import Picture


def read_migration(work: Work, picture: Picture, published: list[Version]) -> MigrationOut:
    """All of it, as software reads it. Raises NotPermitted."""
    require(work, Permission.ONBOARDING_WRITE)
    state = picture.state
    return MigrationOut(
        seq=state.seq,
        definition=state.definition,
        version=picture.definition.version,
        versions=[
            VersionOut(each.to, each.version, each.title, each.published_at)
            for each in on_offer(work, picture, published)
        ],
        waiting=waiting_of(work, picture),
        made=[
            MigratedOut(each.seq, each.at, each.before, each.definition, list(each.departed))
            for each in state.migrations
        ],
    )


def on_offer(work: Work, picture: Picture, published: list[Version]) -> list[Version]:
    """Published versions that it does not run, then those that only this workspace still has."""
    known = {each.version for each in published}
    return published + [each for each in list_kept(work, picture.onboarding) if each.version not in known]


def waiting_of(work: Work, picture: Picture) -> WaitingOut | None:
    """The proposal that waits."""
    waiting = picture.state.migration
    if waiting is None or picture.state.status != "running":
        return None
    asked, now = waiting.proposed, plan_waiting(work, picture.onboarding)
    still = now is not None and not now.plan.problems and now.plan.address == asked.plan
    return WaitingOut(asked.definition, asked.version, asked.plan, asked.reason, asked.by.actor, waiting.at, still)


def plan_out(preview: Preview, before: State) -> PlanOut:
    """The dry run on the wire."""
    plan, decision = preview.plan, preview.decision
    after = decision.state.items if decision else {}
    went = {line.becomes: line.was for line in plan.lines}
    opened = {"open", "running"}
    opens = [
        key
        for key, item in after.items()
        if item.state in opened and (went.get(key) is None or before.items[str(went[key])].state not in opened)
    ]
    return PlanOut(
        plan=plan.address,
        definition=plan.definition,
        version=plan.version,
        items=[ItemFate(line.fate, line.was, line.becomes, line.state) for line in plan.lines],
        values=list(plan.values),
        problems=[ProblemOut(each.kind, each.place, each.reason, each.item) for each in plan.problems],
        opens=opens,
        moves=[move_out(move) for move in would_move(decision)] if decision else [],
        ends=decision is not None and decision.state.status != "running",
    )
