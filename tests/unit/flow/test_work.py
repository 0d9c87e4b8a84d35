"""Tasks, connector actions, exceptions and first value."""

from __future__ import annotations

import pytest

from app.flow import events
from app.flow.commands import CloseException, Finish, NotifyRole, OpenException, ReachFirstValue, RequestAction
from app.flow.decide import OnboardingEnded
from app.flow.events import Evidenced
from app.flow.fields import AnswersRefused
from app.flow.steps.draft import LONGEST_STATEMENT, EvidenceMissing, EvidenceRefused, NotOpen, checked_proof
from app.flow.steps.exceptions import ExceptionClosed, ExceptionRefused
from app.flow.steps.work import (
    FirstValueNeedsProof,
    NotYourTask,
    ReasonNeeded,
    ResolutionRefused,
    StaleAction,
    TaskBuiltUpon,
)
from tests.unit.flow.running import CUSTOMER, MONDAY, PROOF, STAFF, Run, of_type

CALL = "task.create_workspace"


def resolve(run: Run, exception: str, resolution: events.Resolution, **more):
    event = events.ExceptionResolved(
        by=STAFF, exception=exception, resolution=resolution, reason="Looked at it.", **more
    )
    return run.apply(event)


def accepted() -> Run:
    run = Run()
    run.accept()
    return run


class TestCompleteTask:
    def test_opens_what_depended_on_it_and_tells_its_owner(self):
        run = accepted()
        decision = run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        assert run.item("task.schedule_kickoff").state == "open"
        told = of_type(decision, NotifyRole)
        assert [(each.message, each.role, each.item) for each in told] == [
            ("task_opened", "csm", "task.schedule_kickoff")
        ]

    def test_refuses_a_task_that_is_not_open_yet(self):
        with pytest.raises(NotOpen, match="waiting"):
            accepted().complete("task.schedule_kickoff", kickoff_on="2026-03-09")

    def test_refuses_a_task_that_is_done(self):
        run = accepted()
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        with pytest.raises(NotOpen, match="done"):
            run.complete("task.assign_team", engineer="Eve", fallback="Bo")

    def test_refuses_the_other_side(self):
        run = accepted()
        with pytest.raises(NotYourTask):
            run.apply(
                events.TaskCompleted(by=CUSTOMER, task="task.assign_team", answers={"engineer": "a", "fallback": "b"})
            )

    def test_refuses_answers_that_do_not_fit(self):
        with pytest.raises(AnswersRefused):
            accepted().complete("task.assign_team", engineer="Ada")

    def test_refuses_a_check_with_an_unticked_point(self):
        with pytest.raises(AnswersRefused, match="ticked"):
            accepted().complete("task.confirm_billing", entity_matches=True, plan_matches=False, bill_to_known=True)

    def test_needs_evidence_where_the_template_asks_for_it(self):
        run = Run()
        run.until_workspace()
        for evidence in (None, Evidenced(), Evidenced(statement="  ")):
            with pytest.raises(EvidenceMissing):
                run.apply(
                    events.TaskCompleted(
                        by=STAFF, task="task.kickoff", answers={"held_on": "2026-03-09"}, evidence=evidence
                    )
                )

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "file:///etc/passwd", "x" * 3000])
    def test_refuses_a_link_that_is_not_a_web_address(self, link):
        run = Run()
        run.until_workspace()
        with pytest.raises(EvidenceRefused):
            run.apply(
                events.TaskCompleted(
                    by=STAFF, task="task.kickoff", answers={"held_on": "2026-03-09"}, evidence=Evidenced(link=link)
                )
            )

    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            (Evidenced(link="http://files.example/1 "), ("", "http://files.example/1")),
            (Evidenced(link="https://files.example/1"), ("", "https://files.example/1")),
            (Evidenced(statement=" Seen. "), ("Seen.", "")),
            (Evidenced(statement="x" * LONGEST_STATEMENT), ("x" * LONGEST_STATEMENT, "")),
        ],
        ids=["http", "https", "statement", "longest"],
    )
    def test_keeps_its_evidence_with_who_gave_it_and_when(self, given, kept):
        proof = checked_proof(given, "person:mara", MONDAY)
        assert (proof.statement, proof.link) == kept
        assert (proof.given_by, proof.given_at) == ("person:mara", MONDAY)

    def test_of_kind_action_is_not_for_people(self):
        run = Run()
        run.until_workspace()
        with pytest.raises(NotOpen, match="running"):
            run.complete(CALL)

    def test_refused_approval_blocks_its_task_until_a_person_decides(self):
        run = Run()
        run.until_workspace()
        run.complete("task.kickoff", held_on="2026-03-09")
        decision = run.complete("task.confirm_goals", approved=False, comment="We bought something else.")
        opened = of_type(decision, OpenException)[0].exception
        assert (opened.type, opened.blocks) == ("nonstandard_promise", True)
        assert "something else" in opened.note
        assert run.item("task.confirm_goals").state == "blocked"
        resolve(run, opened.id, "retry")
        run.complete("task.confirm_goals", approved=True)
        assert run.item("milestone.kickoff_complete").state == "done"


class TestReopenTask:
    def test_lets_a_finished_task_be_mended(self):
        run = accepted()
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        run.apply(events.TaskReopened(by=STAFF, task="task.confirm_billing", reason="The entity changed."))
        assert run.item("task.confirm_billing").state == "open"

    def test_refuses_when_later_work_stands_on_it(self):
        run = accepted()
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        with pytest.raises(TaskBuiltUpon):
            run.apply(events.TaskReopened(by=STAFF, task="task.assign_team", reason="Oops"))

    def test_refuses_when_its_milestone_is_reached(self):
        run = Run()
        run.until_workspace()
        with pytest.raises(TaskBuiltUpon):
            run.apply(events.TaskReopened(by=STAFF, task="task.confirm_billing", reason="Oops"))

    def test_refuses_without_a_reason(self):
        run = accepted()
        with pytest.raises(ReasonNeeded):
            run.apply(events.TaskReopened(by=STAFF, task="task.confirm_billing", reason=" "))


class TestConnectorAction:
    def test_is_requested_once_with_its_input(self):
        run = Run()
        asked = of_type(run.until_workspace(), RequestAction)
        assert len(asked) == 1
        assert (asked[0].task, asked[0].connector, asked[0].action, asked[0].request) == (
            CALL,
            "product_admin",
            "create_workspace",
            1,
        )
        assert asked[0].input == {
            "external_id": "onboarding-1",
            "name": "Known legal_account_name",
            "plan": "team",
            "region": "eu",
            "seats": 30,
        }

    def test_result_completes_the_task_and_is_read_by_criteria(self):
        run = Run()
        run.until_workspace()
        run.apply(
            events.ActionSucceeded(task=CALL, request=1, result={"id": "ws-1", "url": "https://x.example", "more": 1})
        )
        assert run.item(CALL).state == "done"
        assert run.item(CALL).result == {"id": "ws-1", "url": "https://x.example"}
        assert run.item("task.invite_admin").state == "open"

    @pytest.mark.parametrize("result", [{}, {"id": 7}, {"id": ""}, {"id": "x" * 501}])
    def test_result_that_cannot_be_used_goes_to_a_person(self, result):
        run = Run()
        run.until_workspace()
        decision = run.apply(events.ActionSucceeded(task=CALL, request=1, result=result))
        assert of_type(decision, OpenException)[0].exception.type == "technical_blocker"
        assert run.item(CALL).state == "blocked"

    def test_failure_is_retried_by_a_person_under_a_new_number(self):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionFailed(task=CALL, request=1, error="403"))
        assert run.item(CALL).state == "blocked"
        asked = of_type(resolve(run, f"{CALL}#1", "retry"), RequestAction)
        assert [each.request for each in asked] == [2]
        run.apply(events.ActionSucceeded(task=CALL, request=2, result={"id": "ws-1"}))

    def test_unknown_outcome_is_never_retried_by_itself(self):
        run = Run()
        run.until_workspace()
        decision = run.apply(events.ActionUnknown(task=CALL, request=1, error="timeout"))
        opened = of_type(decision, OpenException)[0].exception
        assert (opened.type, opened.blocks) == ("unknown_outcome", True)
        assert opened.route == ("implementation_lead",)
        assert not of_type(decision, RequestAction)

    def test_unknown_outcome_is_counted_as_done_with_evidence_and_result(self):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionUnknown(task=CALL, request=1, error="timeout"))
        with pytest.raises(EvidenceMissing):
            resolve(run, f"{CALL}#1", "done", result={"id": "ws-1"})
        with pytest.raises(AnswersRefused):
            resolve(run, f"{CALL}#1", "done", evidence=PROOF)
        resolve(run, f"{CALL}#1", "done", evidence=PROOF, result={"id": "ws-1"})
        assert run.item(CALL).state == "done"

    @pytest.mark.parametrize("kind", [events.ActionSucceeded, events.ActionFailed, events.ActionUnknown])
    def test_late_worker_is_fenced_off(self, kind):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionFailed(task=CALL, request=1, error="403"))
        resolve(run, f"{CALL}#1", "retry")
        more = {"result": {"id": "late"}} if kind is events.ActionSucceeded else {"error": "late"}
        with pytest.raises(StaleAction):
            run.apply(kind(task=CALL, request=1, **more))
        run.apply(events.ActionSucceeded(task=CALL, request=2, result={"id": "ws-1"}))
        with pytest.raises(StaleAction):
            run.apply(kind(task=CALL, request=2, **more))

    def test_result_after_the_end_is_refused(self):
        run = Run()
        run.until_workspace()
        run.apply(events.Cancelled(by=STAFF, reason="The contract was withdrawn."))
        with pytest.raises(OnboardingEnded):
            run.apply(events.ActionSucceeded(task=CALL, request=1, result={"id": "ws-1"}))

    def test_trouble_holds_up_no_other_track(self):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionUnknown(task=CALL, request=1, error="timeout"))
        run.complete("task.kickoff", held_on="2026-03-09")
        run.complete("task.review_environment", within_scope=True, supported=True)
        assert run.item("milestone.environment_known").state == "done"


class TestExceptions:
    def test_raised_by_a_person_blocks_only_its_item(self):
        run = accepted()
        run.apply(
            events.ExceptionRaised(
                by=STAFF, item="task.confirm_billing", type="billing_mismatch", reason_code="waiting_billing_info",
                note="The entity differs.", blocks=True,
            )
        )  # fmt: skip
        assert run.item("task.confirm_billing").state == "blocked"
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        with pytest.raises(ResolutionRefused):
            resolve(run, "task.confirm_billing#1", "close")
        resolve(run, "task.confirm_billing#1", "retry")
        assert run.item("task.confirm_billing").state == "open"

    def test_holds_a_waiting_item_until_it_is_resolved(self):
        run = accepted()
        run.apply(
            events.ExceptionRaised(
                by=STAFF, item="task.schedule_kickoff", type="no_customer_owner", reason_code="waiting_customer_admin",
                note="Nobody to invite.", blocks=True,
            )
        )  # fmt: skip
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        assert run.item("task.schedule_kickoff").state == "waiting"
        resolve(run, "task.schedule_kickoff#1", "retry")
        assert run.item("task.schedule_kickoff").state == "open"

    @pytest.mark.parametrize(
        "wrong", [{"type": "bad_mood"}, {"type": "unknown_outcome"}, {"reason_code": "blame"}, {"note": " "}]
    )
    def test_knows_only_its_types_and_reason_codes(self, wrong):
        good = {"type": "timeline_risk", "reason_code": "customer_no_response", "note": "Quiet."}
        with pytest.raises(ExceptionRefused):
            accepted().apply(events.ExceptionRaised(by=STAFF, item="task.assign_team", **(good | wrong)))

    def test_is_resolved_once(self):
        run = Run()
        run.until_workspace()
        run.apply(events.ActionFailed(task=CALL, request=1, error="403"))
        resolve(run, f"{CALL}#1", "retry")
        with pytest.raises(ExceptionClosed):
            resolve(run, f"{CALL}#1", "retry")

    def test_never_waves_a_gate_through(self):
        run = Run({})
        opened = run.state.open_exceptions("gate.handoff_quality")[0]
        for resolution in ("done", "skip"):
            with pytest.raises(ResolutionRefused):
                resolve(run, opened.id, resolution, evidence=PROOF)

    def test_never_skips_a_stage_over_its_open_gate(self):
        run = Run({})
        run.apply(
            events.ExceptionRaised(
                by=STAFF, item="stage.handoff", type="timeline_risk", reason_code="customer_no_response", note="Quiet."
            )
        )
        with pytest.raises(ResolutionRefused, match="gate"):
            resolve(run, "stage.handoff#1", "skip")

    def test_ends_with_the_onboarding(self):
        run = Run({})
        assert run.state.open_exceptions()
        decision = run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        assert not run.state.open_exceptions()
        assert {each.reason for each in of_type(decision, CloseException)} == {"The onboarding ended."}

    def test_never_waves_first_value_through(self):
        run = Run()
        for item in ("milestone.first_ticket_solved", "stage.value"):
            run.apply(
                events.ExceptionRaised(
                    by=STAFF, item=item, type="timeline_risk", reason_code="customer_no_response", note="Quiet."
                )
            )
            with pytest.raises(FirstValueNeedsProof):
                resolve(run, f"{item}#1", "skip")


class TestFirstValue:
    def test_is_reached_with_evidence_and_ends_the_onboarding(self):
        run = Run()
        run.until_value()
        decision = run.prove()
        reached = of_type(decision, ReachFirstValue)
        assert reached[0].milestone == "milestone.first_ticket_solved"
        assert reached[0].evidence.link == "https://desk.example/4711"
        assert of_type(decision, Finish)[0].outcome == "finished"
        assert run.state.status == "finished"
        assert run.state.first_value_at == run.state.ended_at

    def test_is_not_reached_by_finished_tasks_alone(self):
        run = Run()
        run.until_value()
        assert run.state.status == "running"
        assert run.item("milestone.first_ticket_solved").state == "open"

    @pytest.mark.parametrize("evidence", [Evidenced(), Evidenced(statement="\n")])
    def test_needs_evidence(self, evidence):
        run = Run()
        run.until_value()
        with pytest.raises(EvidenceMissing):
            run.apply(events.MilestoneProven(by=STAFF, milestone="milestone.first_ticket_solved", evidence=evidence))

    def test_cannot_be_proven_while_a_task_is_open(self):
        run = Run()
        with pytest.raises(NotOpen):
            run.prove()

    def test_skips_what_does_not_apply(self):
        run = Run()
        run.until_value()
        assert run.item("task.replace_monitoring").state == "skipped"

    def test_is_terminal(self):
        run = Run()
        run.until_value()
        run.prove()
        for event in (
            events.Cancelled(by=STAFF, reason="x"),
            events.PacketChanged(by=STAFF, facts={"business_outcome": "y"}, source="sales"),
            events.TaskReopened(by=STAFF, task="task.announce", reason="x"),
        ):
            with pytest.raises(OnboardingEnded):
                run.apply(event)
