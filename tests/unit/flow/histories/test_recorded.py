"""Every recorded history leads, event by event, to the very state that it led to when it was recorded."""

from __future__ import annotations

import json
from datetime import datetime

import msgspec
import pytest

from app.flow.decide import Recorded, replay
from app.flow.definition import Definition
from app.flow.events import Event, TimerFired
from app.flow.reading import read_definition
from app.flow.state import State
from tests.unit.flow.histories.record import DEFINITIONS, RECORDED

HISTORIES = sorted(RECORDED.glob("*.json"))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_a_recorded_history_leads_to_the_state_it_led_to(path):
    told = json.loads(path.read_text("utf-8"))
    definition, *later = [_pinned(name) for name in (told["definition"], *told.get("later", ()))]
    history = [
        Recorded(at=datetime.fromisoformat(entry["at"]), event=msgspec.convert(entry["event"], Event))
        for entry in told["history"]
    ]
    assert replay(definition, history, *later) == msgspec.convert(told["final"], State)


def _pinned(name: str) -> Definition:
    pinned = json.loads((DEFINITIONS / f"{name}.json").read_text("utf-8"))
    return read_definition(pinned["document"], pinned["digest"])


def test_recorded_histories_hold_what_running_work_meets():
    events = [entry["event"] for path in HISTORIES for entry in json.loads(path.read_text("utf-8"))["history"]]
    ends = {json.loads(path.read_text("utf-8"))["final"]["status"] for path in HISTORIES}
    assert {event["event"] for event in events} >= {
        *("started", "packet_changed", "task_completed", "gate_decided", "milestone_proven", "action_succeeded"),
        *("exception_raised", "exception_resolved", TimerFired.__struct_config__.tag, "migrated"),
    }
    assert "finished" in ends
