"""Histories along the edges: each reaches what it is named after, and no random one changes for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.flow import events
from app.flow.decide import replay
from app.flow.simulate import look, sum_up, walk
from app.flow.simulation.due import next_due, waiting
from app.flow.simulation.edges import edges_of
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.running import Run, managed_services

EDGES = {edge.name: edge for edge in edges_of(managed_services())}


def along(name: str):
    return walk(managed_services(), 1, EDGES[name])


class TestWalk:
    @pytest.mark.parametrize("name", EDGES)
    def test_along_any_edge_reaches_an_end_that_replays(self, name):
        history, state = along(name)
        assert state.status in {"finished", "cancelled"}
        assert replay(managed_services(), history) == state

    def test_gives_the_least_and_the_most_that_fields_take(self):
        least, most = along("least of everything")[0][0].event, along("most of everything")[0][0].event
        assert isinstance(least, events.Started)
        assert isinstance(most, events.Started)
        assert least.inputs == {"plan": "starter"}
        assert least.packet == {}
        assert most.inputs["seats"] == 100_000
        assert most.inputs["plan"] == "enterprise"
        assert set(most.packet) == {each.field.id for each in managed_services().handoff}

    def test_takes_every_choice_of_the_longest_list(self):
        plans = [along(f"choice {number} everywhere")[0][0].event.inputs["plan"] for number in (1, 2, 3)]
        assert plans == ["starter", "team", "enterprise"]

    def test_returns_every_gate_before_it_lets_through(self):
        decided: dict[str, str] = {}
        for each in along("every gate returned first")[0]:
            if isinstance(each.event, events.GateDecided):
                decided.setdefault(each.event.gate, each.event.decision)
        assert decided == {"gate.handoff_quality": "ask_sales", "gate.launch": "clarify"}

    @pytest.mark.parametrize(("name", "kind"), [("failed", events.ActionFailed), ("unknown", events.ActionUnknown)])
    def test_lets_the_first_call_of_every_action_go_wrong(self, name, kind):
        told = [each.event for each in along(f"every action {name} first")[0] if hasattr(each.event, "request")]
        assert isinstance(told[0], kind)

    def test_lets_every_clock_ring_where_all_are_late(self):
        fired = {each.event.timer for each in along("everybody late")[0] if isinstance(each.event, events.TimerFired)}
        assert fired == set(managed_services().timers)

    def test_leaves_out_what_can_be(self):
        skipped = [item for item in along("all left out")[1].items.values() if item.state == "skipped"]
        assert len(skipped) > len(managed_services().items) / 3

    def test_begins_when_its_edge_says(self):
        assert along("begun at the turn of the year")[0][0].at == datetime(2026, 12, 31, 22, 59, tzinfo=UTC)


class TestSumUp:
    def test_names_a_dead_end_by_what_leads_there_again(self):
        whole = look(managed_services(), 3)
        stuck = msgspec.structs.replace(whole, status="running", stuck=("task.kickoff",))
        report = sum_up(managed_services(), [whole, stuck, msgspec.structs.replace(stuck, edge="everybody late")])
        assert [(dead.seed, dead.edge) for dead in report.dead_ends] == [(3, ""), (3, "everybody late")]
        assert {dead.stuck for dead in report.dead_ends} == {("task.kickoff",)}
        assert report.finished == 1

    def test_says_what_was_never_done_and_who_went_longest(self):
        text = milestone("base", task("build")) + milestone("off", task("extra"), more="when: inputs.seats > 500")
        definition = small(text).compile()
        report = sum_up(definition, [look(definition, seed) for seed in range(1, 6)])
        assert report.never == ("milestone.off", "task.extra")
        steps = {f"seed {seed}": look(definition, seed).steps for seed in range(1, 6)}
        assert report.longest == max(steps.values()) == steps[report.longest_by]

    def test_does_not_depend_on_the_order_of_the_histories(self):
        walked = [look(managed_services(), seed) for seed in range(4)]
        assert sum_up(managed_services(), walked) == sum_up(managed_services(), reversed(walked))


class TestWaiting:
    def test_tells_what_is_due_first(self):
        run = Run()
        first = next_due(run.state)
        assert first is not None
        assert first[0] == min(each[0] for each in waiting(run.state))

    def test_tells_nothing_while_all_is_on_hold(self):
        run = Run()
        by = events.By(actor="person:mara")
        run.apply(events.Held(by=by, reason_code="customer_no_response", reason="They moved."))
        assert next_due(run.state) is None

    def test_tells_of_nobody_who_responds(self):
        run = Run(packet={})
        due = {what: moment for moment, what, _ in waiting(run.state)}
        assert any(what.startswith("response ") for what in due)
        assert all(moment > run.now - timedelta(days=1) for moment in due.values())
