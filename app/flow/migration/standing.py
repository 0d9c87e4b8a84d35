"""Where each item of the new version stands: finished stays finished, begun goes on, what comes too late is skipped.

Nothing here opens anything: what may begin is opened afterwards, as after every event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

import msgspec

from app.flow.definition import CRITERION_ERROR, UNKNOWN_OUTCOME, Definition, Item
from app.flow.migration.mapping import WORK, Names, Problem, Trouble, has_work_on_it
from app.flow.state import SETTLED, SYSTEM, ItemState, OpenedException, State
from app.flow.steps.controls import OF_CONTROL
from app.flow.steps.exceptions import STALLED

TOO_LATE = "The new version has this before where the onboarding stands; it is not needed."


class Standing:
    """The items of the new version as they are taken over, and what stands in the way."""

    def __init__(self, old: Definition, new: Definition, state: State, names: Names) -> None:
        self.old, self.new, self.state, self.names = old, new, state, names
        self.items: dict[str, ItemState] = {}
        self.not_needed: list[str] = []
        self.set_back: list[str] = []
        self.problems: list[Problem] = []

    def take_over(self, kept: dict[str, ItemState], now: datetime, dropped: Collection[str]) -> None:
        """Put every item where it stands. `kept` are those that go on, their values looked at already."""
        for key in self.new.items:
            before = kept.get(key)
            found = before or ItemState()
            calls = max(found.request, self._calls_of(key))
            self.items[key] = found if calls == found.request else msgspec.structs.replace(found, request=calls)
        late = self._too_late()
        for key, item in self.new.items.items():
            if key in kept:
                self._go_on(item)
            elif key in late or self._is_over(item.parent):
                self.not_needed.append(key)
                skipped = {"state": "skipped", "settled_at": now, "settled_by": SYSTEM, "reason": TOO_LATE}
                self.items[key] = msgspec.structs.replace(self.items[key], **skipped)
        self.problems += [*self._unplaced(dropped), *self._unprovable()]

    def _calls_of(self, key: str) -> int:
        """How far this key has counted its calls: another item under it never asks with a number used before."""
        own = self.state.items[key].request if key in self.state.items else 0
        return max([own, *(each.requests.get(key, 0) for each in self.state.migrations)])

    def _is_settled(self, key: str) -> bool:
        return self.items[key].state in SETTLED

    def _go_on(self, item: Item) -> None:
        """An item that is not finished goes on only where its parent is; else it waits for its turn once more."""
        now = self.items[item.key]
        if now.state in SETTLED:
            return
        was = self.names.old[item.key]
        called = now.state in WORK and self.old.items[was].action is not None
        if called and not self._same_call(was, item, running=now.state == "running"):
            self._add("in_flight", item.key, "A call to another system is under way for it, and it would change.")
        if self._is_over(item.parent) and not self._is_still_offered(item):
            self._add("overtaken", item.key, "It is not finished, and what it would stand in is. Leave it out first.")
        elif now.state != "waiting" and not self._may_be_open(item):
            if called:
                self._add("in_flight", item.key, "A call is under way for it, and where it would stand has not begun.")
            self.set_back.append(item.key)
            self.items[item.key] = msgspec.structs.replace(now, state="waiting", opened_at=None)

    def _same_call(self, was: str, item: Item, *, running: bool) -> bool:
        before, after = self.old.items[was].action, item.action
        if before is None or after is None or (before.connector, before.action) != (after.connector, after.action):
            return False
        return was == item.key or not running

    def _may_be_open(self, item: Item) -> bool:
        if item.parent is None:
            return True
        now = self.items[item.key]
        if self.items[item.parent].state != "open" and not self._is_still_offered(item):
            return False
        if now.state in WORK:
            return True
        if item.action is not None:
            return False  # it was a person's step: it is asked for when its turn comes
        return self._is_under_way(item) or self._has_joined(item)

    def _is_over(self, key: str | None) -> bool:
        return key is not None and self._is_settled(key)

    def _is_still_offered(self, item: Item) -> bool:
        """What is optional is offered until its stage ends, even when its milestone is reached."""
        above = self.items[item.parent].state if item.parent else ""
        return item.optional and above == "done" and not self._is_settled(self.new.stage_of(item.key).key)

    def _has_joined(self, item: Item) -> bool:
        if all(self._is_settled(key) for key in item.depends_on):
            return True
        return item.join == "any" and any(self.items[key].state == "done" for key in item.depends_on)

    def _is_under_way(self, item: Item) -> bool:
        """Whether work in a milestone or repeated part lies behind, or is under way."""
        if item.kind not in {"milestone", "group"}:
            return False
        return any(self._has_begun(key) or self._is_under_way(self.new.items[key]) for key in item.children)

    def _has_begun(self, key: str) -> bool:
        """Whether work on it lies behind: it was opened and is finished, or a call is under way."""
        item = self.items[key]
        return item.opened_at is not None and item.state in SETTLED | WORK

    def _too_late(self) -> set[str]:
        """What only the new version has and what stands before something that has begun, with all below it."""
        seen: set[str] = set()
        ways = [key for item in self._begun() for key in _all_of(item)]
        while ways:
            key = ways.pop()
            passed = key in self.names.old or key in self.names.back
            if key in seen or (passed and not self._is_settled(key)):
                continue
            seen.add(key)
            above = [self.new.items[each] for each in self._line(key)]
            ways += [before for each in above for before in _all_of(each)]
        return {key for key in seen if key not in self.names.old and key not in self.names.back}

    def _begun(self) -> Iterator[Item]:
        for item in self.new.items.values():
            parents = list(self._line(item.key))[1:]
            stage = item.kind == "stage" and self.items[item.key].state == "open"
            begun = self._has_begun(item.key) or stage or self._is_under_way(item)
            if begun and all(self.items[key].opened_at is not None for key in parents):
                yield item

    def _line(self, key: str | None) -> Iterator[str]:
        """An item and what it stands in."""
        while key is not None:
            yield key
            key = self.new.items[key].parent

    def _unplaced(self, dropped: Collection[str]) -> Iterator[Problem]:
        """Old items that have no counterpart and that something is on; nobody has said that they may go."""
        for key in self.old.items:
            if key in self.names.new:
                continue
            item, opened = self.state.items[key], self.state.open_exceptions(key)
            called = item.state == "running" or any(each.type == UNKNOWN_OUTCOME for each in opened)
            if called or (item.state == "blocked" and self.old.items[key].action is not None):
                yield _problem("in_flight", key, "A call to another system is under way, or its outcome is not known.")
            elif not all(is_the_engines(each) for each in opened):
                yield _problem("exception", key, "An exception is open on it. Resolve it, or say where the item goes.")
            elif has_work_on_it(self.state, key) and key not in dropped:
                yield _problem("unplaced", key, "Work is on it and the new version does not have it.")

    def _unprovable(self) -> Iterator[Problem]:
        goal, before = self.new.first_value.milestone, self.old.first_value.milestone
        if self.state.first_value_at is not None or not self._is_settled(goal):
            return
        if goal in self.not_needed or self.names.old.get(goal) != before:
            yield _problem("first_value", goal, "It proves first value in the new version, and is over before it was.")

    def _add(self, kind: Trouble, key: str, reason: str) -> None:
        self.problems.append(_problem(kind, key, reason))


def _all_of(item: Item) -> tuple[str, ...]:
    """What stands before an item whatever happens: with `any`, one of several may still go on when another was done."""
    return item.depends_on if item.join == "all" else ()


def is_the_engines(opened: OpenedException) -> bool:
    """Whether the engine opened it by itself, from what it may find otherwise with the new version."""
    of_fact = opened.place is not None and opened.place.startswith(("packet.", OF_CONTROL))
    return opened.type == CRITERION_ERROR or opened.place == STALLED or of_fact


def _problem(kind: Trouble, key: str, reason: str) -> Problem:
    return Problem(kind=kind, place=f"/items/{key}", reason=reason, item=key)
