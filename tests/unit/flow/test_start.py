"""The start of an onboarding, and what is refused for every event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.flow import events
from app.flow.calendar import BusinessTime
from app.flow.commands import Finish, NotifyRole, StartTimer
from app.flow.decide import NotStarted, UnknownItem, WrongDefinition, decide, new_state
from app.flow.fields import AnswersRefused
from tests.unit.flow.running import (
    BERLIN,
    CUSTOMER,
    MONDAY,
    STAFF,
    Run,
    full_packet,
    managed_services,
    of_type,
    started,
)


class TestStart:
    def test_opens_the_first_stage_and_its_gate_and_nothing_behind_it(self):
        run = Run()
        open_items = {key for key, item in run.state.items.items() if item.state == "open"}
        assert open_items == {"stage.handoff", "gate.handoff_quality"}

    def test_changes_one_row_for_every_item_of_the_tree(self):
        definition = managed_services()
        decision = decide(definition, new_state(definition), started(full_packet(definition)), MONDAY)
        assert [change.item for change in decision.changes] == list(definition.items)
        assert all("due_at" in change.attributes for change in decision.changes)

    def test_plans_due_dates_in_order_and_on_working_days_of_both(self):
        run = Run()
        time = BusinessTime(BERLIN, BERLIN)
        for key, item in run.definition.items.items():
            due = run.item(key).due_at
            assert due is not None
            for earlier in item.depends_on:
                assert run.item(earlier).due_at <= due
            if item.due:
                assert time.works_on(BERLIN.day_at(due - timedelta(seconds=1)))

    def test_arms_the_clock_that_runs_from_the_start(self):
        armed = of_type(Run().last, StartTimer)
        assert [(each.timer, each.rung, each.version) for each in armed] == [("kickoff_scheduled", 0, 1)]
        assert armed[0].due_at == MONDAY + timedelta(days=2, hours=8)  # three whole working days: Wednesday at five

    def test_tells_the_reviewer_of_the_gate(self):
        told = of_type(Run().last, NotifyRole)
        assert [(each.message, each.role) for each in told] == [("gate_opened", "revops")]

    def test_tells_at_the_gate_of_the_handoff_which_fact_could_not_be_taken_over(self):
        run = Run(full_packet(managed_services()) | {"shoe_size": 44})
        [told] = run.state.open_exceptions()
        assert (told.item, told.place, told.blocks) == ("gate.handoff_quality", "packet.shoe_size", False)
        assert (told.type, told.reason_code) == ("technical_blocker", "integration_failure")
        assert told.note == "The packet's “shoe_size” could not be taken over: There is no such field."
        assert "shoe_size" not in run.state.packet

    def test_refuses_inputs_that_do_not_fit(self):
        definition = managed_services()
        with pytest.raises(AnswersRefused) as refused:
            decide(definition, new_state(definition), started({}, plan="platinum", seats=0), MONDAY)
        assert [place for place, _ in refused.value.errors] == ["/inputs/plan", "/inputs/seats"]

    def test_keeps_what_fits_of_a_packet_and_gives_the_rest_an_owner(self):
        run = Run({"business_outcome": "Fewer outages", "legal_account_name": "x" * 501, "colour": "blue"})
        assert run.state.packet == {"business_outcome": "Fewer outages"}
        notes = [each.note for each in run.state.open_exceptions() if each.type == "technical_blocker"]
        assert len(notes) == 2
        assert "longer than 500" in notes[0]
        assert "colour" in notes[1]

    def test_happens_once(self):
        run = Run()
        with pytest.raises(NotStarted):
            run.apply(started({}))

    def test_comes_before_everything_else(self):
        definition = managed_services()
        with pytest.raises(NotStarted):
            decide(definition, new_state(definition), events.Cancelled(by=STAFF, reason="x"), MONDAY)


class TestEveryEvent:
    def test_is_refused_for_a_state_of_another_version(self):
        run = Run()
        foreign = new_state(run.definition).__class__(definition="sha256:other")
        with pytest.raises(WrongDefinition):
            decide(run.definition, foreign, started({}), MONDAY)

    @pytest.mark.parametrize(
        "event",
        [
            events.TaskCompleted(by=CUSTOMER, task="task.nothing"),
            events.GateDecided(by=STAFF, gate="gate.nothing", decision="accept"),
            events.MilestoneProven(by=STAFF, milestone="milestone.nothing", evidence=events.Evidenced(statement="x")),
            events.OwnerAssigned(by=STAFF, item="task.nothing", person="someone"),
        ],
    )
    def test_is_refused_for_an_item_that_is_not_there(self, event):
        with pytest.raises(UnknownItem, match="nothing"):
            Run().apply(event)

    def test_of_a_reminder_of_an_item_that_went_elsewhere_changes_nothing(self):
        run = Run()
        before = run.state
        decision = run.apply(events.ReminderDue(item="task.nothing", version=1))
        assert (decision.commands, run.state) == ((), before)

    def test_that_ends_it_says_why(self):
        run = Run()
        [ended] = of_type(run.apply(events.Cancelled(by=STAFF, reason="They were bought.")), Finish)
        assert (ended.outcome, ended.reason) == ("cancelled", "They were bought.")

    def test_leaves_the_old_state_untouched(self):
        run = Run()
        before, items = run.state, dict(run.state.items)
        run.accept()
        assert before.items == items
        assert before.items["gate.handoff_quality"].state == "open"
