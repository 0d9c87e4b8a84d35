"""Each of several as the definition has it, and what is left when one is taken away again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from app.flow import events
from app.flow.parts.repeated import LONGEST_NAME, PartNameRefused, PartRefused
from app.flow.parts.unfolding import SPACE, unfold
from app.flow.state import Part, Parts, Proof
from tests.unit.flow.parts.small import SmallRun, milestone, small, task
from tests.unit.flow.parts.test_patterns import read_anew
from tests.unit.flow.parts.test_repeated import ALL, SITES, TIMER, add, asked, remove, sites
from tests.unit.flow.running import STAFF

HALL = milestone("hall", task("see"), more="repeat: {at_most: 2}")
LADDER = "ladder: [{after: {business_days: 1}, role: lead, message: {en: Slow}}]"
CLOCKS = f"{TIMER}\n- {{id: late, item: task.plan, {LADDER}}}\n- {{id: dark, item: task.see, {LADDER}}}"


def several(*numbers: int) -> dict[str, Parts]:
    return {"milestone.site": Parts(count=max(numbers), each=tuple(Part(number=n, name=f"Site {n}") for n in numbers))}


class TestEach:
    def test_stands_below_its_group_with_names_of_its_own(self):
        items = unfold(sites(), several(1, 2)).items
        group = items["milestone.site"]
        assert group.children == ("milestone.site#1", "milestone.site#2")
        root, setup = items["milestone.site#2"], items["task.setup#2"]
        assert (root.parent, root.children) == ("milestone.site", ("task.look#2", "task.fix#2", "task.setup#2"))
        assert (setup.parent, setup.depends_on) == ("milestone.site#2", ("task.look#2", "task.fix#2"))
        assert (setup.group, setup.number, setup.part) == ("milestone.site", 2, "Site 2")
        assert setup.title == {"en": "Setup: Site 2"}
        assert items["task.report"].depends_on == ("milestone.site",)

    def test_waits_for_its_own_and_for_what_is_once(self):
        parts = {"milestone.hall": Parts(count=2, each=(Part(number=2, name="Big"),))}
        assert unfold(read_anew(), parts).items["task.tell#2"].depends_on == ("task.see#2", "task.plan")

    def test_stands_in_the_order_of_the_template_however_many_there_are(self):
        found = unfold(read_anew(), several(*range(1, 9))).items
        places = [item.position for item in found.values()]
        assert len(set(places)) == len(places)
        assert places == sorted(places)

    def test_has_a_place_of_its_own_between_its_group_and_what_follows(self):
        items = unfold(sites(), several(1, 2, 5_001)).items
        first = items["milestone.site"].position + 1
        assert [items[f"milestone.site#{n}"].position for n in (1, 2)] == [first, first + 4]
        assert [items[f"task.{name}#2"].position for name in ("look", "fix", "setup")] == [first + n for n in (5, 6, 7)]
        assert items["milestone.site#5001"].position == first + 20_000 % (SPACE - 1)

    def test_has_the_time_that_its_group_has_not(self):
        parts = {"task.visit": Parts(count=1, each=(Part(number=1, name="Rome"),))}
        items = unfold(asked(), parts).items
        assert asked().items["task.visit"].due == items["task.visit#1"].due is not None
        assert items["task.visit"].due is None

    def test_has_clocks_of_its_own_beside_all_others(self):
        definition = small(ALL + HALL, inputs=SITES, timers=CLOCKS).compile()
        timers = unfold(definition, several(1, 2)).timers
        assert {name: (timer.id, timer.item) for name, timer in timers.items()} == {
            "slow#1": ("slow#1", "task.look#1"),
            "slow#2": ("slow#2", "task.look#2"),
            "late": ("late", "task.plan"),
        }

    def test_view_is_kept_with_the_definition_and_not_with_another_view(self):
        definition = read_anew()
        view = unfold(definition, several(1, 2))
        assert unfold(definition, several(1, 2)) is view
        assert unfold(view, several(1, 2)) is view
        assert view.views == {}

    def test_view_of_long_ago_makes_room_for_the_newest(self):
        definition = read_anew()
        first = unfold(definition, several(1))
        for number in range(2, 257):
            unfold(definition, several(number))
        assert unfold(definition, several(1)) is first
        newest = unfold(definition, several(257))
        assert len(definition.views) == 256
        assert unfold(definition, several(257)) is newest
        again = unfold(definition, several(1))
        assert again is not first
        assert again.items == first.items


VISIT = task("visit", "repeat: {at_most: 3}")
VISITS = f"- {{id: slow, item: task.visit, {LADDER}}}"


def visited() -> SmallRun:
    """Three visits and something else to do."""
    run = SmallRun(small(milestone("base", VISIT, task("rest")), timers=VISITS).compile())
    for name in ("Rome", "Oslo"):
        add(run, "task.visit", name)
    return run


class TestTakingAway:
    @pytest.mark.parametrize(
        "done",
        [{"answers": {"a": 1}}, {"evidence": Proof(statement="Seen.")}, {"request": 1}, {"state": "blocked"}],
        ids=str,
    )
    def test_is_refused_where_anything_was_done(self, done: dict[str, Any]):
        run = visited()
        item = msgspec.structs.replace(run.item("task.visit#2"), **done)
        run.state = msgspec.structs.replace(run.state, items=run.state.items | {"task.visit#2": item})
        with pytest.raises(PartRefused, match="Something was done"):
            remove(run, "task.visit#2")

    @pytest.mark.parametrize(("item", "may"), [("task.visit#2", False), ("task.visit#3", True), ("task.rest", True)])
    def test_is_refused_where_something_was_reported_of_that_very_one(self, item: str, *, may: bool):
        run = visited()
        note = {"type": "timeline_risk", "reason_code": "scope_mismatch", "note": "Late."}
        run.apply(
            msgspec.convert(
                {"event": "exception_raised", "item": item, "by": msgspec.to_builtins(STAFF), **note}, events.Event
            )
        )
        if may:
            remove(run, "task.visit#2")
            assert "task.visit#2" not in run.state.items
        else:
            with pytest.raises(PartRefused, match="Something was done"):
                remove(run, "task.visit#2")

    def test_takes_its_clock_and_its_chosen_day_along_and_no_other(self):
        run = visited()
        day = run.state.partner.day_at(run.now + timedelta(days=7))
        for key in ("task.visit#2", "task.rest"):
            run.apply(events.DueDateSet(by=STAFF, item=key, day=day, reason="They asked."))
        assert set(run.state.timers) == {"slow#1", "slow#2", "slow#3"}
        remove(run, "task.visit#2")
        assert set(run.state.timers) == {"slow#1", "slow#3"}
        assert all(timer.armed for timer in run.state.timers.values())
        assert run.state.plan is not None
        assert run.state.plan.pins == {"task.rest": day}


class TestOneMore:
    def test_lets_what_had_ended_go_on(self):
        run = SmallRun(small(milestone("base", VISIT, task("rest"))).compile())
        run.complete("task.visit#1")
        assert run.item("task.visit").state == "done"
        add(run, "task.visit", "Rome")
        group = run.item("task.visit")
        assert (group.state, group.settled_at, group.settled_by) == ("open", None, None)

    def test_has_a_name_as_long_as_may_be_and_no_longer(self):
        run = SmallRun(small(milestone("base", VISIT, task("rest"))).compile())
        with pytest.raises(PartNameRefused):
            add(run, "task.visit", "x" * (LONGEST_NAME + 1))
        add(run, "task.visit", "x" * LONGEST_NAME)
        assert run.state.parts["task.visit"].each[1].name == "x" * LONGEST_NAME
