"""Leaving out and rolling back: what a person changes in the course of an onboarding, and what nobody can undo."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.commands import OpenException, ReachFirstValue, RequestAction
from app.flow.decide import OnboardingEnded, UnknownItem, replay
from app.flow.steps.course import RollBackRefused, SkipRefused
from app.flow.steps.draft import NotOpen
from app.flow.steps.exceptions import UNDO
from app.flow.steps.work import FirstValueNeedsProof, ReasonNeeded, StaleAction
from tests.unit.flow.running import PROOF, STAFF, Run, of_type

CALL = "task.create_workspace"


def skipped(item: str, reason: str = "They have this already.") -> events.ItemSkipped:
    return events.ItemSkipped(by=STAFF, item=item, reason=reason)


def rolled_back(stage: str, reason: str = "Another region was sold.") -> events.RolledBack:
    return events.RolledBack(by=STAFF, stage=stage, reason=reason)


def reported(item: str) -> events.ExceptionRaised:
    return events.ExceptionRaised(
        by=STAFF, item=item, type="timeline_risk", reason_code="customer_no_response", note="Wait."
    )


def resolved(exception: str, resolution: events.Resolution) -> events.ExceptionResolved:
    return events.ExceptionResolved(
        by=STAFF, exception=exception, resolution=resolution, reason="Looked at.", evidence=PROOF
    )


class TestSkip:
    def test_leaves_out_all_that_is_open_below_and_lets_the_next_begin(self):
        run = Run()
        run.accept()
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        run.apply(skipped("milestone.ready_to_start"))
        assert run.item("task.assign_team").state == "done"
        for key in ("milestone.ready_to_start", "task.confirm_billing", "task.schedule_kickoff"):
            assert (run.item(key).state, run.item(key).settled_by) == ("skipped", STAFF.actor)
        assert run.item("milestone.ready_to_start").reason == "They have this already."
        assert run.item("stage.preparation").state == "open"
        assert replay(run.definition, run.history) == run.state

    def test_closes_what_was_reported_about_it(self):
        run = Run()
        run.accept()
        problem = {"type": "billing_mismatch", "reason_code": "waiting_billing_info", "note": "It differs."}
        run.apply(events.ExceptionRaised(by=STAFF, item="task.confirm_billing", blocks=True, **problem))
        run.apply(skipped("task.confirm_billing"))
        [closed] = run.state.exceptions.values()
        assert (closed.resolution, closed.resolved_by) == ("skip", STAFF.actor)

    def test_closes_nothing_that_was_reported_about_anything_else(self):
        run = Run()
        run.accept()
        run.apply(reported("task.assign_team"))
        run.apply(skipped("task.confirm_billing"))
        assert run.state.open_exceptions("task.assign_team")

    @pytest.mark.parametrize("item", ["gate.handoff_quality", "stage.handoff", "stage.rollout"])
    def test_never_passes_a_gate(self, item: str):
        with pytest.raises(SkipRefused, match="gate"):
            Run().apply(skipped(item))

    @pytest.mark.parametrize("item", ["milestone.first_ticket_solved", "stage.value"])
    def test_never_leaves_first_value_unproven(self, item: str):
        with pytest.raises(FirstValueNeedsProof):
            Run().apply(skipped(item))

    @pytest.mark.parametrize("item", [CALL, "milestone.workspace_ready"])
    def test_waits_for_the_outcome_of_a_call(self, item: str):
        run = Run()
        run.until_workspace()
        with pytest.raises(SkipRefused, match="asked of another system"):
            run.apply(skipped(item))
        run.apply(events.ActionUnknown(task=CALL, request=1, error="No answer."))
        with pytest.raises(SkipRefused):
            run.apply(skipped(item))

    def test_needs_a_reason_and_something_to_leave_out(self):
        run = Run()
        run.accept()
        with pytest.raises(ReasonNeeded):
            run.apply(skipped("task.confirm_billing", " "))
        run.apply(skipped("task.confirm_billing"))
        with pytest.raises(NotOpen):
            run.apply(skipped("task.confirm_billing"))
        with pytest.raises(UnknownItem):
            run.apply(skipped("task.nothing"))


class TestRollBack:
    def test_begins_the_stage_and_every_later_one_anew(self):
        run = Run()
        run.until_launch()
        before = run.state
        run.apply(rolled_back("stage.preparation"))
        assert run.item("stage.handoff") == before.items["stage.handoff"]
        assert run.item("task.assign_team") == before.items["task.assign_team"]
        assert run.item("stage.preparation").state == "open"
        assert run.item("task.describe_environment").state == "open"
        anew = run.item("task.invite_admin")
        assert (anew.state, anew.answers, anew.evidence, anew.result) == ("waiting", {}, None, {})
        assert (anew.opened_at, anew.settled_at, anew.settled_by, anew.reason) == (None, None, None, None)
        assert run.item("task.describe_environment").answers == {}
        assert (run.item("gate.launch").state, run.item("stage.rollout").state) == ("waiting", "waiting")
        assert replay(run.definition, run.history) == run.state

    def test_asks_a_person_to_undo_what_a_connector_did(self):
        run = Run()
        run.until_launch()
        [opened] = of_type(run.apply(rolled_back("stage.preparation")), OpenException)
        trouble = opened.exception
        assert (trouble.item, trouble.type, trouble.place, trouble.blocks) == (CALL, "technical_blocker", UNDO, True)
        action = run.definition.items[CALL].action
        assert action is not None
        assert trouble.reason_code == "waiting_internal_provisioning"
        assert trouble.note.startswith(
            f"Call 1, “{action.action}” of {action.connector}, cannot be undone from here. Undo it by hand"
        )
        run.describe()
        assert run.item(CALL).state == "waiting"

    def test_numbers_the_next_call_onwards_so_that_an_old_result_stays_old(self):
        run = Run()
        run.until_workspace()
        run.apply(rolled_back("stage.preparation"))
        with pytest.raises(StaleAction):
            run.apply(events.ActionSucceeded(task=CALL, request=1, result={"id": "late"}))
        run.describe()
        [trouble] = run.state.open_exceptions(CALL)
        [asked] = of_type(run.apply(resolved(trouble.id, "retry")), RequestAction)
        assert (asked.task, asked.request) == (CALL, 2)
        with pytest.raises(StaleAction):
            run.apply(events.ActionSucceeded(task=CALL, request=1, result={"id": "late"}))

    def test_lets_the_effect_stay_with_its_result(self):
        run = Run()
        run.until_launch()
        run.apply(rolled_back("stage.preparation"))
        [trouble] = run.state.open_exceptions(CALL)
        run.apply(resolved(trouble.id, "done"))
        assert (run.item(CALL).state, run.item(CALL).result["id"]) == ("done", "ws-1")
        run.describe()
        assert run.item("task.invite_admin").state == "open"

    def test_has_nothing_to_undo_where_the_call_plainly_failed(self):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionFailed(task=CALL, request=1, error="403"))
        run.apply(rolled_back("stage.preparation"))
        assert not run.state.open_exceptions()

    def test_has_nothing_to_undo_where_no_call_was_made(self):
        run = Run()
        run.accept()
        run.apply(skipped("milestone.ready_to_start"))
        run.apply(skipped("stage.preparation"))
        assert (run.item(CALL).state, run.item(CALL).request) == ("skipped", 0)
        run.apply(rolled_back("stage.preparation"))
        assert run.item(CALL).state == "waiting"
        assert not run.state.exceptions

    def test_is_not_fooled_by_a_call_whose_result_could_not_be_used(self):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionSucceeded(task=CALL, request=1, result={}))
        run.apply(rolled_back("stage.preparation"))
        assert [each.place for each in run.state.open_exceptions(CALL)] == [UNDO]

    def test_forgets_the_result_of_a_call_that_plainly_failed_when_it_was_made_again(self):
        run = Run()
        run.until_launch()
        run.apply(rolled_back("stage.preparation"))
        assert run.item(CALL).result["id"] == "ws-1"
        run.describe()
        [trouble] = run.state.open_exceptions(CALL)
        run.apply(resolved(trouble.id, "retry"))
        run.apply(events.ActionFailed(task=CALL, request=2, error="403"))
        run.apply(rolled_back("stage.preparation"))
        assert (run.item(CALL).result, run.state.open_exceptions(CALL)) == ({}, [])

    def test_closes_what_was_reported_about_what_begins_anew(self):
        run = Run()
        run.accept()
        run.apply(reported("task.assign_team"))
        run.apply(rolled_back("stage.handoff"))
        [closed] = run.state.exceptions.values()
        assert (closed.resolution, closed.resolved_by) == ("roll_back", STAFF.actor)

    def test_forgets_what_a_gate_decided_and_why(self):
        run = Run()
        run.apply(events.GateDecided(by=STAFF, gate="gate.handoff_quality", decision="override", reason="We know."))
        run.apply(rolled_back("stage.handoff"))
        gate = run.item("gate.handoff_quality")
        assert (gate.state, gate.decision, gate.reason) == ("open", None, None)

    def test_twice_asks_once_for_the_same_call(self):
        run = Run()
        run.until_workspace()
        run.apply(rolled_back("stage.preparation"))
        run.apply(rolled_back("stage.handoff"))
        assert len(run.state.open_exceptions(CALL)) == 1

    def test_keeps_first_value_that_was_reached(self):
        run = Run()
        run.until_value()
        wait = {"type": "timeline_risk", "reason_code": "customer_no_response", "note": "Wait."}
        run.apply(events.ExceptionRaised(by=STAFF, item="stage.value", blocks=True, **wait))
        assert len(of_type(run.prove(), ReachFirstValue)) == 1
        reached = run.state.first_value_at
        run.apply(rolled_back("stage.value"))
        assert run.state.first_value_at == reached is not None
        assert run.item("milestone.first_ticket_solved").state == "done"
        assert run.state.status == "finished"

    def test_moves_the_dates_of_what_begins_anew(self):
        run = Run()
        run.until_launch()
        before = run.state
        run.now = run.now.replace(day=12)
        run.apply(rolled_back("stage.preparation"))
        waiting = [key for key in run.state.items if run.item(key).state == "waiting"]
        for key in waiting:
            was, now = before.items[key].due_at, run.item(key).due_at
            assert was is not None and now is not None, key  # noqa: PT018  # one thing: there is a date
            assert now > was, key
            assert run.item(key).due_cause == "rolled_back"

    def test_is_refused_without_a_reason_to_nowhere_or_to_what_has_not_begun(self):
        run = Run()
        run.accept()
        with pytest.raises(ReasonNeeded):
            run.apply(rolled_back("stage.handoff", ""))
        with pytest.raises(RollBackRefused, match="not begun"):
            run.apply(rolled_back("stage.rollout"))
        with pytest.raises(RollBackRefused, match="to a stage"):
            run.apply(rolled_back("task.assign_team"))
        with pytest.raises(UnknownItem):
            run.apply(rolled_back("stage.nothing"))
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        with pytest.raises(OnboardingEnded):
            run.apply(rolled_back("stage.handoff"))
