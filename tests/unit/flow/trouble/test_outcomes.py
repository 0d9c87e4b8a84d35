"""How work ends badly and what a person makes of it: every fact of the exception, and who is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from app.flow import events
from app.flow.commands import NotifyRole, OpenException, ReachFirstValue, StartRetry
from app.flow.state import OpenedException
from app.flow.steps.exceptions import ExceptionClosed
from app.flow.steps.resolving import LATEST_RETRY, may_have_had_effect, needs_second_person
from app.flow.steps.work import NotYourTask, ResolutionRefused, TaskBuiltUpon
from tests.unit.flow.running import CUSTOMER, PROOF, STAFF, Run, of_type

CALL = "task.create_workspace"
FIRST = f"{CALL}#1"
QUIET: dict[str, Any] = {"type": "timeline_risk", "reason_code": "customer_no_response", "note": "Quiet."}


def called() -> Run:
    run = Run()
    run.until_workspace()
    return run


def opened(run: Run) -> OpenedException:
    [told] = of_type(run.last, OpenException)
    return told.exception


def resolve(run: Run, way: events.Resolution, exception: str = FIRST, **more: Any):
    return run.apply(
        events.ExceptionResolved(by=STAFF, exception=exception, resolution=way, reason="Looked at.", **more)
    )


class TestCall:
    @pytest.mark.parametrize(
        ("event", "kind", "note"),
        [
            (events.ActionFailed(task=CALL, request=1, error="403"), "technical_blocker", "403"),
            (events.ActionUnknown(task=CALL, request=1, error="No answer."), "unknown_outcome", "No answer."),
            (
                events.ActionSucceeded(task=CALL, request=1, result={}),
                "technical_blocker",
                "The connector's result cannot be used: ",
            ),
        ],
    )
    def test_that_has_no_good_end_blocks_its_step_and_says_what_was_wrong(
        self, event: events.Event, kind: str, note: str
    ):
        run = called()
        run.apply(event)
        trouble = opened(run)
        assert (trouble.type, trouble.reason_code, trouble.blocks) == (kind, "integration_failure", True)
        assert trouble.note.startswith(note)
        assert run.item(CALL).state == "blocked"
        may = isinstance(event, events.ActionUnknown | events.ActionSucceeded)
        assert may_have_had_effect(trouble) is may


class TestApproval:
    @pytest.mark.parametrize(("comment", "said"), [({"comment": "Too dear."}, "Too dear."), ({}, "no comment given")])
    def test_that_is_refused_blocks_the_step_and_says_why(self, comment: dict[str, str], said: str):
        run = called()
        run.apply(events.ActionSucceeded(task=CALL, request=1, result={"id": "ws-1"}))
        for key in ("task.kickoff",):
            run.complete(key, held_on="2026-03-09")
        run.complete("task.confirm_goals", approved=False, **comment)
        trouble = opened(run)
        assert (trouble.item, trouble.note, trouble.blocks) == ("task.confirm_goals", f"Refused: {said}", True)
        assert run.item("task.confirm_goals").state == "blocked"


class TestTask:
    def test_is_of_one_side_and_of_the_other_not(self):
        run = called()
        with pytest.raises(NotYourTask, match="belongs to the partner"):
            run.apply(events.TaskCompleted(by=CUSTOMER, task="task.kickoff", answers={"held_on": "2026-03-09"}))

    def test_that_is_reopened_says_why_and_is_nobodys_doing_any_more(self):
        run = Run()
        run.accept()
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        run.apply(events.TaskReopened(by=STAFF, task="task.confirm_billing", reason="The wrong entity."))
        task = run.item("task.confirm_billing")
        assert (task.state, task.reason) == ("open", "The wrong entity.")
        assert (task.settled_at, task.settled_by) == (None, None)

    def test_that_later_work_stands_on_stays_finished(self):
        run = called()
        with pytest.raises(TaskBuiltUpon):
            run.apply(events.TaskReopened(by=STAFF, task="task.assign_team", reason="Somebody else."))


class TestFirstValue:
    def test_is_told_with_its_evidence_to_its_owner(self):
        run = Run()
        run.until_value()
        decision = run.prove()
        at, item = run.history[-1].at, run.definition.items["milestone.first_ticket_solved"]
        evidence = run.item(item.key).evidence
        assert evidence is not None
        assert (evidence.statement, evidence.link) == (PROOF.statement, PROOF.link)
        assert of_type(decision, ReachFirstValue) == [ReachFirstValue(milestone=item.key, evidence=evidence, at=at)]
        assert (
            NotifyRole(
                message="first_value_reached",
                role=item.owner,
                side=item.side,
                item=item.key,
                text=run.definition.first_value.definition,
            )
            in decision.commands
        )


class TestResolving:
    def failed(self) -> Run:
        run = called()
        run.apply(events.ActionFailed(task=CALL, request=1, error="403"))
        return run

    def test_as_done_keeps_evidence_result_and_reason(self):
        run = self.failed()
        resolve(run, "done", evidence=PROOF, result={"id": "ws-9"})
        done = run.item(CALL)
        assert (done.state, done.settled_by, done.reason) == ("done", STAFF.actor, "Looked at.")
        assert (done.result, done.evidence and done.evidence.link) == ({"id": "ws-9"}, PROOF.link)
        closed = run.state.exceptions[FIRST]
        assert (closed.resolution, closed.resolved_by) == ("done", STAFF.actor)

    def test_answers_it_and_a_second_person_does_not_answer_again(self):
        run = self.failed()
        run.apply(events.ExceptionAnswered(by=STAFF, exception=FIRST, note="I look."))
        at = run.history[-1].at
        proposed = events.ExceptionResolved(by=CUSTOMER, exception=FIRST, resolution="skip", reason="Without it.")
        run.apply(events.ExceptionResolutionProposed(by=CUSTOMER, proposed=proposed))
        assert (run.state.exceptions[FIRST].answered_by, run.state.exceptions[FIRST].answered_at) == (STAFF.actor, at)

    def test_by_giving_it_to_a_person_tells_only_them(self):
        run = self.failed()
        given = events.ExceptionReassigned(by=STAFF, exception=FIRST, role=None, person="p-7", reason="Yours.")
        decision = run.apply(given)
        role = run.state.exceptions[FIRST].route[0]
        assert run.state.exceptions[FIRST].owner == "p-7"
        told = NotifyRole(
            message="exception_opened",
            role=role,
            side=run.definition.roles[role].side,
            item=CALL,
            text={"en": "Yours."},
            person="p-7",
        )
        assert of_type(decision, NotifyRole) == [told]

    @pytest.mark.parametrize("after", [timedelta(microseconds=1), LATEST_RETRY])
    def test_by_another_try_at_a_moment_within_the_next_year(self, after: timedelta):
        run = self.failed()
        at = run.now + after
        decision = run.apply(events.RetryScheduled(by=STAFF, exception=FIRST, at=at, reason="Later."))
        assert of_type(decision, StartRetry) == [StartRetry(exception=FIRST, item=CALL, due_at=at, version=1)]
        assert (run.state.exceptions[FIRST].retry_at, run.state.exceptions[FIRST].retry_version) == (at, 1)

    def test_of_another_try_that_is_not_possible_leaves_it_open(self):
        run = self.failed()
        run.apply(events.PacketChanged(by=STAFF, facts={"legal_account_name": None}, source="person"))
        run.apply(events.RetryScheduled(by=STAFF, exception=FIRST, at=run.now + timedelta(hours=1), reason="Later."))
        run.now += timedelta(hours=1)
        version = run.state.exceptions[FIRST].retry_version
        run.apply(events.RetryDue(exception=FIRST, version=version))
        still = run.state.exceptions[FIRST]
        assert (still.is_open, still.retry_at, still.retry_version) == (True, None, version + 1)
        assert run.item(CALL).state == "blocked"

    def test_of_what_only_was_said_needs_nobody_else(self):
        run = called()
        run.apply(events.ExceptionRaised(by=STAFF, item="task.kickoff", **QUIET))
        quiet = run.state.exceptions["task.kickoff#1"]
        ways: tuple[events.Resolution, ...] = ("retry", "done", "skip", "close", "roll_back")
        assert [needs_second_person(run.definition, quiet, way) for way in ways] == [False] * 4 + [True]
        resolve(run, "close", "task.kickoff#1")
        assert not run.state.exceptions["task.kickoff#1"].is_open
        with pytest.raises(ExceptionClosed, match="resolved already"):
            resolve(run, "close", "task.kickoff#1")

    def test_as_done_waits_for_its_turn_and_for_what_is_below(self):
        run = called()
        for item, said in (("task.announce", "not this item's turn"), ("milestone.kickoff_complete", "not finished")):
            run.apply(events.ExceptionRaised(by=STAFF, item=item, **QUIET))
            with pytest.raises(ResolutionRefused, match=said):
                resolve(run, "done", f"{item}#1", evidence=PROOF)
