"""Recorded histories lead to the same state; every library template reaches its end."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow.decide import decide, new_state, replay
from app.flow.events import Event
from app.flow.simulate import simulate, walk
from app.flow.state import State
from app.templates.library import LIBRARY, list_shelves, open_shelf
from tests.unit.flow.running import Run, managed_services


def every_version():
    """By the names of files: a template is read by the test of it, not by each process that looks for tests."""
    for name in list_shelves():
        for partner in (None, *sorted(path.stem for path in (LIBRARY / name / "overlays").glob("*.yaml"))):
            yield pytest.param(name, partner, id=f"{name}:{partner or 'base'}")


class TestReplay:
    @given(st.integers(0, 10_000))
    @settings(max_examples=25)
    def test_leads_to_the_same_state_through_json(self, seed):
        definition = managed_services()
        history, state = walk(definition, seed)
        written = [(entry.at, msgspec.json.encode(entry.event)) for entry in history]
        read = new_state(definition)
        for at, text in written:
            event = msgspec.json.decode(text, type=Event)
            read = msgspec.json.decode(msgspec.json.encode(decide(definition, read, event, at).state), type=State)
        assert read == state == replay(definition, history)

    def test_survives_the_plain_form_that_columns_keep(self):
        run = Run()
        run.until_value()
        assert msgspec.convert(msgspec.to_builtins(run.state), State) == run.state

    def test_changes_tell_the_whole_difference_between_two_states(self):
        definition = managed_services()
        history, _ = walk(definition, 7)
        state = new_state(definition)
        rows: dict[str, dict[str, object]] = {}
        for entry in history:
            decision = decide(definition, state, entry.event, entry.at)
            for change in decision.changes:
                rows.setdefault(change.item, {}).update(change.attributes)
            state = decision.state
        assert rows == {
            key: {name: getattr(item, name) for name in item.__struct_fields__} for key, item in state.items.items()
        }

    def test_numbers_every_journal_entry(self):
        run = Run()
        run.until_value()
        assert run.state.seq == len(run.history)

    def test_refuses_an_event_of_an_unknown_name(self):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(b'{"event": "magic", "by": {"actor": "x"}}', type=Event)


class TestSimulation:
    @pytest.mark.parametrize(("name", "partner"), list(every_version()))
    def test_finds_no_dead_end_and_leaves_no_item_unreached(self, name, partner):
        """So few reach every item; the ten thousand of `make soak` look for the rare dead end."""
        definition = open_shelf(name).effective(partner).compile()
        report = simulate(definition, seed=100, histories=20)
        assert report.dead_ends == ()
        assert report.finished == 20
        assert set(report.touched) == set(definition.items)

    def test_gives_the_same_report_for_the_same_seed(self):
        assert simulate(managed_services(), seed=5, histories=3) == simulate(managed_services(), seed=5, histories=3)
