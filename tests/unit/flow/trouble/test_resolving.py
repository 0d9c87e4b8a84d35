"""What is done about an exception: first response, another role, a later retry, and what takes two people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.flow import events
from app.flow.commands import ChangeException, NotifyRole, RequestAction, StartRetry
from app.flow.decide import replay
from app.flow.events import By
from app.flow.fields import Value
from app.flow.state import State
from app.flow.steps.exceptions import ExceptionClosed, ExceptionRefused
from app.flow.steps.holds import OnHold
from app.flow.steps.resolving import ProposalRefused, may_have_had_effect, needs_second_person
from app.flow.steps.settle import input_now
from app.flow.steps.timers import TimerNotDue
from app.flow.steps.work import ReasonNeeded, ResolutionRefused
from tests.unit.flow.running import PROOF, STAFF, Run, of_type

CALL = "task.create_workspace"
OTHER = By(actor="person:noor", roles=("onboarding_lead",))
FIRST = f"{CALL}#1"


def blocked(*, unknown: bool = False) -> Run:
    run = Run()
    run.until_workspace()
    lost = events.ActionUnknown(task=CALL, request=1, error="No answer.")
    run.apply(lost if unknown else events.ActionFailed(task=CALL, request=1, error="403"))
    return run


def resolution(way: events.Resolution, stage: str | None = None) -> events.ExceptionResolved:
    result: dict[str, Value] = {"id": "ws-9"}
    return events.ExceptionResolved(
        by=STAFF, exception=FIRST, resolution=way, reason="Looked at.", evidence=PROOF, result=result, stage=stage
    )


def decided(*, agreed: bool, by: By = OTHER, reason: str = "") -> events.ExceptionResolutionDecided:
    return events.ExceptionResolutionDecided(by=by, exception=FIRST, agreed=agreed, reason=reason)


class TestAnswer:
    def test_is_kept_with_its_time_once(self):
        run = blocked()
        answered = events.ExceptionAnswered(by=STAFF, exception=FIRST, note="I look at it.")
        run.apply(answered)
        exception = run.state.exceptions[FIRST]
        assert (exception.answered_by, exception.answered_in_time, exception.is_open) == (STAFF.actor, True, True)
        with pytest.raises(ExceptionClosed, match="already"):
            run.apply(answered)

    def test_is_late_after_its_time(self):
        run = blocked()
        run.now += timedelta(days=30)
        run.apply(events.ExceptionAnswered(by=STAFF, exception=FIRST, note="I look at it."))
        assert not run.state.exceptions[FIRST].answered_in_time

    def test_needs_words_and_an_open_exception(self):
        run = blocked()
        with pytest.raises(ReasonNeeded):
            run.apply(events.ExceptionAnswered(by=STAFF, exception=FIRST, note=" "))
        with pytest.raises(ExceptionClosed):
            run.apply(events.ExceptionAnswered(by=STAFF, exception="x#1", note="I look at it."))

    def test_may_be_the_way_it_was_resolved(self):
        run = blocked()
        run.apply(resolution("retry"))
        assert run.state.exceptions[FIRST].answered_in_time


class TestReassign:
    def test_gives_it_to_another_role_and_tells_it(self):
        run = blocked()
        given = events.ExceptionReassigned(by=STAFF, exception=FIRST, role="csm", person=None, reason="Theirs.")
        decision = run.apply(given)
        assert run.state.exceptions[FIRST].route == ("csm",)
        assert [each.role for each in of_type(decision, NotifyRole)] == ["csm"]
        assert of_type(decision, ChangeException)[-1].exception == run.state.exceptions[FIRST]

    @pytest.mark.parametrize(("role", "error"), [("magician", ExceptionRefused), (None, ExceptionRefused)])
    def test_knows_the_roles(self, role: str | None, error: type[Exception]):
        given = events.ExceptionReassigned(by=STAFF, exception=FIRST, role=role, person=None, reason="Theirs.")
        with pytest.raises(error):
            blocked().apply(given)


class TestRetryLater:
    def scheduled(self, run: Run, after: timedelta = timedelta(days=1)) -> StartRetry:
        event = events.RetryScheduled(by=STAFF, exception=FIRST, at=run.now + after, reason="They mend it tonight.")
        return of_type(run.apply(event), StartRetry)[0]

    def test_tries_once_when_its_moment_has_come_and_never_before(self):
        run = blocked()
        timer = self.scheduled(run)
        due = events.RetryDue(exception=FIRST, version=timer.version)
        with pytest.raises(TimerNotDue):
            run.apply(due)
        run.now = timer.due_at
        [asked] = of_type(run.apply(due), RequestAction)
        assert (asked.task, asked.request) == (CALL, 2)
        assert run.state.exceptions[FIRST].resolution == "retry"
        before = run.state
        run.apply(due)
        assert run.state is before

    def test_counts_the_last_moment_that_was_set(self):
        run = blocked()
        first, second = self.scheduled(run), self.scheduled(run, timedelta(days=2))
        run.now = second.due_at
        before = run.state
        run.apply(events.RetryDue(exception=FIRST, version=first.version))
        assert run.state is before

    def test_is_made_after_a_hold_that_it_fell_into(self):
        run = blocked()
        timer = self.scheduled(run)
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        run.now = timer.due_at + timedelta(days=3)
        before = run.state
        run.apply(events.RetryDue(exception=FIRST, version=timer.version))
        assert run.state is before
        [again] = of_type(run.apply(events.Resumed(by=STAFF)), StartRetry)
        assert of_type(run.apply(events.RetryDue(exception=FIRST, version=again.version)), RequestAction)
        assert replay(run.definition, run.history) == run.state

    @pytest.mark.parametrize("after", [timedelta(0), timedelta(days=-1), timedelta(days=367)])
    def test_needs_a_moment_within_the_next_year(self, after: timedelta):
        with pytest.raises(ResolutionRefused, match="moment"):
            self.scheduled(blocked(), after)

    def test_needs_something_that_waits(self):
        run = Run()
        problem: Any = {"type": "timeline_risk", "reason_code": "customer_no_response", "note": "Quiet."}
        run.apply(events.ExceptionRaised(by=STAFF, item=CALL, **problem))
        with pytest.raises(ResolutionRefused, match="Nothing waits"):
            self.scheduled(run)


class TestTwoPeople:
    @pytest.mark.parametrize(
        ("way", "unknown", "two"),
        [
            ("retry", True, False),
            ("close", True, False),
            ("done", False, False),
            ("done", True, True),
            ("skip", False, True),
            ("roll_back", False, True),
        ],
    )
    def test_are_needed_where_an_effect_may_be_hidden_or_work_is_taken_back(
        self, *, way: events.Resolution, unknown: bool, two: bool
    ):
        run = blocked(unknown=unknown)
        assert needs_second_person(run.definition, run.state.exceptions[FIRST], way) is two

    def proposed(self, way: events.Resolution = "skip", stage: str | None = None) -> Run:
        run = blocked()
        run.apply(events.ExceptionResolutionProposed(by=STAFF, proposed=resolution(way, stage)))
        return run

    def test_change_nothing_before_the_second_agrees(self):
        run = self.proposed()
        assert (run.item(CALL).state, run.state.exceptions[FIRST].is_open) == ("blocked", True)
        run.apply(decided(agreed=True))
        assert (run.item(CALL).state, run.state.exceptions[FIRST].is_open) == ("skipped", False)
        assert replay(run.definition, run.history) == run.state
        assert msgspec.convert(msgspec.to_builtins(run.state), State) == run.state

    def test_are_two(self):
        with pytest.raises(ProposalRefused, match="Another person"):
            self.proposed().apply(decided(agreed=True, by=STAFF))

    def test_may_disagree_with_a_reason(self):
        run = self.proposed()
        with pytest.raises(ReasonNeeded):
            run.apply(decided(agreed=False))
        run.apply(decided(agreed=False, reason="It is needed."))
        assert run.state.exceptions[FIRST].proposal is None
        with pytest.raises(ProposalRefused, match="Nothing"):
            run.apply(decided(agreed=True))

    def test_agree_to_what_they_have_read_and_to_nothing_else(self):
        run = self.proposed()
        read = run.state.exceptions[FIRST].proposal
        assert read is not None
        run.apply(events.ExceptionResolutionProposed(by=STAFF, proposed=resolution("roll_back", "stage.preparation")))
        for agreed in (True, False):
            with pytest.raises(ProposalRefused, match="Something else"):
                run.apply(msgspec.structs.replace(decided(agreed=agreed, reason="So."), proposal=read.digest))
        now = run.state.exceptions[FIRST].proposal
        assert now is not None
        run.apply(msgspec.structs.replace(decided(agreed=True), proposal=now.digest))
        assert not run.state.exceptions[FIRST].is_open

    def test_roll_back_together(self):
        run = self.proposed("roll_back", "stage.preparation")
        run.apply(decided(agreed=True))
        assert (run.item("task.describe_environment").state, run.item(CALL).state) == ("open", "waiting")

    def test_need_a_stage_to_roll_back_to(self):
        with pytest.raises(ResolutionRefused, match="stage"):
            self.proposed("roll_back").apply(decided(agreed=True))

    def test_wait_while_it_is_held(self):
        run = self.proposed()
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        with pytest.raises(OnHold):
            run.apply(decided(agreed=True))


class TestOtherValues:
    """One more try of an action with values that a person gave."""

    def edited(self, run: Run, way: events.Resolution = "retry", **given: Value) -> list[RequestAction]:
        event = msgspec.structs.replace(resolution(way), input=given)
        return of_type(run.apply(event), RequestAction)

    def test_count_for_this_call_under_a_number_of_its_own(self):
        run = blocked()
        plan = input_now(run.definition, run.state, run.definition.items[CALL])
        [asked] = self.edited(run, seats=60, region=None)
        assert (asked.request, asked.input["seats"], "region" in asked.input) == (2, 60, False)
        assert {name: value for name, value in asked.input.items() if name != "seats"} == {
            name: value for name, value in plan.items() if name not in {"seats", "region"}
        }
        run.apply(events.ActionFailed(task=CALL, request=2, error="403"))
        second = msgspec.structs.replace(resolution("retry"), exception=f"{CALL}#2")
        [again] = of_type(run.apply(second), RequestAction)
        assert (again.request, again.input) == (3, plan)
        assert replay(run.definition, run.history) == run.state

    def test_stand_in_for_a_value_that_is_missing(self):
        run = blocked()
        run.apply(events.PacketChanged(by=STAFF, facts={"legal_account_name": None}, source="person"))
        with pytest.raises(ResolutionRefused, match="missing fact"):
            run.apply(resolution("retry"))
        [asked] = self.edited(run, name="Acme Ltd")
        assert asked.input["name"] == "Acme Ltd"

    def test_are_for_values_that_the_action_takes(self):
        with pytest.raises(ResolutionRefused) as refused:
            self.edited(blocked(), token="x")
        assert refused.value.errors[0][0] == "/input/token"

    @pytest.mark.parametrize("way", ["done", "skip", "close"])
    def test_are_for_another_try_alone(self, way: events.Resolution):
        with pytest.raises(ResolutionRefused, match="trying an action again"):
            self.edited(blocked(), way, seats=60)

    def test_are_not_lost_where_something_else_holds_the_step(self):
        run = blocked()
        other: Any = {"type": "timeline_risk", "reason_code": "customer_no_response", "note": "Wait.", "blocks": True}
        run.apply(events.ExceptionRaised(by=STAFF, item=CALL, **other))
        with pytest.raises(ResolutionRefused, match="something else"):
            self.edited(run, seats=60)

    @pytest.mark.parametrize(("unknown", "may"), [(True, True), (False, False)])
    def test_are_warned_of_where_the_call_before_may_have_had_its_effect(self, *, unknown: bool, may: bool):
        assert may_have_had_effect(blocked(unknown=unknown).state.exceptions[FIRST]) is may

    def test_wait_for_the_second_person_where_they_were_proposed(self):
        run = blocked(unknown=True)
        wanted = msgspec.structs.replace(resolution("retry"), input={"seats": 60})
        run.apply(events.ExceptionResolutionProposed(by=STAFF, proposed=wanted))
        assert run.item(CALL).state == "blocked"
        [asked] = of_type(run.apply(decided(agreed=True)), RequestAction)
        assert (asked.request, asked.input["seats"]) == (2, 60)
        assert replay(run.definition, run.history) == run.state


class TestARetryThatWasSet:
    def test_once_made_leaves_no_second_one_behind(self):
        run = blocked()
        at = run.now + timedelta(hours=1)
        run.apply(events.RetryScheduled(by=STAFF, exception=FIRST, at=at, reason="Later."))
        version = run.state.exceptions[FIRST].retry_version
        run.now = at
        run.apply(events.RetryDue(exception=FIRST, version=version))
        assert run.state.exceptions[FIRST].retry_version == version + 1
        assert (run.state.exceptions[FIRST].resolution, run.state.exceptions[FIRST].resolved_by) == ("retry", "system")
        before = run.state
        run.apply(events.RetryDue(exception=FIRST, version=version))
        assert run.state is before

    def test_needs_an_item_that_waits_for_it(self):
        run = blocked()
        by, item = STAFF, "task.review_environment"
        raised = events.ExceptionRaised(
            by=by, item=item, type="timeline_risk", reason_code="scope_mismatch", note="It may be late.", blocks=False
        )
        run.apply(raised)
        [told] = [each.id for each in run.state.open_exceptions(item)]
        with pytest.raises(ResolutionRefused):
            run.apply(events.RetryScheduled(by=STAFF, exception=told, at=run.now + timedelta(hours=1), reason="Later."))
