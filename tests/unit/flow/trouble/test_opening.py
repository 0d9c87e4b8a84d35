"""Exceptions as they are opened and closed: every fact of them, who is told, and what ends them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.flow import events
from app.flow.commands import CloseException, Finish, NotifyRole, OpenException, StartAlert
from app.flow.state import OpenedException
from app.flow.steps.draft import reach
from app.flow.steps.exceptions import ExceptionClosed, ExceptionRefused, alert_version
from tests.unit.flow.running import STAFF, Run, full_packet, managed_services, of_type

STEP = "task.assign_team"
REPORT: dict[str, Any] = {"type": "product_gap", "reason_code": "scope_mismatch", "note": "It cannot do that."}


def working() -> Run:
    run = Run()
    run.accept()
    return run


def raised(item: str = STEP, **more: Any) -> events.ExceptionRaised:
    return events.ExceptionRaised(by=STAFF, item=item, **(REPORT | more))


def closed(run: Run) -> list[tuple[str, str, str]]:
    return [(each.exception, each.resolution, each.reason) for each in of_type(run.last, CloseException)]


class TestOpening:
    def test_says_all_of_it_to_everybody_on_its_route(self):
        run = working()
        at, route = run.now, run.definition.exceptions["product_gap"]
        decision = run.apply(raised())
        opened = OpenedException(
            id=f"{STEP}#1",
            item=STEP,
            type="product_gap",
            reason_code="scope_mismatch",
            route=route.route,
            opened_at=at,
            respond_by=reach(run.state.time_for("partner"), at, route.respond_within),
            counts_from=at,
            within=route.respond_within,
            note="It cannot do that.",
            raised_by=STAFF.actor,
        )
        assert run.state.exceptions == {opened.id: opened}
        assert opened.respond_by is not None
        due, version = opened.respond_by, alert_version(opened.respond_by)
        sides = run.definition.roles
        assert list(decision.commands) == [
            OpenException(exception=opened),
            StartAlert(exception=opened.id, item=STEP, due_at=due, version=version),
            *(
                NotifyRole(
                    message="exception_opened", role=role, side=sides[role].side, item=STEP, text=route.first_response
                )
                for role in route.route
            ),
        ]

    def test_keeps_so_much_of_a_note(self):
        run = working()
        run.apply(raised(note="x" * 1_001))
        assert run.state.exceptions[f"{STEP}#1"].note == "x" * 1_000

    def test_blocks_what_is_open_if_it_is_said_to(self):
        run = working()
        run.apply(raised(blocks=True))
        run.apply(raised("milestone.ready_to_start", blocks=True))
        run.apply(raised("task.kickoff", blocks=True))
        states = [run.item(key).state for key in (STEP, "milestone.ready_to_start", "task.kickoff")]
        assert states == ["blocked", "open", "waiting"]

    @pytest.mark.parametrize(
        ("wrong", "said"),
        [
            ({"type": "criterion_error"}, "is not an exception type"),
            ({"type": "lunch"}, "“lunch” is not an exception type"),
            ({"reason_code": "lunch"}, "“lunch” is not a reason code"),
            ({"note": " "}, "Say what the problem is"),
        ],
    )
    def test_is_refused_where_it_says_nothing(self, wrong: dict[str, Any], said: str):
        with pytest.raises(ExceptionRefused, match=said):
            working().apply(raised(**wrong))

    def test_is_refused_for_what_is_over(self):
        with pytest.raises(ExceptionClosed, match="finished already"):
            working().apply(raised("gate.handoff_quality"))

    def test_has_a_name_that_nothing_else_has_had(self):
        run = working()
        for _ in range(3):
            run.apply(raised())
        assert list(run.state.exceptions) == [f"{STEP}#{number}" for number in (1, 2, 3)]

    def test_counts_the_moment_of_its_alert_in_whole_minutes(self):
        assert alert_version(datetime(1970, 1, 1, 2, 3, 59, tzinfo=UTC)) == 123


class TestClosing:
    def test_follows_a_fact_that_was_missing(self):
        packet = full_packet(managed_services())
        del packet["business_outcome"]
        run = Run(packet)
        [opened] = run.state.open_exceptions()
        run.apply(events.PacketChanged(by=STAFF, facts={"business_outcome": "Fewer outages"}, source="sales"))
        assert closed(run) == [(opened.id, "close", "The missing fact was given.")]
        assert run.state.exceptions[opened.id].resolved_by == "system"

    def test_of_what_a_person_reported_does_not_follow_the_end_of_its_item(self):
        run = working()
        run.apply(raised())
        run.complete(STEP, engineer="Ada", fallback="Bo")
        assert (run.item(STEP).state, closed(run)) == ("done", [])
        assert run.state.open_exceptions(STEP)

    def test_follows_the_end_of_all(self):
        run = working()
        run.apply(raised())
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        assert closed(run) == [(f"{STEP}#1", "close", "The onboarding ended.")]
        assert of_type(run.last, Finish) == [Finish(outcome="cancelled", at=run.history[-1].at, reason="Withdrawn.")]

    def test_follows_a_criterion_that_evaluates_again(self):
        packet = full_packet(managed_services())
        del packet["legal_account_name"]
        run = Run(packet)
        run.apply(events.GateDecided(by=STAFF, gate="gate.handoff_quality", decision="proceed", reason="It comes."))
        run.complete(STEP, engineer="Ada", fallback="Bo")
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        run.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
        run.describe()
        [opened] = run.state.open_exceptions("task.create_workspace")
        assert (opened.type, opened.reason_code, opened.raised_by) == ("criterion_error", "integration_failure", None)
        assert opened.note == f"{opened.place} could not be evaluated: packet.legal_account_name has no value yet"
        run.apply(events.OwnerAssigned(by=STAFF, item="task.kickoff", person="p-1"))
        assert run.state.open_exceptions("task.create_workspace") == [opened]
        run.apply(events.PacketChanged(by=STAFF, facts={"legal_account_name": "Acme GmbH"}, source="contract"))
        assert (opened.id, "close", "The criterion evaluates again.") in closed(run)
