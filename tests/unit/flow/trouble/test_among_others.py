"""An exception among others: on the same step, on another one, resolved before, or moved here from elsewhere."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.flow import events
from app.flow.commands import ChangeException, CloseException, RequestAction, StartRetry
from app.flow.fields import AnswersRefused
from app.flow.steps.exceptions import STALLED, ExceptionRefused
from app.flow.steps.work import ResolutionRefused
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.running import STAFF, Run, of_type
from tests.unit.flow.trouble.test_resolving import CALL, FIRST, blocked, resolution

QUIET: dict[str, Any] = {"type": "timeline_risk", "reason_code": "customer_no_response", "note": "Quiet."}
SECOND = f"{CALL}#2"


def report(run: Run, item: str, *, blocks: bool = False) -> str:
    """Somebody says that something is wrong there; the name of it."""
    run.apply(events.ExceptionRaised(by=STAFF, item=item, blocks=blocks, **QUIET))
    return run.state.open_exceptions(item)[-1].id


def failed_twice() -> Run:
    """The call failed, was made again and failed again; another step waits, too."""
    run = blocked()
    run.apply(resolution("retry"))
    run.apply(events.ActionFailed(task=CALL, request=2, error="403"))
    report(run, "task.kickoff", blocks=True)
    return run


def tried_later(run: Run, exception: str) -> StartRetry:
    at = run.now + timedelta(hours=1)
    scheduled = events.RetryScheduled(by=STAFF, exception=exception, at=at, reason="Tonight.")
    [timer] = of_type(run.apply(scheduled), StartRetry)
    run.now = at
    return timer


class TestAnotherTry:
    def test_at_its_moment_is_made_whatever_was_resolved_before_or_is_wrong_elsewhere(self):
        run = failed_twice()
        timer = tried_later(run, SECOND)
        decision = run.apply(events.RetryDue(exception=SECOND, version=timer.version))
        assert [(each.task, each.request) for each in of_type(decision, RequestAction)] == [(CALL, 3)]
        [closed] = of_type(decision, CloseException)
        assert (closed.exception, closed.resolution) == (SECOND, "retry")
        assert closed.reason == "The moment that was set has come."

    def test_at_once_may_have_other_values_whatever_was_resolved_before_or_is_wrong_elsewhere(self):
        run = failed_twice()
        event = msgspec.structs.replace(resolution("retry"), exception=SECOND, input={"seats": 60})
        [asked] = of_type(run.apply(event), RequestAction)
        assert (asked.request, asked.input["seats"]) == (3, 60)

    def test_is_not_made_while_something_else_holds_the_step(self):
        run = blocked()
        report(run, CALL, blocks=True)
        timer = tried_later(run, FIRST)
        decision = run.apply(events.RetryDue(exception=FIRST, version=timer.version))
        assert not of_type(decision, RequestAction)
        assert run.item(CALL).state == "blocked"
        assert [each.id for each in run.state.open_exceptions(CALL)] == [SECOND]

    @pytest.mark.parametrize("item", [CALL, "task.announce"])
    def test_is_not_set_for_what_nothing_waits_for(self, item: str):
        run = blocked()
        told = report(run, item)
        with pytest.raises(ResolutionRefused, match="Nothing waits"):
            tried_later(run, told)

    def test_that_came_due_in_a_hold_is_made_when_it_ends_and_never_before(self):
        run = blocked()
        at = run.now + timedelta(days=2)
        run.apply(events.RetryScheduled(by=STAFF, exception=FIRST, at=at, reason="Tonight."))
        version = run.state.exceptions[FIRST].retry_version
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        run.now = at
        [again] = of_type(run.apply(events.Resumed(by=STAFF)), StartRetry)
        assert (again.due_at, again.version, again.item) == (at, version + 1, CALL)
        assert run.state.exceptions[FIRST].retry_at == at
        later = blocked()
        later.apply(events.RetryScheduled(by=STAFF, exception=FIRST, at=at, reason="Tonight."))
        later.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        later.now = at + timedelta(days=1)
        [again] = of_type(later.apply(events.Resumed(by=STAFF)), StartRetry)
        assert again.due_at == later.state.exceptions[FIRST].retry_at == at + timedelta(days=1)


class TestOtherValues:
    def test_that_the_action_does_not_take_are_named(self):
        event = msgspec.structs.replace(resolution("retry"), input={"token": "x", "seats": 3, "key": "y"})
        with pytest.raises(ResolutionRefused) as refused:
            blocked().apply(event)
        text = "The action takes no such value."
        assert refused.value.errors == [("/input/token", text), ("/input/key", text)]

    def test_of_a_result_that_is_written_down_are_named(self):
        run = blocked()
        event = msgspec.structs.replace(resolution("done"), result={"id": 7})
        with pytest.raises(AnswersRefused) as refused:
            run.apply(event)
        assert [place for place, _reason in refused.value.errors] == ["/result/id"]


class TestAName:
    def test_is_free_also_where_one_has_come_from_another_item(self):
        run = Run()
        run.accept()
        for _ in range(2):
            report(run, "task.kickoff")
        moved = {key: msgspec.structs.replace(each, item="task.announce") for key, each in run.state.exceptions.items()}
        run.state = msgspec.structs.replace(run.state, exceptions=moved)
        report(run, "task.kickoff")
        assert list(run.state.exceptions) == [f"task.kickoff#{number}" for number in (1, 2, 3)]


class TestAReport:
    def test_of_a_gate_holds_it(self):
        run = Run()
        report(run, "gate.handoff_quality", blocks=True)
        assert run.item("gate.handoff_quality").state == "blocked"

    def test_is_refused_where_the_template_has_no_route_for_it(self):
        run = Run()
        routes = {key: route for key, route in run.definition.exceptions.items() if key != QUIET["type"]}
        run.definition = dataclasses.replace(run.definition, exceptions=routes)
        with pytest.raises(ExceptionRefused, match="is not an exception type"):
            report(run, "task.kickoff")


class TestAHold:
    def held(self, run: Run, hours: int) -> list[ChangeException]:
        """What it tells of exceptions when it ends."""
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        run.now += timedelta(hours=hours)
        return of_type(run.apply(events.Resumed(by=STAFF)), ChangeException)

    def test_puts_off_the_answer_to_what_is_open_and_to_nothing_else(self):
        run = blocked()
        first = run.state.exceptions[FIRST].respond_by
        run.apply(resolution("retry"))
        run.apply(events.ActionFailed(task=CALL, request=2, error="403"))
        assert [each.exception.id for each in self.held(run, 24)] == [SECOND]
        assert run.state.exceptions[FIRST].respond_by == first

    def test_of_a_night_puts_off_nothing(self):
        run = blocked()
        run.now = run.now.replace(hour=20)
        before = run.state.exceptions[FIRST]
        assert self.held(run, 5) == []
        assert run.state.exceptions[FIRST] == before


class TestAStall:
    @pytest.mark.parametrize("fails", [False, True])
    def test_is_none_while_a_call_is_under_way_or_has_to_be_looked_at(self, *, fails: bool):
        call = task("ask", "action: {connector: c, action: a, input: {}}", kind="action")
        run = SmallRun(small(milestone("base", task("build")) + milestone("call", call)).compile())
        report(run, "milestone.base", blocks=True)  # nothing is left to do in it, and it is held
        run.complete("task.build")
        if fails:
            run.apply(events.ActionFailed(task="task.ask", request=1, error="403"))
        assert (run.item("milestone.base").state, run.item("task.ask").state) == (
            "open",
            "blocked" if fails else "running",
        )
        assert [each.item for each in run.state.open_exceptions() if each.place == STALLED] == []
