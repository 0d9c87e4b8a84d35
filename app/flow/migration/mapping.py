"""Which old item goes on as which new one, and every value with it: nothing is guessed, what does not fit is a problem.

A problem has a place in the map (a JSON pointer): that is where somebody settles it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from app.flow.definition import Definition, Item
from app.flow.events import MigrationMap
from app.flow.fields import Field, Value, check_value, is_given
from app.flow.migration.parts import of_pattern
from app.flow.parts.unfolding import instance_key
from app.flow.state import SETTLED, ItemState, State

Trouble = Literal[
    "unplaced",  # work is on it and it has no counterpart: say where it goes, or that it is left out
    "value",  # a value that the new version cannot hold: say what takes its place
    "owner",  # its owner is of the other side
    "in_flight",  # a call to another system is under way, or its outcome is not known
    "exception",  # an exception is open on what has no counterpart
    "overtaken",  # it is not finished, and where it would stand is
    "first_value",  # first value could not be proven any more
    "repeated",  # it happens several times in one of the versions and once in the other, and work is on it
    "map",  # the map itself names what does not exist, or twice
]
WORK = frozenset({"running", "blocked"})


class Problem(Struct, frozen=True, kw_only=True):
    """What stands in the way, where it is settled in the map, and the item (new key, or old where it has none)."""

    kind: Trouble
    place: str
    reason: str
    item: str | None = None


class Names(Struct, frozen=True, kw_only=True):
    """`new`: old key to new key. `old`: new key to old key. `back`: new key to what it was before it was left out."""

    new: dict[str, str]
    old: dict[str, str]
    back: dict[str, ItemState]
    problems: tuple[Problem, ...]


class Values(Struct, frozen=True, kw_only=True):
    """All values as they go on, and what stood at a place that takes another one."""

    inputs: dict[str, Value]
    packet: dict[str, Value]
    items: dict[str, ItemState]
    replaced: dict[str, Value]
    problems: tuple[Problem, ...]


def name_items(old: Definition, new: Definition, state: State, wanted: MigrationMap) -> Names:
    """Where each item goes: by the map, else to its own key. What was left out once comes back under its key."""
    problems = [*_misnamed(old, new, wanted)]
    found: dict[str, str] = {}
    by_hand = {key: target for key, target in wanted.items.items() if key in old.items and target in new.items}
    for key, target in [*by_hand.items(), *((key, key) for key in old.items if key not in by_hand)]:
        if key in wanted.dropped or target not in new.items:
            continue
        if target in found:
            reason = (
                f"“{found[target]}” and “{key}” cannot both go on as “{target}”. Name another place for one of them."
            )
            problems.append(Problem(kind="map", place=f"/items/{key}", reason=reason, item=key))
        elif old.items[key].kind != new.items[target].kind and "group" in {old.items[key].kind, new.items[target].kind}:
            problems += _repeated(state, key)
        elif old.items[key].kind != new.items[target].kind:
            reason = f"A {old.items[key].kind} cannot go on as a {new.items[target].kind}."
            problems.append(Problem(kind="map", place=f"/items/{key}", reason=reason, item=key))
        else:
            found[target] = key
    for key in wanted.dropped:
        if key in new.items and key not in found:
            reason = "The new version has this item too, and what is finished does not begin again."
            problems.append(Problem(kind="map", place=f"/dropped/{key}", reason=reason, item=key))
    once = {key: item for each in state.migrations for key, item in each.departed.items()}
    back = {key: once[key] for key in new.items if key not in found and key in once and once[key].state in SETTLED}
    names = {was: becomes for becomes, was in found.items()}
    return Names(new=names, old=found, back=back, problems=tuple(problems))


def _repeated(state: State, key: str) -> Iterator[Problem]:
    """Nothing says which of several goes on as the only one, or the other way round; what nobody began can be new."""
    if has_work_on_it(state, key):
        reason = "It happens several times in one of the versions and once in the other, and it has begun."
        yield Problem(kind="repeated", place=f"/items/{key}", reason=reason, item=key)


def has_work_on_it(state: State, key: str) -> bool:
    """Whether an item is finished, has begun, or holds anything that somebody did to it."""
    item, pins = state.items[key], state.plan.pins if state.plan else {}
    given = item.assignee or item.answers or item.result or item.evidence or item.request
    return item.state != "waiting" or bool(given) or key in pins or bool(state.signatures.get(key))


def keep_values(old: Definition, new: Definition, state: State, names: Names, wanted: MigrationMap) -> Values:
    """Every value in the fields of the new version; what does not fit and is not settled by the map is a problem."""
    check = _Check(wanted.values)
    for one in new.inputs:
        if not is_given(state.inputs.get(one.id, one.default)) and one.required:
            check.lacks(f"inputs.{one.id}", one)
    given = {one.id: one.default for one in new.inputs if is_given(one.default)} | state.inputs
    inputs = check.all("inputs", new.inputs, given)
    packet = check.all("packet", [each.field for each in new.handoff], state.packet)
    items: dict[str, ItemState] = {}
    for key, item in new.items.items():
        was = names.old.get(key)
        before = state.items[was] if was is not None else names.back.get(key)
        if before is not None:
            items[key] = _kept(check, item, before, old.items[was].side if was is not None else item.side)
    unused = sorted(wanted.values.keys() - check.settled)
    check.problems += [
        Problem(kind="map", place=f"/values/{place}", reason="Nothing has to be settled there.") for place in unused
    ]
    return Values(inputs=inputs, packet=packet, items=items, replaced=check.replaced, problems=tuple(check.problems))


def _kept(check: _Check, item: Item, before: ItemState, side: str) -> ItemState:
    own = item.id if item.number is None else instance_key(item.id, item.number)
    answers = check.all(f"answers.{own}", item.fields, before.answers, item.key)
    outputs = item.action.outputs if item.action else ()
    result = check.all(f"results.{own}", outputs, before.result, item.key)
    assignee = before.assignee
    if assignee and side != item.side and before.state not in SETTLED:
        assignee = check.owner(item, assignee)
    return msgspec.structs.replace(before, answers=answers, result=result, assignee=assignee)


class _Check:
    """Looks at values one by one; notes what does not fit and what the map says of it."""

    def __init__(self, wanted: Mapping[str, Value]) -> None:
        self.wanted = wanted
        self.settled: set[str] = set()
        self.replaced: dict[str, Value] = {}
        self.problems: list[Problem] = []
        self.given: dict[str, Value] = {}

    def all(
        self, at: str, fields: Iterable[Field], values: Mapping[str, Value], item: str | None = None
    ) -> dict[str, Value]:
        known = {field.id: field for field in fields}
        kept: dict[str, Value] = {}
        for name, value in values.items():
            field, place = known.get(name), f"{at}.{name}"
            reason = check_value(field, value) if field else "There is no such field any more."
            if reason is None:
                kept[name] = value
            elif self._settles(place, field, reason, item):
                self.replaced[place] = value
                kept |= {name: self._said(place)} if is_given(self._said(place)) else {}
        return kept | {name: self.given[f"{at}.{name}"] for name in known if f"{at}.{name}" in self.given}

    def lacks(self, place: str, field: Field) -> None:
        """A value that is needed now and that nobody has given."""
        if self._settles(place, field, "This is needed now.", None):
            if is_given(self.wanted[place]):
                self.given[place] = self.wanted[place]
            else:
                self._add(place, "This is needed; it cannot be left out.", None)

    def owner(self, item: Item, assignee: str) -> str | None:
        """An owner of the other side is released, if the map says so."""
        place = f"owner.{item.key}"
        if self._is_said(place) and self._said(place) is None:
            self._note(place)
            self.replaced[place] = assignee
            return None
        reason = f"It belongs to the {item.side} now, and its owner is of the other side."
        self._note(place)
        self.problems.append(Problem(kind="owner", place=f"/values/{place}", reason=reason, item=item.key))
        return assignee

    def _settles(self, place: str, field: Field | None, reason: str, item: str | None) -> bool:
        """Whether the map says what becomes of a value that does not fit."""
        self._note(place)
        if not self._is_said(place):
            self._add(place, reason, item)
            return False
        value = self._said(place)
        wrong = None
        if is_given(value):
            wrong = check_value(field, value) if field else "There is no such field any more; leave it out."
        if wrong:
            self._add(place, wrong, item)
        return wrong is None

    def _is_said(self, place: str) -> bool:
        return place in self.wanted or of_pattern(place) in self.wanted

    def _said(self, place: str) -> Value:
        """What the map says of a place; for an instance, what it says of all of them unless it names this one."""
        return self.wanted[place if place in self.wanted else of_pattern(place)]

    def _note(self, place: str) -> None:
        self.settled |= {place, of_pattern(place)}

    def _add(self, place: str, reason: str, item: str | None) -> None:
        self.problems.append(Problem(kind="value", place=f"/values/{place}", reason=reason, item=item))


def _misnamed(old: Definition, new: Definition, wanted: MigrationMap) -> Iterator[Problem]:
    for key, target in wanted.items.items():
        if key not in old.items or target not in new.items:
            missing, version = (key, old.version) if key not in old.items else (target, new.version)
            reason = f"Version {version} has no “{missing}”."
            yield Problem(kind="map", place=f"/items/{key}", reason=reason, item=key if key in old.items else None)
        elif key in wanted.dropped:
            yield Problem(kind="map", place=f"/dropped/{key}", reason="It is mapped and left out.", item=key)
    for key in wanted.dropped:
        if key not in old.items:
            reason = f"Version {old.version} has no “{key}”."
            yield Problem(kind="map", place=f"/dropped/{key}", reason=reason)
