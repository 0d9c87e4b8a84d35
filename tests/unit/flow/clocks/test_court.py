"""The court clock: whose move it is and why, and what each holder of the ball has had of the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from app.flow import events
from app.flow.calendar import BusinessTime
from app.flow.clocks.court import OF_REASONS, Ball, Part, add_up, whose_move
from app.flow.decide import new_state
from app.flow.definition import REASON_CODES
from tests.unit.flow.migration.versions import Document, found, version
from tests.unit.flow.migration.versions import milestone as part
from tests.unit.flow.migration.versions import task as asked_of
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.running import BERLIN, STAFF, Run, managed_services

BEFORE_THE_CUSTOMER: dict[str, dict[str, Any]] = {
    "task.assign_team": {"engineer": "Ada", "fallback": "Bo"},
    "task.confirm_billing": {"entity_matches": True, "plan_matches": True, "bill_to_known": True},
    "task.schedule_kickoff": {"kickoff_on": "2026-03-09"},
}


def move(run):
    """Whose it is, and why."""
    ball = whose_move(run.definition, run.state)
    assert ball is not None
    return ball


def tasks_of(run):
    """The tasks that somebody can act on."""
    return [key for key, item in run.state.items.items() if item.state == "open" and key.startswith("task.")]


class TestWhoseMove:
    def hold(self, code):
        run = Run()
        run.apply(events.Held(by=STAFF, reason_code=code, reason="Wait."))
        return move(run)

    def test_on_hold_is_whoever_the_reason_names(self):
        for code in REASON_CODES:
            ball = self.hold(code)
            assert (ball.holder, ball.reason_code) == (OF_REASONS.get(code, "partner"), code)

    def blocked(self, task, kind, code):
        run = Run()
        run.accept()
        while others := [key for key in tasks_of(run) if key != task]:
            run.apply(events.ItemSkipped(by=STAFF, item=others[0], reason="Not needed."))
        note = "It does not go on."
        raised = events.ExceptionRaised(by=STAFF, item=task, type=kind, reason_code=code, note=note, blocks=True)
        run.apply(raised)
        return move(run)

    def test_of_a_blocked_step_is_whoever_its_trouble_names(self):
        ball = self.blocked("task.confirm_billing", "billing_mismatch", "waiting_billing_info")
        assert (ball.holder, ball.reason_code) == ("customer", "waiting_billing_info")
        ball = self.blocked("task.confirm_billing", "technical_blocker", "integration_failure")
        assert ball.holder == "third_party"
        ball = self.blocked("task.confirm_billing", "product_gap", "scope_mismatch")
        assert (ball.holder, ball.reason_code) == ("vendor", "scope_mismatch")
        assert self.blocked("task.confirm_billing", "timeline_risk", "scope_mismatch").holder == "partner"

    def test_is_the_partners_while_anything_of_theirs_is_open_and_then_the_customers(self):
        run = Run()
        assert move(run).holder == "partner"
        run.accept()
        for step, answers in BEFORE_THE_CUSTOMER.items():
            assert self.agrees(run) == "partner"
            run.complete(step, **answers)
        while any(run.definition.items[key].side == "partner" for key in tasks_of(run)):
            ours = next(key for key in tasks_of(run) if run.definition.items[key].side == "partner")
            assert self.agrees(run) == "partner"
            run.apply(events.ItemSkipped(by=STAFF, item=ours, reason="Not needed."))
        assert self.agrees(run) == "customer"
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        assert whose_move(run.definition, run.state) is None

    @staticmethod
    def agrees(run):
        """The holder; it is the partner exactly while one of their tasks or gates is open."""
        moving = [key for key, item in run.state.items.items() if item.state == "open"]
        sides = {run.definition.items[key].side for key in moving if key.split(".")[0] in {"task", "gate"}}
        holder = move(run).holder
        assert (holder == "partner") == ("partner" in sides)
        return holder

    def test_is_the_systems_while_only_an_action_runs_and_its_owners_once_it_has_failed(self):
        run = Run()
        run.until_workspace()
        while others := tasks_of(run):
            run.apply(events.ItemSkipped(by=STAFF, item=others[0], reason="Not needed."))
        assert run.item("task.create_workspace").state == "running"
        assert move(run).holder == "system"
        run.apply(events.ActionFailed(task="task.create_workspace", request=1, error="Refused."))
        assert move(run).holder == "partner"

    def test_is_nobodys_before_the_start(self):
        definition = managed_services()
        assert whose_move(definition, new_state(definition)) is None

    def test_is_the_partners_where_nothing_is_open(self):
        run = Run()
        items = {key: msgspec.structs.replace(item, state="waiting") for key, item in run.state.items.items()}
        assert whose_move(run.definition, msgspec.structs.replace(run.state, items=items)) == Ball("partner")

    def test_is_not_of_whoever_could_do_what_is_optional(self):
        tour = task("tour", "optional: true, side: customer", owner="client")
        run = SmallRun(small(milestone("base", task("build"), tour)).compile())
        assert run.item("task.tour").state == "open"
        assert move(run) == Ball("partner")
        run.complete("task.build")
        assert move(run) == Ball("partner")


class TestAGate:
    def test_that_waits_is_its_reviewers_move_though_the_customer_has_something_to_do_as_well(self):
        def also_ask(document: Document) -> None:
            ask = asked_of("read_on", side="customer", owner="customer_owner")
            found(document, "stage.rollout")["milestones"].append(part("informed", ask))

        run = Run(definition=version(also_ask))
        run.until_launch()
        assert [run.item(key).state for key in ("gate.launch", "task.read_on")] == ["open", "open"]
        assert move(run) == Ball("partner")
        run.apply(events.ItemSkipped(by=STAFF, item="task.read_on", reason="They know."))
        assert move(run) == Ball("partner")


def stuck(item: str, code: str, *, blocks: bool = True) -> events.ExceptionRaised:
    """Somebody says that a step does not go on."""
    return events.ExceptionRaised(
        by=STAFF, item=item, type="timeline_risk", reason_code=code, note="Stuck.", blocks=blocks
    )


class TestOfSeveralTroubles:
    def in_trouble(self, *codes: str) -> Run:
        """The only open step, blocked for these reasons, one after the other."""
        run = Run()
        run.accept()
        for key in ("task.assign_team", "task.schedule_kickoff"):
            run.apply(events.ItemSkipped(by=STAFF, item=key, reason="Not needed."))
        for code in codes:
            run.apply(stuck("task.confirm_billing", code))
        return run

    @pytest.mark.parametrize(
        ("codes", "ball"),
        [
            (("integration_failure", "waiting_billing_info"), Ball("third_party", "integration_failure")),
            (("waiting_billing_info", "integration_failure"), Ball("customer", "waiting_billing_info")),
        ],
    )
    def test_the_oldest_counts(self, codes: tuple[str, ...], ball: Ball):
        assert move(self.in_trouble(*codes)) == ball

    def test_what_does_not_block_or_is_elsewhere_does_not_count(self):
        run = self.in_trouble()
        for item in ("task.confirm_billing", "task.kickoff"):
            run.apply(stuck(item, "waiting_billing_info", blocks=item != "task.confirm_billing"))
        assert move(run) == Ball("partner")

    def test_what_waits_for_nobody_else_comes_before_what_does(self):
        run = Run()
        run.accept()
        run.apply(stuck("task.assign_team", "scope_mismatch"))
        assert run.item("task.assign_team").state == "blocked"
        assert move(run) == Ball("partner")
        for key in ("task.confirm_billing", "task.schedule_kickoff"):
            run.apply(events.ItemSkipped(by=STAFF, item=key, reason="Not needed."))
        assert move(run) == Ball("partner", "scope_mismatch")


class Stretch(Struct):
    """A line of the ledger."""

    began_at: datetime
    ended_at: datetime | None
    holder: str
    reason_code: str | None = None


class TestAddUp:
    def test_gives_each_holder_what_they_had_and_why_the_longest_first(self):
        def at(day: int, hour: int) -> datetime:
            return datetime(2026, 3, day, hour, tzinfo=UTC)

        ledger = [  # from nine to five in Berlin is 08:00 to 16:00 here
            Stretch(at(2, 8), at(2, 10), "partner"),
            Stretch(at(2, 10), at(3, 9), "customer", "customer_no_response"),
            Stretch(at(3, 9), at(3, 10), "customer", "waiting_billing_info"),
            Stretch(at(3, 10), at(3, 12), "customer", "waiting_billing_info"),
            Stretch(at(3, 12), at(3, 13), "partner", "scope_mismatch"),
            Stretch(at(3, 13), None, "partner"),
        ]
        hours = timedelta(hours=1)
        assert add_up(ledger, BusinessTime(BERLIN), at(3, 15)) == [
            Part("customer", 10 * hours, (("customer_no_response", 7 * hours), ("waiting_billing_info", 3 * hours))),
            Part("partner", 5 * hours, (("scope_mismatch", hours),)),
        ]
