"""Tests of templates: what passes, what fails and where, and that every verb does what it says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.flow.calendar import Calendar
from app.flow.decide import NotStarted
from app.flow.events import By, Started
from app.templates.trials.playing import SOMEBODY, begin
from app.templates.trials.remembering import Remembered
from app.templates.trials.running import run_tests
from app.templates.workbench.bench import open_bench
from app.templates.workbench.files import LIBRARY
from tests.unit.flow.running import managed_services
from tests.unit.templates.samples import line_of
from tests.unit.templates.trials.played import outcomes, played, sample, written

PREPARED = "finish: stage.handoff\n"
LAST = "finish: task.solve_first_ticket\ncomplete: task.confirm_value\n"
NOWHERE = dict.fromkeys(("stage.handoff", "stage.rollout", "gate.handoff"), "cancelled")  # no test leads there
REPORTED = "{raise: timeline_risk, item: gate.handoff_quality}\n"
ASKED = PREPARED + "complete: task.describe_environment\n"


class TestThen:
    @pytest.mark.parametrize(
        ("then", "told"),
        [
            ("status: finished", "the onboarding is running, expected finished."),
            ("items: {task.kickoff: open}", "task.kickoff is waiting, expected open."),
            ("items: {task.kickoff: [done, open]}", "task.kickoff is waiting, expected done or open."),
            (
                "items: {task.kikoff: open}",
                "there is no “task.kikoff” in this onboarding. Did you mean “task.kickoff”?",
            ),
            ("exceptions: [timeline_risk]", "no exception timeline_risk is open; open: none."),
            ("told: [finance]", "finance was not told; told: revops (1)."),
            ("not_told: [revops]", "revops was told: gate_opened of gate.handoff_quality."),
            ("due: {task.assign_team: 2026-03-09}", "task.assign_team is due on 2026-03-0"),
            ("asked: {task.create_workspace: {seats: 1}}", "nothing was asked for task.create_workspace"),
            ("missing: {gate.handoff_quality: [customer_owner]}", "gate.handoff_quality misses nothing."),
            ("missing: {task.kickoff: []}", "“task.kickoff” is no gate"),
            ("follows: [renewal]", "what follows is nothing, expected renewal."),
            ("first_value: true", "first value is not reached."),
        ],
    )
    def test_tells_what_is_otherwise_at_its_line(self, then, told):
        [problem] = played("", then)
        assert problem.message.startswith("“it”: ")
        assert told in problem.message
        assert problem.line == line_of(written("", then), "then:")
        assert problem.column > len("    then: {")

    def test_tells_every_difference(self):
        assert len(played("", "status: finished, first_value: true, items: {task.kickoff: done}")) == 3

    def test_tells_of_an_exception_that_nobody_expected(self):
        [problem] = played("", "exceptions: []", "packet: {business_outcome: null}")
        assert "missing_outcome on gate.handoff_quality" in problem.message

    def test_tells_what_a_connector_was_asked_with(self):
        [problem] = played(ASKED, "asked: {task.create_workspace: {plan: team, seats: 39}}")
        assert "was asked with seats 38, expected 39" in problem.message

    def test_knows_the_day_on_which_something_is_due(self):
        assert played("", "due: {gate.handoff_quality: 2026-03-02}") == []

    def test_forgets_who_was_told_with_each_check(self):
        assert played("check: {told: [revops]}", "not_told: [revops]") == []


class TestSteps:
    @pytest.mark.parametrize(
        ("steps", "then"),
        [
            ("finish: stage.value", "status: finished, first_value: true"),
            (PREPARED + "{reopen: task.confirm_billing, refused: strength}", "status: running"),
            ("{decide: gate.handoff_quality, decision: no_go}", "status: cancelled"),
            ("{decide: gate.handoff_quality, decision: accept, roles: [csm], refused: revops}", "status: running"),
            (
                PREPARED + "complete: task.kickoff\n{complete: task.confirm_goals, by: partner, refused: customer}",
                "status: running",
            ),
            (LAST + "prove: milestone.first_ticket_solved", "status: finished"),
            ("give: {business_outcome: null}", "missing: {gate.handoff_quality: [business_outcome]}"),
            (ASKED + "{succeed: task.create_workspace, result: {id: other}}", "items: {task.create_workspace: done}"),
            (
                ASKED + "fail: task.create_workspace",
                "items: {task.create_workspace: blocked}, exceptions: [technical_blocker]",
            ),
            (
                ASKED + "lose: task.create_workspace",
                "exceptions: [{type: unknown_outcome, item: task.create_workspace}]",
            ),
            (
                "{raise: timeline_risk, item: gate.handoff_quality, blocks: true}",
                "items: {gate.handoff_quality: blocked}",
            ),
            (REPORTED + "answer: timeline_risk\n{resolve: timeline_risk, resolution: close}", "exceptions: []"),
            ("finish: gate.handoff_quality\nskip: task.confirm_billing", "items: {task.confirm_billing: skipped}"),
            ("{skip: gate.handoff_quality, refused: decided}", "status: running"),
            ("hold: customer_no_response", "status: held"),
            ("hold: customer_no_response\nresume: true", "status: running"),
            ("cancel: They went elsewhere.", "status: cancelled"),
            (PREPARED + "roll_back: stage.handoff", "items: {gate.handoff_quality: open, stage.preparation: waiting}"),
            ("{add: milestone.kickoff_complete, name: x, refused: true}", "status: running"),
            ("{decline: task.kickoff, refused: true}", "status: running"),
        ],
    )
    def test_do_what_they_say(self, steps, then):
        assert played(steps, then) == []

    def test_that_are_refused_end_the_test_at_their_line(self):
        text = written("complete: task.kickoff\nfinish: stage.handoff", "first_value: true")
        [outcome] = outcomes(text)
        [problem] = outcome.problems
        assert "step 1 (complete): refused: This task is waiting" in problem.message
        assert problem.line == line_of(text, "complete: task.kickoff")

    def test_that_must_be_refused_and_are_not_are_told(self):
        [problem] = played("{decide: gate.handoff_quality, decision: accept, refused: true}")
        assert "was not refused" in problem.message

    def test_that_are_refused_with_other_words_are_told(self):
        [problem] = played("{complete: task.kickoff, refused: evidence}")
        assert "refused with other words: This task is waiting" in problem.message

    def test_name_the_likely_item(self):
        [problem] = played("complete: task.kikoff")
        assert "Did you mean “task.kickoff”?" in problem.message

    def test_say_what_is_open_where_a_stage_cannot_be_finished(self):
        [problem] = played(ASKED + "lose: task.create_workspace\nfinish: stage.preparation")
        assert "cannot be finished though everything goes well: open are" in problem.message
        assert "task.create_workspace" in problem.message

    def test_take_an_answer_out_of_the_sample_with_null(self):
        [problem] = played(PREPARED + "{complete: task.describe_environment, answers: {workplaces: null}}")
        assert "/answers/workplaces This is needed." in problem.message


class TestTime:
    def test_rings_every_clock_that_is_due(self):
        steps = PREPARED + "check: {told: [customer_owner]}\nwait: {business_days: 2}"
        assert played(steps, "told: [{role: customer_owner, message: sla_breached}]") == []

    def test_rings_none_before_its_moment(self):
        steps = PREPARED + "check: {told: [customer_owner]}\nwait: {business_hours: 15}"
        assert played(steps, "not_told: [{role: customer_owner, message: sla_breached}]") == []

    def test_passes_until_a_moment_where_the_partner_is(self):
        assert played(PREPARED + "until: 2026-03-10T17:30", "exceptions: [timeline_risk]") == []

    def test_tells_the_next_one_when_nobody_responds_to_an_exception(self):
        steps = "{raise: nonstandard_promise, item: gate.handoff_quality}\ncheck: {status: running}\nwait: {days: 4}"
        assert played(steps, "told: [{role: sales_manager, message: exception_aged}]") == []

    @pytest.mark.parametrize(
        "step", ["until: 2199-01-01", "wait: {days: 1000}\nwait: {days: 1000}\nwait: {days: 1000}\nwait: {days: 1000}"]
    )
    def test_ends_after_ten_years(self, step):
        [problem] = played(step)
        assert "ten years" in problem.message

    @pytest.mark.parametrize("moment", ["2026-02-30T09:00", "2026-13-01", "0001-01-01"])
    def test_knows_no_day_that_is_not_there(self, moment):
        assert len(played(f"until: {moment}")) == 1
        assert len(played("", given=f"start: {moment}")) == 1

    def test_stands_still_unless_a_test_says_otherwise(self):
        assert played("finish: stage.value", "due: {task.kickoff: 2026-03-05}") == []


class TestGiven:
    def test_counts_more_than_the_sample(self):
        assert played(ASKED, "asked: {task.create_workspace: {plan: starter}}", "inputs: {plan: starter}") == []

    def test_must_hold_what_an_onboarding_needs(self):
        [problem] = played("", bare=True)
        assert "cannot begin" in problem.message
        assert "/inputs/plan This is needed." in problem.message

    def test_names_an_overlay_that_is_there(self):
        [problem] = played("", given="overlay: nobody")
        assert "there is no overlay of “nobody”" in problem.message

    @pytest.mark.parametrize("calendar", ["{zone: Mars/Base}", "{country: XX}", "{opens: 1000, closes: 900}"])
    def test_refuses_a_calendar_that_tells_no_time(self, calendar):
        [problem] = played("", given=f"partner: {calendar}")
        assert "cannot begin" in problem.message


class TestTogether:
    def test_each_comes_out_as_it_does_alone(self):
        """What tests share is decided once, and none of them notices."""
        bench = open_bench(LIBRARY / "msp" / "midmarket-services" / "template.yaml")
        then = {"then": {"items": NOWHERE}}
        scenarios = [replace(each, document=dict(each.document) | then) for each in bench.tests()]
        told = [each.problems for each in run_tests(scenarios, bench.sample(), bench.version)]
        alone = [next(run_tests([each], bench.sample(), bench.version)).problems for each in scenarios]
        assert told == alone
        assert len({each.message for problems in told for each in problems}) > len(told)

    def test_what_begins_alike_is_decided_once_and_refused_each_time(self):
        before = Remembered()
        one, other = (begin(managed_services(), sample(), {}, before) for _ in range(2))
        assert one.state is other.state
        assert begin(managed_services(), sample(), {"start": "2026-03-03T09:00"}, before).state != one.state
        for play in (one, other):
            with pytest.raises(NotStarted):
                play.apply(
                    Started(by=By(actor=SOMEBODY), inputs={}, packet={}, partner=Calendar(), customer=Calendar())
                )
