"""What happens several times is folded to a group and its pattern when a definition is read."""

from __future__ import annotations

from app.flow.definition import Definition, Duration
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.parts.test_repeated import ALL, SITES


def read_anew() -> Definition:
    """Two parts that happen several times, one after the first of two others; nobody waits for the hall."""
    hall = milestone(
        "hall",
        task("see", "due: {business_days: 1}"),
        task("tell", "depends_on: [task.see, task.plan]"),
        more="repeat: {at_most: 2}, depends_on: [milestone.base, milestone.site], join: any, optional: true, "
        "due: {business_days: 4}, when: inputs.seats > 5, help: {en: A hall}",
    )
    return small(ALL + hall, inputs=SITES).compile()


class TestPattern:
    def test_is_below_its_group_alone_which_begins_and_is_due_as_it_was_written(self):
        items = read_anew().items
        group = items["milestone.hall"]
        assert (group.kind, group.id, group.parent, group.children) == ("group", "hall", "stage.work", ())
        assert (group.depends_on, group.join, group.optional) == (("milestone.base", "milestone.site"), "any", True)
        assert group.due == Duration(business_days=4)
        assert (group.title, group.owner, group.side) == ({"en": "Hall"}, "lead", "partner")
        assert (group.help, group.layer) == ({"en": "A hall"}, "implementation")
        assert (group.when and group.when.source, group.entry) == ("inputs.seats > 5", None)
        assert not {"task.see", "task.tell", "task.look"} & items.keys()
        assert items["stage.work"].children.count("milestone.hall") == 1

    def test_begins_with_its_group_and_is_needed_in_it(self):
        repeat = read_anew().repeats["milestone.hall"]
        assert (repeat.key, repeat.for_each, repeat.at_most) == ("milestone.hall", None, 2)
        root, see, tell = repeat.pattern
        assert (root.key, root.depends_on, root.when, root.entry, root.optional) == (
            "milestone.hall",
            (),
            None,
            None,
            False,
        )
        assert (root.due, see.due) == (Duration(business_days=4), Duration(business_days=1))
        assert (see.depends_on, tell.depends_on) == ((), ("task.see", "task.plan"))
        assert read_anew().repeats["milestone.site"].for_each == "inputs.sites"
