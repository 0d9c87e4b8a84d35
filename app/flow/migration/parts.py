"""Repeated parts in another version: each instance follows its pattern, under the number and the name that it has.

A map names patterns or single instances; `each_of` writes it out for the instances. Where the new version has a part
once that happens several times now, or the other way round, nothing is guessed: what was done is to be placed first.
"""

from __future__ import annotations

import re

from app.flow.definition import Definition, Item
from app.flow.events import MigrationMap
from app.flow.parts.unfolding import instance_key
from app.flow.state import Parts, State

_NUMBER = re.compile(r"#\d+")


def of_pattern(place: str) -> str:
    """A key or a place of an instance, as it is in the pattern; any other as it is."""
    return _NUMBER.sub("", place)


def carry_parts(old: Definition, new: Definition, state: State, wanted: MigrationMap) -> dict[str, Parts]:
    """How often each repeated part of the new version happens: as often as what goes on as it.

    What was left out once and comes back happens as it did, so that no number is ever given again.
    """
    found: dict[str, Parts] = {}
    for key in old.repeats:
        target = wanted.items.get(key, key)
        if key in state.parts and key not in wanted.dropped and target in new.repeats:
            found.setdefault(target, state.parts[key])
    for each in reversed(state.migrations):
        for key, parts in each.parts.items():
            if key in new.repeats:
                found.setdefault(key, parts)
    return found


def parts_left(old: Definition, new: Definition, state: State, wanted: MigrationMap) -> dict[str, Parts]:
    """The repeated parts that the new version does not have, with their names: they are kept with the migration."""
    gone = {key for key in old.repeats if key in wanted.dropped or wanted.items.get(key, key) not in new.repeats}
    return {key: parts for key, parts in state.parts.items() if key in gone}


def each_of(old: Definition, state: State, wanted: MigrationMap) -> MigrationMap:
    """The map with every instance in the place of its pattern. What it says of a single instance stands."""
    items: dict[str, str] = {}
    for key, target in wanted.items.items():
        items |= {each: target + each.removeprefix(key) for each in _meant(old, state, key)}
    items |= {key: target for key, target in wanted.items.items() if key in items}
    dropped: dict[str, None] = {}
    for key in wanted.dropped:
        dropped |= {each: None for each in _meant(old, state, key, whole=True) if each == key or each not in items}
    return MigrationMap(items=items, dropped=tuple(dropped), values=wanted.values)


def find_item(definition: Definition, key: str) -> Item | None:
    """An item of a definition; of an instance that it has no more, what the pattern says."""
    members = (each for repeat in definition.repeats.values() for each in repeat.pattern)
    return definition.items.get(key) or next((each for each in members if each.key == of_pattern(key)), None)


def _meant(old: Definition, state: State, key: str, *, whole: bool = False) -> list[str]:
    """The items that a key of a map means: a group and its instances (the whole of them), a pattern's, or one item."""
    found = [key]
    for repeat in old.repeats.values():
        own = [member.key for member in repeat.pattern]
        if key in own:
            numbers = [part.number for part in state.parts.get(repeat.key, Parts()).each]
            members = own if whole and key == repeat.key else [key]
            found = [instance_key(member, number) for number in numbers for member in members]
            return [key, *found] if key == repeat.key else found
    return found
