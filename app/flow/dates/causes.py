"""Why a date moved: from the date back along what it hangs on, to the one item or event in which the cause lies.

Whatever makes an item later has itself become later, and whatever held it back before has become earlier. So the way
back never ends before something that happened with this very event, and there is exactly one such way.
"""

from __future__ import annotations

from typing import Final, Literal

from app.flow import events
from app.flow.commands import Move
from app.flow.events import Event
from app.flow.schedule import Forecast, Node
from app.flow.state import ItemState

Cause = Literal[
    "finished",  # an item ended at another time than expected
    "skipped",  # an item was left out
    "not_needed",  # an optional item was declined, or ended with its stage
    "repeated",  # a part happens more or fewer times
    "reopened",  # an item that had ended goes on
    "opened",  # an item could begin only later than what it depends on allowed
    "chosen",  # a person chose the day of an item
    "released",  # a day that a person chose counts no more
    "calendar",  # a party works at other times
    "replanned",  # dates begin to follow what happens
    "held",  # nothing went on for a while
    "rolled_back",  # a stage and all after it begin anew
    "migrated",  # it goes on with another version of its template
]
OF_EVENTS: Final[dict[type, Cause]] = {
    # These move dates by themselves.
    events.CalendarChanged: "calendar",
    events.Resumed: "held",
    events.RolledBack: "rolled_back",
}

_WORDS: Final[dict[str, Cause]] = {
    "done": "finished",
    "skipped": "skipped",
    "not_needed": "not_needed",
    "pinned": "chosen",
}


class Causes:
    """Explains the moves of one event from the plans before and after it."""

    def __init__(self, before: Forecast, after: Forecast, event: Event) -> None:
        self.before, self.after, self.event = before, after, event
        self._traced: dict[tuple[Node, bool], tuple[Cause, str]] = {}  # many items hang on the same few

    def of(self, key: str, was: ItemState) -> Move:
        """The move of one item, with its cause."""
        becomes = self.after.due(key)
        cause, lies_in = self._cause(key, later=was.due_at is None or becomes > was.due_at)
        return Move(item=key, was=was.due_at, becomes=becomes, cause=cause, cause_item=lies_in)

    def _cause(self, key: str, *, later: bool) -> tuple[Cause, str | None]:
        if type(self.event) in OF_EVENTS:
            return OF_EVENTS[type(self.event)], None
        if self.before.plan.baseline == {}:
            return self._own(key) or ("replanned", None)
        return self._trace((key, "end"), later=later)

    def _own(self, key: str) -> tuple[Cause, str] | None:
        changed = self._changed((key, "end"))
        return (changed, key) if changed == "chosen" else None

    def _trace(self, node: Node, *, later: bool) -> tuple[Cause, str]:
        """Follow what binds: in the plan after the event when it became later, in the one before it when earlier."""
        plan = self.after if later else self.before
        passed: list[tuple[Node, bool]] = []
        while (node, later) not in self._traced:
            passed.append((node, later))
            changed = self._changed(node)
            if changed is not None and (later or changed != "opened"):
                self._traced[node, later] = changed, self._place(plan, node[0], changed)
                break
            binding = self._of_any(node, plan.binding(node), later=later)
            if not binding[0]:
                self._traced[node, later] = "opened", node[0]  # it hangs on nothing but the start
                break
            node = binding
        found = self._traced[node, later]
        self._traced.update(dict.fromkeys(passed, found))
        return found

    @staticmethod
    def _place(plan: Forecast, key: str, cause: Cause) -> str:
        """The item in which a cause lies: of what is new or gone, the part that happens more or fewer times."""
        return plan.definition.items[key].group or key if cause == "repeated" else key

    def _of_any(self, node: Node, binding: Node, *, later: bool) -> Node:
        """Where the first of several counts, it is the other way round.

        What was the first before has become later, or what is the first now has become earlier.
        """
        item = self.after.definition.items[node[0]]
        if node[1] != "begin" or item.join == "all" or binding[0] not in item.depends_on:
            return binding
        return (self.before if later else self.after).joins(item)[0], "end"

    def _changed(self, node: Node) -> Cause | None:
        """What happened to this very node with the event; None while it only follows from others."""
        if (node[0] in self.before.state.items) != (node[0] in self.after.state.items):
            return "repeated"
        old, new = self.before.basis(node), self.after.basis(node)
        if old == new:
            return None
        if new[0] == "opened":
            could = max(moment for moment, _ in self.after.hangs_on(node))
            return None if new[1] == could else "opened"
        return _WORDS.get(new[0]) or ("released" if old[0] == "pinned" else "reopened")
