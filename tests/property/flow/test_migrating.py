"""Any history, stopped anywhere, goes on with a randomly changed template: finished stays finished, nothing is lost."""

from __future__ import annotations

import copy
from functools import cache
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow.commands import StartTimer
from app.flow.decide import Recorded, decide, decide_by, replay
from app.flow.definition import Definition
from app.flow.events import Migrated, MigrationMap, TimerFired
from app.flow.fields import Value
from app.flow.migration.mapping import Problem
from app.flow.migration.migrate import preview
from app.flow.reading import read_definition
from app.flow.simulate import walk
from app.flow.state import SETTLED, State
from app.templates.language import address
from app.templates.library import open_shelf
from tests.unit.flow.migration.versions import milestone, stage, task
from tests.unit.flow.running import STAFF, managed_services


@cache
def original() -> dict[str, Any]:
    """The template's own document."""
    return dict(open_shelf("msp/managed-services").template.document)


@cache
def walked(seed: int) -> tuple[tuple[Recorded, ...], State]:
    """One history from its start to its end."""
    history, final = walk(managed_services(), seed)
    return tuple(history), final


@cache
def altered(seed: int) -> tuple[Definition, dict[str, str]]:
    """The template after a few random changes that every template could go through, and its renamed items."""
    chance = Random(seed)  # noqa: S311  # a repeatable choice, not a secret
    document = copy.deepcopy(original())
    document["version"] = f"2.0.{seed}"
    stages: list[dict[str, Any]] = document["stages"]
    for number in range(chance.randrange(3)):
        extra = stage(f"extra_{number}", milestone(f"extra_done_{number}", task(f"extra_{number}")))
        stages.insert(chance.randrange(len(stages)), extra)
    milestones = [each for one in stages for each in one["milestones"]]
    for number in range(chance.randrange(3)):
        chance.choice(milestones)["tasks"].append(task(f"added_{number}"))
    for each in milestones:  # the last step of some has no place any more
        if chance.random() < 0.25 and each["tasks"][-1]["id"] in {"announce", "schedule_kickoff", "invite_admin"}:
            gone = each["tasks"].pop()["id"]
            document["timers"] = [timer for timer in document["timers"] if timer["item"] != f"task.{gone}"]
    for each in [step for one in milestones for step in one["tasks"]]:
        if each["id"] in {"assign_team", "kickoff", "solve_first_ticket"} and chance.random() < 0.4:
            each["fields"] = [each["fields"][0] | {"type": chance.choice(["integer", "long_text", "text"])}]
    renamed = {}
    if chance.random() < 0.5:
        renamed = {"task.kickoff": "task.first_meeting", "stage.preparation": "stage.set_up"}
    for timer in document["timers"]:
        timer["ladder"][0]["after"] = {"business_days": chance.randrange(1, 5)}
    document = msgspec.json.decode(written_anew(msgspec.json.encode(document).decode(), renamed))
    return read_definition(document, address(document)), renamed


def written_anew(text: str, renamed: dict[str, str]) -> str:
    """A document's text with other names for some of its items, wherever they are named."""
    for was, becomes in renamed.items():
        old, new = was.partition(".")[2], becomes.partition(".")[2]
        after = "kind" if was.startswith("task.") else "title"
        text = text.replace(f'"{was}"', f'"{becomes}"').replace(f"{was}.", f"{becomes}.")
        text = text.replace(f"answers.{old}.", f"answers.{new}.")
        text = text.replace(f'{{"id":"{old}","{after}"', f'{{"id":"{new}","{after}"')
    return text


def settled_by_hand(problems: tuple[Problem, ...], wanted: MigrationMap) -> MigrationMap:
    """What somebody in a hurry would say: leave it out."""
    dropped, values = list(wanted.dropped), dict[str, Value](wanted.values)
    for each in problems:
        if each.kind == "unplaced" and each.item:
            dropped.append(each.item)
        elif each.kind in {"value", "owner"}:
            values[each.place.removeprefix("/values/")] = None
    return MigrationMap(items=wanted.items, dropped=tuple(dict.fromkeys(dropped)), values=values)


def check(before: State, after: State, wanted: MigrationMap) -> None:
    """Nothing finished is open, nothing written is gone."""
    record = after.migrations[-1]
    for key, item in before.items.items():
        becomes = wanted.items.get(key, key)
        now = after.items.get(becomes) if key not in wanted.dropped else record.departed.get(key)
        if now is None:
            assert (item.state, item.answers, item.assignee) == ("waiting", {}, None)
            continue
        if item.state in SETTLED:
            assert (now.state, now.settled_at, now.settled_by) == (item.state, item.settled_at, item.settled_by)
        name = becomes.partition(".")[2]
        assert item.answers == now.answers | {
            field: value for field in item.answers for value in [record.values.get(f"answers.{name}.{field}")] if value
        }
        assert now.evidence == item.evidence
        assert now.request >= item.request
        if before.plan and after.plan and key in before.plan.baseline:
            planned = record.baseline if becomes not in after.items else after.plan.baseline
            assert planned[key if becomes not in after.items else becomes] == before.plan.baseline[key]
    for each in before.exceptions.values():
        assert each.id in after.exceptions
    for each in after.open_exceptions():
        assert each.item in after.items


@given(st.integers(0, 3), st.integers(0, 5), st.integers(0, 10_000))
@settings(max_examples=25, deadline=None, database=None)
def test_goes_on_with_a_changed_template(seed: int, other: int, moment: int):
    check_one(seed, other, moment)


@pytest.mark.soak
@given(st.integers(0, 100), st.integers(0, 60), st.integers(0, 10_000))
@settings(max_examples=1_000, deadline=None, database=None)
def test_goes_on_with_many_changed_templates(seed: int, other: int, moment: int):
    check_one(seed, other, moment)


def check_one(seed: int, other: int, moment: int) -> None:
    """One history, stopped at one moment, goes on with one changed template."""
    old = managed_services()
    new, renamed = altered(other)
    history, _final = walked(seed)
    history = history[: 1 + moment % len(history)]
    before = replay(old, history)
    at = history[-1].at
    wanted = MigrationMap(items=renamed)
    event = Migrated(
        by=STAFF,
        before=old.digest,
        definition=new.digest,
        version=new.version,
        reason="Better.",
        map=wanted,
        keeps_dates=True,
    )
    if before.phase != "running":
        return
    event = msgspec.structs.replace(
        event, map=settled_by_hand(preview(old, new, before, event, at).plan.problems, wanted)
    )
    seen = preview(old, new, before, event, at)
    if seen.plan.problems:
        assert {each.kind for each in seen.plan.problems} <= {"in_flight", "exception", "overtaken", "map"}
        return
    known = {old.digest: old, new.digest: new}
    decision = decide_by(known.__getitem__, before, event, at)
    after = decision.state
    assert decision == seen.decision
    check(before, after, event.map)
    started = [each for each in decision.commands if isinstance(each, StartTimer)]
    assert sorted(each.timer for each in started) == sorted(name for name, each in after.timers.items() if each.armed)
    for each in started:
        assert (after.timers[each.timer].version, after.timers[each.timer].due_at) == (each.version, each.due_at)
    for name, timer in before.timers.items():
        late = TimerFired(timer=name, rung=timer.rung, version=timer.version)
        assert not timer.armed or after.status != "running" or decide(new, after, late, timer.due_at).state is after
    journal = [*history, Recorded(at=at, event=event)]
    assert replay(old, journal, new) == after
    assert msgspec.json.decode(msgspec.json.encode(after), type=State) == after
    assert all(move.cause == "migrated" for move in decision.moves)
