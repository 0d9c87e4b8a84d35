"""One running onboarding goes on with another version of its template: the dry run, the refusals, and the decision."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from app.flow.clocks.pauses import keep_pauses
from app.flow.clocks.reminders import keep_reminders
from app.flow.commands import Decision, Move
from app.flow.definition import CRITERION_ERROR, Definition
from app.flow.events import Migrated
from app.flow.kinds.signatures import Signature
from app.flow.migration.asking import MigrationNotProposed, check_other_version, check_reason
from app.flow.migration.mapping import Names, Problem, Values, has_work_on_it, keep_values, name_items
from app.flow.migration.parts import carry_parts, each_of, parts_left
from app.flow.migration.plan import MigrationPlan, lines_of
from app.flow.migration.standing import Standing
from app.flow.parts.repeated import follow_lists
from app.flow.parts.unfolding import unfold
from app.flow.schedule import Forecast, plan_due_dates
from app.flow.state import (
    SYSTEM,
    ItemState,
    Migration,
    MigrationProposal,
    OpenedException,
    Plan,
    Proposal,
    ReminderState,
    State,
)
from app.flow.steps.controls import OF_CONTROL
from app.flow.steps.draft import Draft
from app.flow.steps.exceptions import ENGINE_ROUTE, STALLED, change_exception, close_exception
from app.flow.steps.settle import settle
from app.flow.steps.timers import take_over
from app.kernel.errors import Conflict


class MigrationRefused(Conflict):
    """Something has to be settled first; `errors` names each place of the map."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = f"{problems[0].item or problems[0].place}: {problems[0].reason}"
        points = "1 point has" if len(problems) == 1 else f"{len(problems)} points have"
        super().__init__(
            f"{points} to be settled before this onboarding can go on with that version; {first}",
            errors=[(f"/map{problem.place}", problem.reason) for problem in problems],
        )


class Preview(Struct, frozen=True, kw_only=True):
    """The dry run: what becomes of each item and, unless something has to be settled first, all that would follow."""

    plan: MigrationPlan
    decision: Decision | None


def preview(old: Definition, new: Definition, state: State, event: Migrated, now: datetime) -> Preview:
    """What this migration would do at `now`. Nothing is refused: what stands in the way is in the plan."""
    taken = _Taking(old, new, state, event, now)
    return Preview(plan=taken.plan, decision=None if taken.plan.problems else taken.decide())


def migrate(old: Definition, new: Definition, state: State, event: Migrated, now: datetime) -> Decision:
    """Go on with the new version. `changes` count from the tree as it was taken over.

    Raises MigrationRefused, and MigrationNotProposed where something else waits for another person.
    """
    check_reason(event.reason)
    check_other_version(event.definition, state.definition)
    _check_proposed(state.migration, event)
    taken = _Taking(old, new, state, event, now)
    if taken.plan.problems:
        raise MigrationRefused(taken.plan.problems)
    return taken.decide()


def _check_proposed(waiting: MigrationProposal | None, event: Migrated) -> None:
    """What is agreed to is what was asked for, by another. Where nothing waits, one was enough."""
    if waiting is None and event.proposed_by is None:
        return
    asked = waiting.proposed if waiting else None
    if asked is None or (asked.definition, asked.map, asked.by.actor) != (
        event.definition,
        event.map,
        event.proposed_by,
    ):
        raise MigrationNotProposed("This is not what waits for another person; look at the proposal again.")
    if event.by.actor == event.proposed_by:
        raise MigrationNotProposed("You asked for it yourself. Another person has to agree.")


class _Taking:
    """One migration being looked at."""

    def __init__(self, old: Definition, new: Definition, state: State, event: Migrated, now: datetime) -> None:
        self.state, self.event, self.now = state, event, now
        self.parts, self.left = carry_parts(old, new, state, event.map), parts_left(old, new, state, event.map)
        self.old, self.new = old, new = unfold(old, state.parts), unfold(new, self.parts)
        wanted = each_of(old, state, event.map)
        self.names: Names = name_items(old, new, state, wanted)
        self.values: Values = keep_values(old, new, state, self.names, wanted)
        self.standing = Standing(old, new, state, self.names)
        self.standing.take_over(self.values.items, now, wanted.dropped)
        self.plan = MigrationPlan(
            before=old.digest,
            definition=new.digest,
            version=new.version,
            lines=lines_of(old, new, state, self.names, self.standing),
            values=tuple(sorted(self.values.replaced)),
            problems=(*self.names.problems, *self.values.problems, *self.standing.problems),
            map=event.map,
            parts=self.parts,
        )

    def decide(self) -> Decision:
        """What follows."""
        draft = Draft(self.new, self._taken_over(), self.now)
        self._move_exceptions(draft)
        take_over(draft, self.old, self.names.new)
        follow_lists(draft, self.event)
        settle(draft)
        keep_pauses(draft)
        moves = _move_dates(draft, [line.becomes for line in self.plan.of("added") if line.becomes])
        keep_reminders(draft)
        return msgspec.structs.replace(draft.decision(), moves=moves)

    def _taken_over(self) -> State:
        before = self.state
        return msgspec.structs.replace(
            before,
            definition=self.new.digest,
            inputs=self.values.inputs,
            packet=self.values.packet,
            corrected=tuple(name for name in before.corrected if name in self.values.packet),
            items=self.standing.items,
            parts=self.parts,
            plan=self._plan(before.plan) if before.plan else None,
            reminders=self._reminders(),
            signatures=self._signatures(),
            migration=None,
            migrations=(*before.migrations, self._record()),
        )

    def _reminders(self) -> dict[str, ReminderState]:
        """What was told goes on with its item; under another key a reminder is armed anew, and the old one is stale."""
        go_on = [
            (key, self.names.new[key], told) for key, told in self.state.reminders.items() if key in self.names.new
        ]
        return {to: told if to == was else msgspec.structs.replace(told, armed=False) for was, to, told in go_on}

    def _signatures(self) -> dict[str, tuple[Signature, ...]]:
        """What was signed stays signed; whether it is of the text that the new version has is asked when it counts."""
        return {self.names.new[key]: made for key, made in self.state.signatures.items() if key in self.names.new}

    def _plan(self, plan: Plan) -> Plan:
        """Planned and chosen dates go with their item; what comes back has those that were kept when it left."""
        go_on, last = self.names.new, {key: made for made in self.state.migrations for key in made.departed}
        back = {key: last[key] for key in self.names.back}
        baseline = {key: made.baseline[key] for key, made in back.items() if key in made.baseline}
        pins = {key: made.pins[key] for key, made in back.items() if key in made.pins}
        baseline |= {go_on[key]: due for key, due in plan.baseline.items() if key in go_on}
        pins |= {go_on[key]: day for key, day in plan.pins.items() if key in go_on}
        return msgspec.structs.replace(plan, baseline=baseline, pins=pins)

    def _record(self) -> Migration:
        left = [key for key in self.old.items if key not in self.names.new and has_work_on_it(self.state, key)]
        plan = (self.state.plan if self.event.keeps_dates else None) or Plan()
        return Migration(
            seq=self.state.seq + 1,
            at=self.now,
            before=self.old.digest,
            definition=self.new.digest,
            items={was: becomes for was, becomes in self.names.new.items() if was != becomes},
            departed={key: self.state.items[key] for key in left},
            values=self.values.replaced,
            requests={key: item.request for key, item in self.state.items.items() if item.request},
            parts=self.left,
            baseline={key: plan.baseline[key] for key in left if key in plan.baseline},
            pins={key: plan.pins[key] for key in left if key in plan.pins},
        )

    def _move_exceptions(self, draft: Draft) -> None:
        """Each follows its item; the engine's own are looked at anew; a route without its role is the new version's."""
        for each in list(draft.exceptions.values()):
            item = self.names.new.get(each.item)
            if each.is_open and (item is None or self._is_moot(each)):
                reason = "It is looked at anew with another version of the template."
                close_exception(draft, each, resolution="close", reason=reason, by=SYSTEM)
            elif each.is_open and (item != each.item or self._changed(each)):
                change_exception(draft, each, item=item, route=self._route(each), proposal=self._proposal(each))
            elif item is not None and item != each.item:
                draft.exceptions[each.id] = msgspec.structs.replace(each, item=item)

    def _is_moot(self, each: OpenedException) -> bool:
        asked = {f"packet.{entry.field.id}" for entry in self.new.handoff if entry.rule == "hard"}
        asked |= {f"{OF_CONTROL}{control.id}" for control in self.new.controls}
        gone = each.place is not None and each.place.startswith(("packet.", OF_CONTROL)) and each.place not in asked
        return gone or each.type == CRITERION_ERROR or each.place == STALLED

    def _changed(self, each: OpenedException) -> bool:
        return self._route(each) != each.route or self._proposal(each) != each.proposal

    def _route(self, each: OpenedException) -> tuple[str, ...]:
        if all(role in self.new.roles for role in each.route):
            return each.route
        return (self.new.exceptions.get(each.type) or self.new.exceptions[ENGINE_ROUTE]).route

    def _proposal(self, each: OpenedException) -> Proposal | None:
        """A roll back that waits for another person leads to where its stage has gone."""
        waiting = each.proposal
        if waiting is None or waiting.resolved.stage is None:
            return waiting
        stage = self.names.new.get(waiting.resolved.stage, waiting.resolved.stage)
        resolved = msgspec.structs.replace(waiting.resolved, stage=stage)
        return msgspec.structs.replace(waiting, resolved=resolved)


def _move_dates(draft: Draft, added: list[str]) -> tuple[Move, ...]:
    """All dates that this moved have the one cause; what is new is measured against the date that it has now."""
    after = draft.state
    if after.status != "running" or after.started_at is None:
        return ()
    if after.plan is None:  # begun when dates did not follow yet: what is there keeps its date
        once = plan_due_dates(draft.definition, after, after.started_at)
        dates = {key: once[key] for key in draft.items if draft.items[key].due_at is None}
    else:
        forecast = Forecast(draft.definition, after, after.started_at)
        dates = {key: forecast.due(key) for key in draft.items}
        fresh = [*added, *(key for key in draft.items if key not in draft.before.items)]
        baseline = after.plan.baseline | {key: dates[key] for key in fresh}
        draft.whole["plan"] = msgspec.structs.replace(after.plan, baseline=baseline)
    moves: list[Move] = []
    for key, due in dates.items():
        was = draft.before.items.get(key, ItemState())
        if draft.is_settled(key):
            continue
        moved = due != was.due_at
        if moved:
            moves.append(Move(item=key, was=was.due_at, becomes=due, cause="migrated"))
        draft.set(key, due_at=due, due_cause="migrated" if moved else was.due_cause)
    return tuple(moves)
