"""Stages: criteria for the business and for compliance, and the exception path of a missed SLO."""

from __future__ import annotations

from app.flow import events
from tests.unit.flow.parts.small import NEEDED, SmallRun, milestone, refused, small, task

ASK = milestone(
    "base", task("ask", "fields: [{id: cleared, label: {en: C}, type: boolean}]", kind="form"), task("other")
)
TWO = "exit: {business: task.other.done, compliance: answers.ask.cleared}"
TROUBLE = (
    "slo: {business_days: 2}\n"
    "trouble: {exception: timeline_risk, reason_code: scope_mismatch, message: {en: The work takes too long.}}"
)


class TestCompliance:
    def test_holds_the_stage_beside_the_business(self):
        run = SmallRun(small(ASK, stage=TWO).compile())
        run.complete("task.ask", cleared=False)
        run.complete("task.other")
        assert run.item("stage.work").state == "open"
        [stalled] = run.state.open_exceptions()
        assert stalled.note == "Nothing is left to do, and the exit compliance criterion is not true."

    def test_lets_it_end_when_both_are_true(self):
        run = SmallRun(small(ASK, stage=TWO).compile())
        run.complete("task.ask", cleared=True)
        run.complete("task.other")
        assert run.item("stage.work").state == "done"

    def test_names_both_where_neither_is_true(self):
        stage = "entry: {business: inputs.seats > 100, compliance: inputs.seats > 200}"
        run = SmallRun(small(NEEDED, stage=stage).compile())
        [stalled] = run.state.open_exceptions()
        assert stalled.note.endswith("and the entry and the entry compliance criteria are not true.")

    def test_is_type_checked_at_its_own_place(self):
        [problem] = refused(ASK, stage=TWO.replace("answers.ask.cleared", "answers.ask.cleaned"))
        assert problem.fix == "Did you mean “answers.ask.cleared”?"


class TestExceptionPath:
    def test_opens_at_the_stage_when_its_slo_has_passed(self):
        run = SmallRun(small(NEEDED, stage=TROUBLE).compile())
        timer = run.state.timers["slo.work"]
        run.now = timer.due_at
        run.apply(events.TimerFired(timer="slo.work", rung=timer.rung, version=timer.version))
        [opened] = run.state.open_exceptions()
        assert (opened.item, opened.type, opened.reason_code) == ("stage.work", "timeline_risk", "scope_mismatch")

    def test_is_not_taken_by_a_stage_that_ended_in_time(self):
        run = SmallRun(small(NEEDED, stage=TROUBLE).compile())
        timer = run.state.timers["slo.work"]
        run.complete("task.build")
        late = events.TimerFired(timer="slo.work", rung=timer.rung, version=timer.version)
        assert run.apply(late).state is run.state
        assert not run.state.open_exceptions()

    def test_needs_an_slo(self):
        problems = refused(NEEDED, stage=TROUBLE.splitlines()[1])
        assert [each.message for each in problems] == ["“slo” is missing here."]
