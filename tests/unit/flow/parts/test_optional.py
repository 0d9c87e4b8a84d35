"""Optional parts: nobody waits for them, and their own side says when one is not needed."""

from __future__ import annotations

from functools import cache

import pytest

from app.flow import events
from app.flow.commands import NotifyRole
from app.flow.dates.backward import look_back
from app.flow.decide import replay
from app.flow.definition import Definition
from app.flow.parts.optional import DeclineRefused
from app.flow.schedule import Forecast
from app.flow.simulate import simulate
from app.flow.steps.draft import NotOpen
from app.flow.steps.holds import OnHold
from app.flow.steps.work import NotYourTask, ReasonNeeded
from app.templates.language import read_template
from app.templates.rules import TemplateRefused
from tests.unit.flow.parts.small import BUILD, FILE, NEEDED, SmallRun, milestone, refused, small, small_text, task
from tests.unit.flow.running import CUSTOMER, MONDAY, STAFF, of_type

ASK = task("ask", "fields: [{id: x, label: {en: X}, type: text, required: true}]", kind="form", owner="client")
MAKE = task(
    "make", "depends_on: [task.ask], action: {connector: c, action: a, input: {x: answers.ask.x}}", kind="action"
)
AFTER = task("after", "optional: true, depends_on: [task.tour]")
EXTRAS = (
    milestone("base", BUILD, task("tour", "optional: true, due: {business_days: 9}", owner="client"), AFTER)
    + milestone("other", task("polish"))
    + milestone("sso", ASK, MAKE, more="optional: true, depends_on: [milestone.base]")
)


@cache
def extras() -> Definition:
    return small(EXTRAS).compile()


class TestNothingWaits:
    def test_a_milestone_and_a_stage_end_without_it(self):
        run = SmallRun(extras())
        run.complete("task.build")
        assert run.item("milestone.base").state == "done"
        assert run.item("task.tour").state == "open"  # it goes on being offered until its stage ends
        run.complete("task.polish")
        assert run.item("stage.work").state == "done"
        ended = {
            key: run.item(key).state for key in ("task.tour", "task.after", "milestone.sso", "task.ask", "task.make")
        }
        assert set(ended.values()) == {"not_needed"}
        assert run.item("task.tour").reason == "Its stage ended."

    def test_it_may_begin_although_its_milestone_is_reached(self):
        run = SmallRun(extras())
        run.complete("task.build")
        run.complete("task.tour")
        assert run.item("task.after").state == "open"
        run.complete("task.after")
        assert run.item("task.after").state == "done"

    def test_what_was_asked_of_another_system_is_waited_for(self):
        run = SmallRun(extras())
        run.complete("task.build")
        run.complete("task.ask", x="y")
        run.complete("task.polish")
        assert run.item("stage.work").state == "open"
        run.apply(events.ActionSucceeded(task="task.make", request=1))
        assert run.item("stage.work").state == "done"
        assert run.item("milestone.sso").state == "done"

    def test_what_failed_at_another_system_is_looked_at_before_the_stage_ends(self):
        run = SmallRun(extras())
        run.complete("task.build")
        run.complete("task.ask", x="y")
        run.complete("task.polish")
        run.apply(events.ActionFailed(task="task.make", request=1, error="403"))
        assert (run.item("stage.work").state, run.item("task.make").state) == ("open", "blocked")
        [failed] = run.state.open_exceptions("task.make")
        run.apply(events.ExceptionResolved(by=STAFF, exception=failed.id, resolution="skip", reason="By hand."))
        assert (run.item("stage.work").state, run.item("task.make").state) == ("done", "skipped")

    def test_a_problem_with_it_holds_nothing_and_closes_with_it(self):
        run = SmallRun(extras())
        run.apply(
            events.ExceptionRaised(
                by=STAFF, item="task.tour", type="product_gap", reason_code="scope_mismatch", note="No bus", blocks=True
            )
        )
        run.complete("task.build")
        run.complete("task.polish")
        assert run.item("stage.work").state == "done"
        assert not run.state.open_exceptions()

    def test_the_whole_ends_and_replays(self):
        run = SmallRun(extras())
        run.complete("task.build")
        run.complete("task.polish")
        run.prove_value()
        assert run.state.status == "finished"
        assert replay(extras(), run.history) == run.state

    def test_rolling_back_offers_it_again(self):
        run = SmallRun(extras())
        run.complete("task.build")
        run.complete("task.polish")
        run.apply(events.RolledBack(by=STAFF, stage="stage.work", reason="Once more"))
        assert run.item("task.tour").state == "open"
        assert run.item("milestone.sso").state == "waiting"

    def test_no_random_history_gets_stuck_on_it(self):
        report = simulate(extras(), seed=1, histories=15)
        assert report.dead_ends == ()
        assert report.finished == 15


class TestDates:
    def test_nothing_is_later_for_it(self):
        run = SmallRun(extras())
        forecast = Forecast(extras(), run.state, MONDAY)
        assert forecast.end("milestone.base") == forecast.end("task.build") < forecast.end("task.tour")

    def test_a_go_live_does_not_wait_for_it(self):
        run = SmallRun(extras())
        run.apply(events.GoLiveSet(by=STAFF, day=run.now.date().replace(day=20), reason="Agreed"))
        back = look_back(extras(), run.state)
        assert back is not None
        assert "task.build" in back.latest
        assert not {"task.tour", "milestone.sso", "task.ask"} & back.latest.keys()

    def test_what_waited_for_it_moves_with_that_cause(self):
        run = SmallRun(extras())
        moves = run.decline("task.tour", by=CUSTOMER).moves
        assert {(move.item, move.cause, move.cause_item) for move in moves} == {
            ("task.after", "not_needed", "task.tour")
        }


class TestDecline:
    def test_takes_a_reason_as_long_as_may_be_and_closes_what_was_reported_of_it_alone(self):
        tour = task("tour", "optional: true")
        run = SmallRun(small(milestone("base", task("build"), tour)).compile())
        for key in ("task.tour", "task.build"):
            run.apply(
                events.ExceptionRaised(
                    by=STAFF, item=key, type="timeline_risk", reason_code="scope_mismatch", note="Late."
                )
            )
        with pytest.raises(ReasonNeeded, match="2000"):
            run.decline("task.tour", reason="x" * 2_001)
        run.decline("task.tour", reason="x" * 2_000)
        assert [each.item for each in run.state.open_exceptions()] == ["task.build"]

    def test_its_own_side_says_so_with_a_word(self):
        run = SmallRun(extras())
        run.decline("task.tour", by=CUSTOMER, reason=" They know it. ")
        done = run.item("task.tour")
        assert (done.state, done.reason, done.settled_by) == ("not_needed", "They know it.", CUSTOMER.actor)
        assert run.item("task.after").state == "open"
        assert [told.item for told in of_type(run.last, NotifyRole)] == ["task.after"]

    def test_a_milestone_goes_with_all_that_is_in_it(self):
        run = SmallRun(extras())
        run.decline("milestone.sso")
        assert {run.item(key).state for key in ("milestone.sso", "task.ask", "task.make")} == {"not_needed"}

    @pytest.mark.parametrize(
        ("item", "by", "reason", "error"),
        [
            ("task.build", STAFF, "No", DeclineRefused),
            ("stage.work", STAFF, "No", DeclineRefused),
            ("gate.ready", STAFF, "No", DeclineRefused),
            ("task.ask", CUSTOMER, "No", DeclineRefused),  # its milestone is what is optional
            ("task.tour", STAFF, "No", NotYourTask),
            ("task.tour", CUSTOMER, "  ", ReasonNeeded),
            ("task.tour", CUSTOMER, "x" * 2001, ReasonNeeded),
        ],
    )
    def test_refuses(self, item, by, reason, error):
        run = SmallRun(extras())
        with pytest.raises(error):
            run.decline(item, by=by, reason=reason)

    def test_refuses_what_is_settled_held_or_asked_of_another_system(self):
        run = SmallRun(extras())
        run.decline("task.tour", by=CUSTOMER)
        with pytest.raises(NotOpen):
            run.decline("task.tour", by=CUSTOMER)
        run.complete("task.build")
        run.complete("task.ask", x="y")
        with pytest.raises(DeclineRefused):
            run.decline("milestone.sso")
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait"))
        with pytest.raises(OnHold):
            run.decline("task.after")


class TestLint:
    @pytest.mark.parametrize(
        ("milestones", "timers", "word"),
        [
            (
                NEEDED.replace("{id: build,", "{id: build, optional: true,"),
                "",
                "Nothing in this milestone is needed",
            ),
            (
                EXTRAS.replace("optional: true, depends_on: [task.tour]", "depends_on: [task.tour]"),
                "",
                "is optional",
            ),
            (EXTRAS.replace("{id: make,", "{id: make, optional: true,"), "", "An action cannot be optional"),
            (
                EXTRAS,
                "- {id: t, item: task.ask, ladder: [{after: {business_days: 1}, role: lead, message: {en: Late}}]}",
                "Nobody is late",
            ),
        ],
    )
    def test_refuses(self, milestones, timers, word):
        found = refused(milestones, timers=timers)
        assert any(word in str(problem) for problem in found), found

    def test_a_gate_is_decided_and_first_value_proven(self):
        text = small_text(NEEDED).replace("handoff: true\n", "handoff: true\n        optional: true\n")
        text = text.replace("{id: value, layer: value,", "{id: value, optional: true, layer: value,")
        with pytest.raises(TemplateRefused) as trouble:
            read_template(text, FILE)
        told = " ".join(str(problem) for problem in trouble.value.problems)
        assert "A gate cannot be optional" in told
        assert "First value cannot be optional" in told
