"""How a step, a milestone and the whole end: what is refused on the way, and what is written down of the end."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.commands import CloseException, Finish
from app.flow.fields import AnswersRefused
from app.flow.steps.draft import NotOpen
from tests.unit.flow.parts.small import NEEDED, SmallRun, small
from tests.unit.flow.running import PROOF, STAFF, Run, of_type

VALUE = "milestone.first_ticket_solved"


class TestACheck:
    def test_names_each_point_that_is_not_ticked(self):
        run = Run()
        run.accept()
        with pytest.raises(AnswersRefused) as refused:
            run.complete("task.confirm_billing", entity_matches=False, plan_matches=True, bill_to_known=False)
        text = "This must be ticked."
        assert refused.value.errors == [("/answers/entity_matches", text), ("/answers/bill_to_known", text)]


class TestReopening:
    @pytest.mark.parametrize("task", ["task.kickoff", "task.create_workspace", "task.confirm_goals"])
    def test_is_for_what_a_person_has_finished_and_for_nothing_else(self, task: str):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionSucceeded(task="task.create_workspace", request=1, result={"id": "ws-1"}))
        with pytest.raises(NotOpen, match="Only a finished task of a person"):
            run.apply(events.TaskReopened(by=STAFF, task=task, reason="Once more."))


class TestAMilestone:
    def test_is_not_proven_before_what_is_in_it_is_done(self):
        run = Run()
        run.until_value()
        run.apply(events.TaskReopened(by=STAFF, task="task.confirm_value", reason="They want to look again."))
        assert run.item(VALUE).state == "open"
        with pytest.raises(NotOpen, match="cannot be proven yet"):
            run.prove()

    def test_is_not_proven_twice_nor_before_its_turn(self):
        run = Run()
        run.until_launch()
        for milestone in (VALUE, "milestone.kickoff_complete"):
            with pytest.raises(NotOpen):
                run.apply(events.MilestoneProven(by=STAFF, milestone=milestone, evidence=PROOF))


class TestTheEnd:
    def test_of_what_was_cancelled_is_its_moment_for_all_that_was_open(self):
        run = Run()
        run.until_workspace()
        before = {key: item for key, item in run.state.items.items() if run.state.is_settled(key)}
        at = run.now
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        for key, item in run.state.items.items():
            if key in before:
                assert item == before[key]
            else:
                assert (item.state, item.settled_at) == ("cancelled", at)

    def test_that_was_reached_needs_no_reason(self):
        run = Run()
        run.until_value()
        decision = run.prove()
        assert of_type(decision, Finish) == [Finish(outcome="finished", at=run.history[-1].at, reason="")]

    def test_of_a_stage_closes_what_the_engine_had_said_of_it(self):
        stage = "exit: packet.outcome.given && packet.outcome == 'Used'"
        run = SmallRun(small(NEEDED, stage=stage).compile())
        run.complete("task.build")
        [stalled] = run.state.open_exceptions()
        decision = run.apply(events.PacketChanged(by=STAFF, facts={"outcome": "Used"}, source="sales"))
        assert run.item("stage.work").state == "done"
        assert of_type(decision, CloseException) == [
            CloseException(exception=stalled.id, resolution="close", reason="The item is settled.")
        ]
