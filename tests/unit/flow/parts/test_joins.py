"""Parallel tracks join when all of them ended, or with the first that was done; a branch not taken blocks nothing."""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement, permutations, product

import pytest

from app.flow import events
from app.flow.dates.backward import look_back
from app.flow.decide import replay
from app.flow.definition import Definition
from app.flow.schedule import Forecast
from app.flow.simulate import simulate
from app.templates.language import read_template
from tests.unit.flow.parts.small import NEEDED, SmallRun, milestone, refused, small, small_text, task
from tests.unit.flow.running import MONDAY, STAFF

LEFT_OUT = 'when: "inputs.seats > 1000"'
ENDS = ("done", "not taken", "left out", "not needed")


NAMES = ("a", "bb", "ccc")
INPUTS = "\n".join(f"- {{id: no_{name}, label: {{en: N}}, type: boolean, default: false}}" for name in NAMES)


@cache
def three(join: str) -> Definition:
    """Tracks a, bb and ccc, each of which may end in any way, and what joins them."""
    more = "optional: true, due: {{business_days: {days}}}, when: '!inputs.no_{name}'"
    tracks = [task(name, more.format(days=len(name), name=name)) for name in NAMES]
    names = ", ".join(f"task.{name}" for name in NAMES)
    joined = task("joined", f"optional: true, join: {join}, depends_on: [{names}]")
    return small(
        milestone("tracks", *tracks, task("rest")) + milestone("last", joined, task("more")), inputs=INPUTS
    ).compile()


def begin(join: str, ends: tuple[str, ...] = ()) -> SmallRun:
    return SmallRun(three(join), **{f"no_{name}": end == "not taken" for name, end in zip(NAMES, ends, strict=False)})


def end(run: SmallRun, name: str, how: str) -> None:
    key = f"task.{name}"
    if how == "done":
        run.complete(key)
    elif how == "left out":
        run.apply(events.ItemSkipped(by=STAFF, item=key, reason="No"))
    elif how == "not needed":
        run.decline(key)


class TestAll:
    @pytest.mark.parametrize("ends", list(combinations_with_replacement(ENDS, 3)))
    def test_begins_with_the_last_that_ended_however_it_ended(self, ends):
        run = begin("all", ends)
        for name, how in zip(NAMES, ends, strict=True):
            if any(one != "not taken" for one in ends[NAMES.index(name) :]):
                assert run.item("task.joined").state == "waiting"
            end(run, name, how)
        assert run.item("task.joined").state == "open"
        assert replay(run.definition, run.history) == run.state

    @pytest.mark.parametrize("order", list(permutations(NAMES)))
    def test_does_not_depend_on_the_order(self, order):
        run = begin("all")
        for name in order:
            assert run.item("task.joined").state == "waiting"
            run.complete(f"task.{name}")
        assert run.item("task.joined").state == "open"


class TestAny:
    @pytest.mark.parametrize("ends", list(product(ENDS, repeat=3)))
    def test_begins_with_the_first_that_was_done_or_when_none_is_left(self, ends):
        run = begin("any", ends)
        for index, (name, how) in enumerate(zip(NAMES, ends, strict=True)):
            end(run, name, how)
            left = [one for one in ends[index + 1 :] if one != "not taken"]
            begun = "done" in ends[: index + 1] or not left
            assert run.item("task.joined").state == ("open" if begun else "waiting")
        assert replay(run.definition, run.history) == run.state

    def test_the_others_go_on_and_hold_their_stage(self):
        run = begin("any")
        run.complete("task.a")
        run.complete("task.joined")
        assert {run.item(f"task.{name}").state for name in ("bb", "ccc")} == {"open"}
        assert run.item("stage.work").state == "open"

    def test_no_random_history_gets_stuck_on_it(self):
        report = simulate(three("any"), seed=3, histories=10)
        assert report.dead_ends == ()


class TestStages:
    TWO = """
  - id: second
    title: {en: Second}
    owner: lead
    after: [handoff]
    WHEN
    milestones: [{id: m2, layer: implementation, title: {en: M}, owner: lead,
      evidence: {label: {en: X}, source: tasks}, tasks: [{id: t2, kind: meeting, title: {en: T}, owner: lead}]}]
  - id: live
"""

    def two(self, *, when: str = "", join: str = "all") -> Definition:
        text = small_text(NEEDED).replace("  - id: live\n", self.TWO.lstrip("\n").replace("WHEN", when))
        text = text.replace(
            "title: {en: Live}\n", f"title: {{en: Live}}\n    after: [work, second]\n    join: {join}\n"
        )
        return read_template(text, "two.yaml").compile()

    def test_side_by_side_join_when_both_ended(self):
        run = SmallRun(self.two())
        assert {run.item(key).state for key in ("stage.work", "stage.second")} == {"open"}
        run.complete("task.t2")
        assert run.item("stage.live").state == "waiting"
        run.complete("task.build")
        assert run.item("stage.live").state == "open"

    def test_one_that_was_not_taken_blocks_nothing(self):
        run = SmallRun(self.two(when=LEFT_OUT))
        assert run.item("stage.second").state == "skipped"
        run.complete("task.build")
        assert run.item("stage.live").state == "open"

    def test_with_any_the_first_is_enough_and_the_end_waits_for_both(self):
        run = SmallRun(self.two(join="any"))
        run.complete("task.t2")
        assert run.item("stage.live").state == "open"
        run.prove_value()
        assert run.state.ended_at is None
        run.complete("task.build")
        assert run.state.status == "finished"


class TestDates:
    def test_any_follows_the_earliest_all_the_latest(self):
        for join, name in (("any", "a"), ("all", "ccc")):
            run = begin(join)
            forecast = Forecast(run.definition, run.state, MONDAY)
            assert forecast.at(("task.joined", "begin")) == forecast.end(f"task.{name}")

    def test_a_move_has_the_one_cause_that_lies_in_the_first(self):
        run = begin("any")
        due = run.state.items["task.ccc"].due_at
        assert due is not None
        day = due.date()
        chosen = events.DueDateSet(by=STAFF, item="task.a", day=day, reason="x")
        moved = {move.item: move for move in run.apply(chosen).moves}
        assert (moved["task.joined"].cause, moved["task.joined"].cause_item) == ("chosen", "task.a")
        moved = {move.item: move for move in run.complete("task.ccc").moves}
        assert (moved["task.joined"].cause, moved["task.joined"].cause_item) == ("finished", "task.ccc")

    @pytest.mark.parametrize("join", ["all", "any"])
    def test_a_go_live_needs_each_of_them_or_none_of_them_alone(self, join):
        one, two = task("one", "due: {business_days: 3}"), task("two", "due: {business_days: 1}")
        after = task("joined", f"join: {join}, depends_on: [task.one, task.two], due: {{business_days: 5}}")
        run = SmallRun(small(milestone("both", one, two) + milestone("last", after)).compile())
        run.apply(events.GoLiveSet(by=STAFF, day=run.now.date().replace(day=27), reason="Agreed"))
        back = look_back(run.definition, run.state)
        assert back is not None
        latest = back.latest["task.one"]
        assert (latest.to_spare < back.latest["milestone.both"].to_spare) == (join == "all")


class TestLint:
    def test_any_wants_a_choice(self):
        found = refused(milestone("base", task("build"), task("two", "join: any, depends_on: [task.build]")))
        assert any("two or more" in str(problem) for problem in found)

    def test_what_is_needed_may_wait_for_one_that_is_when_another_is_optional(self):
        parts = (task("build"), task("tour", "optional: true"))
        wait = task("two", "join: any, depends_on: [task.build, task.tour]")
        assert not refused(milestone("base", *parts, wait))
        assert refused(milestone("base", *parts, wait.replace("join: any, ", "")))
