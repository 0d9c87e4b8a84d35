"""Repeated parts: they follow their list until their turn comes; each instance has a life of its own."""

from __future__ import annotations

from functools import cache

import pytest

from app.flow import events
from app.flow.commands import RequestAction, StartTimer
from app.flow.decide import UnknownItem, decide, replay
from app.flow.definition import Definition
from app.flow.parts.repeated import PartNameRefused, PartRefused
from app.flow.parts.unfolding import unfold
from app.flow.simulate import simulate, walk
from app.flow.steps.draft import NotOpen
from app.flow.steps.work import TaskBuiltUpon
from tests.unit.flow.parts.small import SmallRun, milestone, refused, small, task
from tests.unit.flow.running import STAFF, of_type

SITES = "- {id: sites, label: {en: Sites}, type: list}"
TIMER = "- {id: slow, item: task.look, ladder: [{after: {business_days: 1}, role: lead, message: {en: Slow}}]}"
LOOK = task("look", "due: {business_days: 2}, fields: [{id: ok, label: {en: OK}, type: boolean}]", kind="form")
FIX = task("fix", "depends_on: [task.look], when: '!answers.look.ok'")
SETUP = task(
    "setup",
    "depends_on: [task.look, task.fix], action: {connector: c, action: a, input: {site: part.name}}",
    kind="action",
)
SITE = milestone("site", LOOK, FIX, SETUP, more="repeat: {for_each: inputs.sites, at_most: 4}, depends_on: [task.plan]")
ALL = milestone("base", task("plan")) + SITE + milestone("end", task("report", "depends_on: [milestone.site]"))


@cache
def sites() -> Definition:
    return small(ALL, inputs=SITES, timers=TIMER).compile()


@cache
def visits() -> Definition:
    """Started with one; people add others."""
    report = task("report", "depends_on: [task.visit]")
    return small(milestone("base", task("visit", "repeat: {at_most: 3}"), report, task("rest"))).compile()


@cache
def asked() -> Definition:
    """The list is asked for in the course."""
    ask = task("ask", "fields: [{id: names, label: {en: N}, type: list}]", kind="form")
    visit = task("visit", "repeat: {for_each: answers.ask.names}, due: {business_days: 3}, depends_on: [task.ask]")
    return small(milestone("base", ask, visit, task("rest"))).compile()


def begun(*names: str) -> SmallRun:
    return SmallRun(sites(), sites="\n".join(names))


def add(run: SmallRun, item: str, name: str = "Rome"):
    return run.apply(events.PartAdded(by=STAFF, item=item, name=name))


def remove(run: SmallRun, item: str):
    return run.apply(events.PartRemoved(by=STAFF, item=item))


def do(run: SmallRun, number: int, *, ok: bool = True) -> None:
    run.complete(f"task.look#{number}", ok=ok)
    if not ok:
        run.complete(f"task.fix#{number}")
    run.apply(events.ActionSucceeded(task=f"task.setup#{number}", request=1))


class TestFromAList:
    def test_each_entry_has_its_own_items_below_one_group(self):
        run = begun("Berlin", "Oslo", "Berlin", "")
        plan = unfold(sites(), run.state.parts)
        assert plan.items["milestone.site"].children == ("milestone.site#1", "milestone.site#2")
        assert plan.items["task.look#2"].parent == "milestone.site#2"
        assert plan.items["task.look#2"].title == {"en": "Look: Oslo"}
        assert plan.items["task.setup#1"].depends_on == ("task.look#1", "task.fix#1")
        assert set(run.state.items) == set(plan.items)
        positions = [item.position for item in plan.items.values()]
        assert positions == sorted(positions)
        assert len(set(positions)) == len(positions)

    def test_the_whole_ends_when_each_has_ended(self):
        run = begun("Berlin", "Oslo")
        run.complete("task.plan")
        do(run, 2, ok=False)
        assert run.item("milestone.site#2").state == "done"
        assert run.item("milestone.site").state == "open"
        assert run.item("task.report").state == "waiting"
        do(run, 1)
        assert run.item("milestone.site").state == "done"
        assert run.item("task.fix#1").state == "skipped"
        assert run.item("task.report").state == "open"

    def test_criteria_and_inputs_mean_their_own_instance(self):
        run = begun("Berlin", "Oslo")
        run.complete("task.plan")
        run.complete("task.look#2", ok=True)
        asked = of_type(run.last, RequestAction)
        assert [(each.task, each.input) for each in asked] == [("task.setup#2", {"site": "Oslo"})]
        assert run.item("task.fix#1").state == "waiting"

    def test_timers_run_for_each(self):
        run = begun("Berlin", "Oslo")
        run.complete("task.plan")
        assert [(each.timer, each.item) for each in of_type(run.last, StartTimer)] == [
            ("slow#1", "task.look#1"),
            ("slow#2", "task.look#2"),
        ]
        run.complete("task.look#1", ok=True)
        assert not run.state.timers["slow#1"].armed
        assert run.state.timers["slow#2"].armed

    def test_an_empty_list_is_left_out(self):
        run = begun()
        run.complete("task.plan")
        assert run.item("milestone.site").state == "skipped"
        assert run.item("task.report").state == "open"

    def test_it_follows_its_list_until_its_turn_has_come(self):
        run = SmallRun(asked())
        assert unfold(asked(), run.state.parts).items["task.visit"].children == ()
        run.complete("task.ask", names="Rome\nParis")
        assert {key for key in run.state.items if "#" in key} == {"task.visit#1", "task.visit#2"}
        assert run.item("task.visit#2").state == "open"
        run.apply(events.RolledBack(by=STAFF, stage="stage.work", reason="Again"))
        assert "task.visit#1" not in run.state.items
        run.complete("task.ask", names="Paris\nLima")
        named = [(part.number, part.name) for part in run.state.parts["task.visit"].each]
        assert named == [(3, "Paris"), (4, "Lima")]  # no number is given twice

    def test_dates_move_with_that_one_cause(self):
        run = SmallRun(asked())
        run.complete("task.ask", names="Rome")
        assert run.item("task.visit#1").due_at == run.item("task.visit").due_at
        run = begun("Berlin")
        before = run.item("milestone.site").due_at
        moved = run.apply(
            events.DueDateSet(by=STAFF, item="task.look#1", day=run.now.date().replace(day=20), reason="x")
        )
        assert run.item("milestone.site").due_at != before
        assert {(move.cause, move.cause_item) for move in moved.moves} == {("chosen", "task.look#1")}

    def test_one_may_be_left_out_but_not_taken_from_its_list(self):
        run = begun("Berlin", "Oslo")
        with pytest.raises(PartRefused, match="comes from a list"):
            remove(run, "milestone.site#2")
        run.apply(events.ItemSkipped(by=STAFF, item="milestone.site#2", reason="Sold"))
        run.complete("task.plan")
        do(run, 1)
        assert run.item("milestone.site").state == "done"


class TestByPeople:
    def test_one_is_there_and_another_is_added(self):
        run = SmallRun(visits())
        assert run.item("task.visit#1").state == "open"
        add(run, "task.visit")
        assert run.item("task.visit#2").state == "open"
        run.complete("task.visit#1")
        assert run.item("task.visit").state == "open"
        run.complete("task.visit#2")
        assert run.item("task.visit").state == "done"

    def test_what_has_ended_goes_on_before_anything_was_built_on_it(self):
        run = begun("Berlin")
        run.complete("task.plan")
        do(run, 1)
        with pytest.raises(TaskBuiltUpon):
            add(run, "milestone.site")
        free = small(milestone("base", task("visit", "repeat: {at_most: 3}"), task("rest"))).compile()
        run = SmallRun(free)
        run.complete("task.visit#1")
        assert run.item("task.visit").state == "done"
        add(run, "task.visit")
        assert run.item("task.visit").state == "open"
        for key in ("task.visit#2", "task.rest"):
            run.complete(key)
        with pytest.raises(NotOpen):
            add(run, "task.visit", "Bonn")

    def test_dates_move_because_of_it(self):
        due = task("visit", "repeat: {at_most: 3}, due: {business_days: 2}")
        run = SmallRun(small(milestone("base", due, task("rest", "due: {business_days: 1}"))).compile())
        run.now = run.now.replace(day=4)
        moves = add(run, "task.visit").moves
        assert {move.cause for move in moves} <= {"repeated", "opened"}
        assert run.item("task.visit#2").due_cause == "repeated"

    def test_one_in_which_nothing_was_done_is_taken_away(self):
        run = SmallRun(visits())
        add(run, "task.visit")
        decision = remove(run, "task.visit#2")
        assert decision.removed == ("task.visit#2",)
        assert "task.visit#2" not in run.state.items
        add(run, "task.visit", "Rome")
        assert "task.visit#3" in run.state.items
        assert replay(visits(), run.history) == run.state

    @pytest.mark.parametrize(
        ("item", "name", "error"),
        [
            ("task.report", "Rome", PartRefused),
            ("task.visit#1", "Rome", PartRefused),
            ("task.visit", " ", PartNameRefused),
            ("task.visit", "x" * 201, PartNameRefused),
            ("task.visit", "1", PartNameRefused),
            ("task.visit#9", "Rome", UnknownItem),
        ],
    )
    def test_refuses_to_add(self, item, name, error):
        with pytest.raises(error):
            add(SmallRun(visits()), item, name)

    def test_refuses_more_than_there_may_be(self):
        run = SmallRun(visits())
        add(run, "task.visit", "Rome")
        add(run, "task.visit", "Bonn")
        with pytest.raises(PartRefused, match="3 times at most"):
            add(run, "task.visit", "Kiel")
        run = SmallRun(asked())
        with pytest.raises(PartRefused, match="follows its list"):
            add(run, "task.visit", "Kiel")

    def test_refuses_to_take_away_what_was_begun_or_is_the_only_one(self):
        run = SmallRun(visits())
        with pytest.raises(PartRefused, match="the only one"):
            remove(run, "task.visit#1")
        add(run, "task.visit")
        run.complete("task.visit#2")
        with pytest.raises(PartRefused, match="Something was done"):
            remove(run, "task.visit#2")
        with pytest.raises(PartRefused, match="not one of several"):
            remove(run, "task.visit")


class TestAnyHistory:
    @pytest.mark.parametrize("plan", [sites, visits, asked])
    def test_reaches_its_end_and_replays(self, plan):
        definition = plan()
        assert simulate(definition, seed=5, histories=10).dead_ends == ()
        for seed in range(5):
            history, state = walk(definition, seed)
            assert replay(definition, history) == state
            assert set(state.items) == set(unfold(definition, state.parts).items)

    def test_a_view_decides_as_the_definition_does(self):
        run = begun("Berlin", "Oslo")
        view = unfold(sites(), run.state.parts)
        event = events.TaskCompleted(by=STAFF, task="task.plan")
        assert decide(view, run.state, event, run.now) == decide(sites(), run.state, event, run.now)
        assert unfold(view, run.state.parts) is view


class TestLint:
    @pytest.mark.parametrize(
        ("old", "new", "word"),
        [
            ("for_each: inputs.sites", "for_each: inputs.site", "Did you mean “inputs.sites”?"),
            ("for_each: inputs.sites", "for_each: inputs.seats", "is no list"),
            ("for_each: inputs.sites", "for_each: answers.look.ok", "is no list"),
            ("repeat: {for_each: inputs.sites, at_most: 4}", "repeat: {}", "less than 1 property"),
            ("depends_on: [milestone.site]", "depends_on: [task.look]", "waits for “milestone.site” as a whole"),
            ("depends_on: [milestone.site]", 'when: "answers.look.ok"', "has a value for each of several"),
            ("depends_on: [milestone.site]", "when: \"part.name == 'x'\"", "nothing here happens several times"),
            ("{id: look,", "{id: look, repeat: {at_most: 2},", "happens several times already"),
        ],
    )
    def test_refuses(self, old, new, word):
        assert old in ALL
        found = refused(ALL.replace(old, new), inputs=SITES, timers=TIMER)
        assert any(word in str(problem) for problem in found), found

    def test_refuses_a_timer_from_the_start(self):
        timer = TIMER.replace("ladder", "starts: started, ladder")
        assert any("when each of them opens" in str(one) for one in refused(ALL, inputs=SITES, timers=timer))

    def test_its_own_name_may_be_used_from_outside(self):
        text = ALL.replace("depends_on: [milestone.site]", 'when: "milestone.site.done && size(inputs.sites) > 1"')
        assert not refused(text, inputs=SITES, timers=TIMER)
