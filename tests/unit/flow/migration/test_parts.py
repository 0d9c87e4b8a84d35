"""Repeated parts go on with another version: each instance as its pattern does, with its number, name and answers."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from app.flow import events
from app.flow.decide import Recorded, decide_by, replay
from app.flow.definition import Definition
from app.flow.events import Migrated, MigrationMap
from app.flow.migration.mapping import Problem
from app.flow.migration.migrate import MigrationRefused, preview
from app.flow.parts.unfolding import unfold
from app.flow.simulate import walk
from app.flow.state import SETTLED
from tests.unit.flow.migration.versions import go_on, look
from tests.unit.flow.parts.small import NEEDED, SmallRun, milestone, small, task
from tests.unit.flow.parts.test_repeated import ALL, SETUP, SITES, TIMER, add, begun, do, sites
from tests.unit.flow.running import STAFF, Run

AFTER = task("after", "depends_on: [task.setup]")
INSPECTED = MigrationMap(items={"task.look": "task.inspect"})


def inspecting(text: str) -> str:
    """The look has another key, wherever it is named."""
    return text.replace("task.look", "task.inspect").replace("answers.look", "answers.inspect")


@cache
def renamed() -> Definition:
    """The look has another key, and a step comes after."""
    text = inspecting(ALL).replace("id: look", "id: inspect")
    text = text.replace(inspecting(SETUP), f"{inspecting(SETUP)}, {AFTER}")
    return small(text, inputs=SITES, timers=inspecting(TIMER)).compile()


@cache
def without() -> Definition:
    """There are no sites any more."""
    text = milestone("base", task("plan")) + milestone("end", task("report"))
    return small(text, inputs=SITES).compile()


@cache
def once() -> Definition:
    """Only one site is looked at."""
    text = ALL.replace("repeat: {for_each: inputs.sites, at_most: 4}, ", "").replace("part.name", "inputs.seats")
    return small(text, inputs=SITES, timers=TIMER).compile()


def two_begun() -> SmallRun:
    """One of two is done; a problem, a chosen owner and an answer are on the other."""
    run = begun("Berlin", "Oslo")
    run.complete("task.plan")
    do(run, 1)
    run.complete("task.look#2", ok=False)
    run.apply(events.OwnerAssigned(by=STAFF, item="task.fix#2", person="noor"))
    said = {"type": "timeline_risk", "reason_code": "scope_mismatch", "note": "Nobody is there."}
    run.apply(events.ExceptionRaised(by=STAFF, item="task.fix#2", blocks=False, **said))
    return run


def is_replayed(run: Run, first: Definition, *later: Definition) -> bool:
    return replay(first, run.history, *later) == run.state


class TestInstances:
    def test_go_on_with_all_that_is_theirs(self):
        run = two_begun()
        before = run.state
        assert look(run, renamed(), INSPECTED).plan.parts == before.parts
        go_on(run, renamed(), INSPECTED)
        now = run.state
        assert now.parts == before.parts
        assert set(now.items) == set(unfold(renamed(), now.parts).items)
        for number in (1, 2):
            was, becomes = before.items[f"task.look#{number}"], now.items[f"task.inspect#{number}"]
            assert (becomes.state, becomes.answers, becomes.settled_at) == (was.state, was.answers, was.settled_at)
        assert now.items["task.fix#2"].assignee == "noor"
        assert [each.item for each in now.open_exceptions()] == ["task.fix#2"]
        assert now.items["task.after#2"].state == "waiting"
        assert is_replayed(run, sites(), renamed())

    def test_further_ones_get_numbers_that_nobody_had(self):
        run = two_begun()
        go_on(run, renamed(), INSPECTED)
        add(run, "milestone.site")
        assert [(part.number, part.name) for part in run.state.parts["milestone.site"].each][2:] == [(3, "Rome")]
        run.complete("task.inspect#3", ok=True)
        assert run.state.items["task.setup#3"].state == "running"
        assert is_replayed(run, sites(), renamed())

    def test_clocks_are_those_of_each(self):
        run = begun("Berlin", "Oslo")
        run.complete("task.plan")
        go_on(run, renamed(), INSPECTED)
        armed = {name for name, timer in run.state.timers.items() if timer.armed}
        assert armed == {"slow#1", "slow#2"}

    def test_a_value_that_gives_way_is_kept_for_each(self):
        fields = "fields: [{id: ok, label: {en: OK}, type: boolean}]"
        text = ALL.replace(fields, fields.replace("id: ok", "id: good")).replace("look.ok", "look.good")
        other = small(text, inputs=SITES, timers=TIMER).compile()
        run = begun("Berlin", "Oslo")
        run.complete("task.plan")
        run.complete("task.look#1", ok=True)
        run.complete("task.look#2", ok=False)
        run.apply(events.ActionSucceeded(task="task.setup#1", request=1))
        assert {each.place for each in look(run, other).plan.problems} == {
            "/values/answers.look#1.ok",
            "/values/answers.look#2.ok",
        }
        named = MigrationMap(values={"answers.look.ok": None, "answers.look#2.ok": None})
        assert look(run, other, named).plan.problems == ()
        go_on(run, other, MigrationMap(values={"answers.look.ok": None}))
        assert run.state.migrations[-1].values == {"answers.look#1.ok": True, "answers.look#2.ok": False}

    def test_a_value_is_settled_for_all_unless_the_map_names_one(self):
        fields = "fields: [{id: ok, label: {en: OK}, type: boolean}]"
        text = ALL.replace(fields, fields.replace("boolean", "integer")).replace(
            "'!answers.look.ok'", "answers.look.ok < 1"
        )
        run = begun("Berlin", "Oslo")
        run.complete("task.plan")
        for number in (1, 2):
            run.complete(f"task.look#{number}", ok=False)
        wanted = MigrationMap(values={"answers.look.ok": 3, "answers.look#2.ok": 7})
        go_on(run, small(text, inputs=SITES, timers=TIMER).compile(), wanted)
        assert [run.item(f"task.look#{number}").answers for number in (1, 2)] == [{"ok": 3}, {"ok": 7}]


class TestWhatHasNoPlace:
    def test_is_refused_at_its_place(self):
        run = two_begun()
        places = {each.place: each.kind for each in look(run, without()).plan.problems}
        assert places["/items/task.look#1"] == places["/items/milestone.site"] == "unplaced"
        assert places["/items/task.fix#2"] == "exception"
        with pytest.raises(MigrationRefused):
            go_on(run, without())

    def test_is_kept_with_the_migration_and_comes_back(self):
        run = begun("Berlin", "Oslo")
        run.complete("task.plan")
        do(run, 1)
        before = run.state
        go_on(run, without(), MigrationMap(dropped=("milestone.site",)))
        left = run.state.migrations[-1]
        assert run.state.parts == {}
        assert left.parts == before.parts
        assert left.departed["task.look#1"].answers == {"ok": True}
        go_on(run, sites())
        assert run.state.parts == before.parts
        assert run.state.items["task.look#1"].answers == {"ok": True}
        assert is_replayed(run, sites(), without())

    def test_several_do_not_become_one(self):
        run, key = two_begun(), "milestone.site"
        reason = "It happens several times in one of the versions and once in the other, and it has begun."
        expected = Problem(kind="repeated", place=f"/items/{key}", reason=reason, item=key)
        assert expected in look(run, once()).plan.problems

    def test_one_does_not_become_several(self):
        run = SmallRun(once(), sites="Berlin")
        run.complete("task.plan")
        found = {(one.kind, one.place) for one in look(run, sites()).plan.problems}
        assert ("repeated", "/items/milestone.site") in found

    @pytest.mark.parametrize("ways", [(sites, once), (once, sites)])
    def test_what_nobody_began_is_new(self, ways):
        first, other = (each() for each in ways)
        run = SmallRun(first, sites="Berlin\nOslo")
        go_on(run, other)
        assert set(run.state.items) == set(unfold(other, run.state.parts).items)
        assert is_replayed(run, first, other)
        run.complete("task.plan")
        looks = [key for key in run.state.items if key.startswith("task.look")]
        assert {run.state.items[key].state for key in looks} == {"open"}
        assert len(looks) == (2 if other is sites() else 1)

    def test_what_only_the_new_version_has_follows_its_list(self):
        run = SmallRun(small(NEEDED, inputs=SITES).compile(), sites="Berlin\nOslo")
        first, visit = run.definition, task("visit", "repeat: {for_each: inputs.sites}, due: {business_days: 3}")
        other = small(NEEDED + milestone("more", visit), inputs=SITES).compile()
        go_on(run, other)
        assert run.state.items["task.visit#2"].state == "open"
        assert run.state.items["task.visit#2"].due_at is not None
        assert is_replayed(run, first, other)


class TestAnyHistory:
    @pytest.mark.parametrize("seed", range(4))
    def test_loses_none_and_replays(self, seed):
        history, _final = walk(sites(), seed)
        tried = [one_moment(tuple(history[:length])) for length in range(2, len(history), 5)]
        assert any(tried)


def one_moment(history: tuple[Recorded, ...]) -> bool:
    """Stopped there, it goes on with the other version. Whether nothing stood in the way."""
    first, other, now = sites(), renamed(), history[-1].at
    before = replay(first, history)
    about: dict[str, Any] = {"before": first.digest, "definition": other.digest, "version": other.version}
    event = Migrated(by=STAFF, map=INSPECTED, reason="Better.", keeps_dates=True, **about)
    problems = preview(first, other, before, event, now).plan.problems
    if problems or before.phase != "running":
        assert {each.kind for each in problems} <= {"in_flight"}
        return False
    known = {each.digest: each for each in (first, other)}
    after = decide_by(known.__getitem__, before, event, now).state
    for key, was in before.items.items():
        becomes = after.items[key.replace("task.look", "task.inspect")]
        assert was.answers == becomes.answers
        assert was.state not in SETTLED or (was.state, was.settled_at) == (becomes.state, becomes.settled_at)
    assert replay(first, (*history, Recorded(at=now, event=event)), other) == after
    return True
