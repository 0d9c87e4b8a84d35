"""Any history of holding, leaving out, rolling back and trouble: what must hold after each event, whatever it was."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from app.flow import events
from app.flow.commands import ReachFirstValue, RequestAction, StartTimer
from app.flow.decide import Recorded, decide, new_state, replay
from app.flow.definition import REASON_CODES, Definition
from app.flow.events import By
from app.flow.parts.unfolding import unfold
from app.flow.schedule import Forecast
from app.flow.simulate import _aside, _begin, _forward
from app.flow.state import State
from app.flow.steps.exceptions import alert_due, alert_version
from app.flow.steps.work import StaleAction
from app.kernel.errors import SlipwayError
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.running import MONDAY, STAFF, managed_services

CALL = "action: {connector: c, action: a, input: {x: part.name}}"
PARTS = small(
    milestone(
        "base",
        task("ask", "fields: [{id: names, label: {en: N}, type: list}]", kind="form"),
        task("tour", "optional: true", owner="client"),
        task("first", "join: any, depends_on: [task.ask, task.build]"),
        task("build"),
    )
    + milestone(
        "site",
        task("look", owner="client"),
        task(
            "setup", "depends_on: [task.look], action: {connector: c, action: a, input: {x: part.name}}", kind="action"
        ),
        more="repeat: {for_each: answers.ask.names, at_most: 5}, depends_on: [task.ask]",
    )
    + milestone("more", task("extra"), more="optional: true"),
).compile()
seeds = st.integers(0, 2**16)


class AnyHistory(RuleBasedStateMachine):
    """One onboarding; `history` is all that was accepted, `asked` every call that was ever asked for."""

    definition = managed_services()

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = MONDAY
        self.state = new_state(self.definition)
        self.history: list[Recorded] = []
        self.asked: list[tuple[str, int]] = []
        self.values_reached = 0
        self.apply(_begin(self.definition, Random(7)))  # noqa: S311  # a repeatable beginning, not a secret

    @property
    def plan(self) -> Definition:
        """With an item for each time that a repeated part happens."""
        return unfold(self.definition, self.state.parts)

    def one_of(self, kind: str, seed: int) -> str:
        """An item of that kind, or any."""
        found = sorted(key for key, item in self.plan.items.items() if kind in {"", item.kind})
        return found[seed % len(found)]

    def apply(self, event: events.Event) -> bool:
        """Whether it was accepted; what is refused changes nothing."""
        self.now += timedelta(minutes=17)
        before = self.state
        held = self.state.hold is not None
        try:
            decision = decide(self.definition, self.state, event, self.now)
        except SlipwayError:
            assert self.state is before
            return False
        if decision.state is self.state:
            return False
        self.state = decision.state
        self.history.append(Recorded(at=self.now, event=event))
        asked = [(each.task, each.request) for each in decision.commands if isinstance(each, RequestAction)]
        if held and not isinstance(event, events.Resumed):
            assert not asked
            assert not any(isinstance(each, StartTimer) for each in decision.commands)
        assert not set(asked) & set(self.asked)
        self.asked += asked
        self.values_reached += sum(isinstance(each, ReachFirstValue) for each in decision.commands)
        return True

    @precondition(lambda self: self.state.phase == "running")
    @rule(seed=seeds)
    def go_on(self, seed: int) -> None:
        chance = Random(seed)  # noqa: S311  # a repeatable choice, not a secret
        ways = list(_forward(self.plan, self.state, chance))
        chance.shuffle(ways)
        next((event for event in ways if self.apply(event)), None)

    @precondition(lambda self: self.state.status == "running")
    @rule(seed=seeds)
    def do_something_else(self, seed: int) -> None:
        ways = list(_aside(self.plan, self.state, Random(seed)))  # noqa: S311  # a repeatable choice, not a secret
        if ways:
            self.apply(ways[seed % len(ways)])

    @precondition(lambda self: self.state.phase == "running")
    @rule(code=st.sampled_from(REASON_CODES), pause=st.integers(0, 20))
    def hold(self, code: str, pause: int) -> None:
        assert self.apply(events.Held(by=STAFF, reason_code=code, reason="Wait."))
        self.now += timedelta(days=pause)

    @precondition(lambda self: self.state.hold is not None)
    @rule()
    def resume(self) -> None:
        assert self.apply(events.Resumed(by=STAFF))

    @precondition(lambda self: self.state.status == "running")
    @rule(seed=seeds)
    def skip(self, seed: int) -> None:
        item = self.one_of("", seed)
        accepted = self.apply(events.ItemSkipped(by=STAFF, item=item, reason="Not needed."))
        assert not (accepted and item.startswith("gate."))

    @precondition(lambda self: self.state.status == "running")
    @rule(seed=seeds)
    def roll_back(self, seed: int) -> None:
        stage = self.one_of("stage", seed)
        self.apply(events.RolledBack(by=STAFF, stage=stage, reason="Once more."))

    @precondition(lambda self: self.state.status == "running" and self.state.open_exceptions())
    @rule(seed=seeds, agreed=st.booleans())
    def do_something_about_an_exception(self, *, seed: int, agreed: bool) -> None:
        stage = self.one_of("stage", seed)
        found = self.state.open_exceptions()
        one = found[seed % len(found)]
        wanted = events.ExceptionResolved(
            by=STAFF, exception=one.id, resolution="roll_back", reason="Once more.", stage=stage
        )
        at = self.now + timedelta(hours=1)
        due = events.RetryDue(exception=one.id, version=one.retry_version)
        other = By(actor="person:noor")
        ways: list[events.Event] = [
            events.ExceptionAnswered(by=STAFF, exception=one.id, note="Seen."),
            events.ExceptionReassigned(by=STAFF, exception=one.id, role="csm", person=None, reason="Theirs."),
            events.ExceptionResolutionProposed(by=STAFF, proposed=wanted),
            events.ExceptionResolutionDecided(
                by=other,
                exception=one.id,
                agreed=agreed,
                reason="So.",
                proposal=one.proposal.digest if one.proposal else "",
            ),
            events.RetryScheduled(by=STAFF, exception=one.id, at=at, reason="Later."),
            due,
            msgspec.structs.replace(wanted, resolution="retry", input={"seats": 60}),
        ]
        self.apply(ways[seed % len(ways)])

    @precondition(lambda self: any(alert_due(each) for each in self.state.open_exceptions()))
    @rule(seed=seeds, late=st.integers(0, 3))
    def nobody_responds(self, *, seed: int, late: int) -> None:
        waiting = [(each, due) for each in self.state.open_exceptions() if (due := alert_due(each))]
        one, due = waiting[seed % len(waiting)]
        self.now = max(self.now, due + timedelta(days=late))
        told = self.apply(events.ExceptionAged(exception=one.id, version=alert_version(due)))
        assert told is (self.state.phase == "running")

    @precondition(lambda self: self.asked)
    @rule(seed=seeds)
    def an_old_result_arrives(self, seed: int) -> None:
        task, request = self.asked[seed % len(self.asked)]
        item = self.state.items.get(task)
        if item is None:
            return  # what was asked for is never taken away; see `what_was_asked_for_stays`
        if (item.state, item.request) == ("running", request) or self.state.status != "running":
            return
        try:
            decide(self.definition, self.state, events.ActionSucceeded(task=task, request=request), self.now)
        except StaleAction:
            return
        raise AssertionError("an old result was taken for a new one")

    @precondition(lambda self: self.state.status in {"finished", "cancelled"})
    @rule(seed=seeds)
    def nothing_happens_after_its_end(self, seed: int) -> None:
        item = self.one_of("", seed)
        assert not self.apply(events.ItemDeclined(by=STAFF, item=item, reason="No."))
        assert not self.apply(events.PartAdded(by=STAFF, item=item, name="Late"))

    def teardown(self) -> None:
        """The journal alone leads to the last state, and the state survives its JSON."""
        assert self.state.seq == len(self.history)
        assert replay(self.definition, self.history) == self.state
        assert msgspec.json.decode(msgspec.json.encode(self.state), type=State) == self.state

    @invariant()
    def first_value_is_reached_at_most_once(self) -> None:
        assert self.values_reached == int(self.state.first_value_at is not None)

    @invariant()
    def nothing_runs_while_it_is_held_or_over(self) -> None:
        if self.state.phase != "running":
            assert not any(timer.armed for timer in self.state.timers.values())
        if self.state.status in {"finished", "cancelled"}:
            assert not self.state.open_exceptions()

    @invariant()
    def only_who_can_act_is_reminded(self) -> None:
        for key, reminder in self.state.reminders.items():
            if reminder.armed:
                assert (self.state.phase, self.state.items[key].state) == ("running", "open")
                assert reminder.turn not in reminder.given
            assert len(set(reminder.given)) == len(reminder.given) <= reminder.sent

    @invariant()
    def a_clock_stands_still_only_for_what_somebody_said(self) -> None:
        for timer in self.state.timers.values():
            assert not (timer.armed and timer.paused)
            if timer.paused and self.state.phase == "running":
                cause = self.state.exceptions[timer.paused.exception]
                assert cause.is_open
                assert cause.raised_by
                assert timer.paused.since <= self.now

    @invariant()
    def what_was_asked_for_stays(self) -> None:
        assert {task for task, _ in self.asked} <= self.state.items.keys()

    @invariant()
    def items_and_timers_are_those_of_the_plan(self) -> None:
        assert self.state.items.keys() == self.plan.items.keys()
        assert self.state.timers.keys() <= self.plan.timers.keys()

    @invariant()
    def dates_are_those_of_the_plan(self) -> None:
        """What leaves the plan as it was leaves every date, so such events are not asked for dates at all."""
        state = self.state
        if state.plan is not None and state.status == "running" and state.started_at is not None:
            forecast = Forecast(self.plan, state, state.started_at)
            open_items = [key for key in state.items if not state.is_settled(key)]
            assert {key: state.items[key].due_at for key in open_items} == {k: forecast.due(k) for k in open_items}

    @invariant()
    def what_has_ended_holds_nothing_open(self) -> None:
        for key, item in self.plan.items.items():
            if item.kind == "stage" and self.state.is_settled(key):
                below = [each for each in self.plan.items if self.plan.stage_of(each) is item]
                assert all(self.state.is_settled(each) for each in below)

    @invariant()
    def somebody_can_act_or_is_asked_to(self) -> None:
        if self.state.phase == "running":
            moving = any(item.state in {"open", "running", "blocked"} for item in self.state.items.values())
            assert moving or self.state.open_exceptions()


class AnyHistoryOfParts(AnyHistory):
    """The same of a template with optional, repeated and joined parts."""

    definition = PARTS


class TestAnyHistory:
    def test_keeps_what_the_engine_promises(self):
        short = settings(max_examples=12, stateful_step_count=30, deadline=None, database=None)
        run_state_machine_as_test(AnyHistory, settings=short)

    def test_keeps_it_with_optional_repeated_and_joined_parts(self):
        short = settings(max_examples=20, stateful_step_count=30, deadline=None, database=None)
        run_state_machine_as_test(AnyHistoryOfParts, settings=short)

    @pytest.mark.soak
    def test_keeps_it_in_many_long_ones(self):
        long = settings(max_examples=300, stateful_step_count=80, deadline=None, database=None)
        run_state_machine_as_test(AnyHistory, settings=long)
        run_state_machine_as_test(AnyHistoryOfParts, settings=long)
