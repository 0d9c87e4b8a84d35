"""Repeated parts: the pinned definition holds a pattern once, the plan of one onboarding an item for each time.

`unfold(definition, parts)` is a pure view, so replaying a journal unfolds the same items. An instance has the pattern's
key with its number (`task.survey#2`); the group that holds them keeps the pattern's own key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec

from app.flow.definition import Definition, Item, Repeat, Timer

if TYPE_CHECKING:
    from app.flow.state import Parts

SPACE = 10_000  # positions between two items of a template with repeated parts, for their instances
_KEPT = 256  # views that a definition keeps; the oldest makes room


def unfold(definition: Definition, parts: Mapping[str, Parts]) -> Definition:
    """The definition with an item for each instance. The same parts give the very same view."""
    base = definition.base or definition
    if not base.repeats:
        return base
    times = tuple((key, parts[key].each) for key in base.repeats if key in parts and parts[key].each)
    if not times:
        return base
    view = base.views.get(times)
    if view is None:
        view = _unfolded(base, parts)
        while len(base.views) >= _KEPT:
            base.views.pop(next(iter(base.views)), None)
        base.views[times] = view
    return view


def instance_key(key: str, number: int) -> str:
    """The key of an instance's item."""
    return f"{key}#{number}"


def fold(
    items: dict[str, Item], repeats: Mapping[str, tuple[str | None, int | None]]
) -> tuple[dict[str, Item], list[Repeat]]:
    """Take the repeated items out of a tree: each becomes a group, with what it was as its pattern."""
    if not repeats:
        return items, []
    kept, found = dict(items), list[Repeat]()
    for key, (for_each, at_most) in repeats.items():
        pattern = [items[each] for each in _below(items, key)]
        root = pattern[0]
        pattern[0] = msgspec.structs.replace(
            root, depends_on=(), when=None, entry=None, entry_compliance=None, optional=False
        )
        found.append(Repeat(key=key, for_each=for_each, at_most=at_most, pattern=tuple(pattern)))
        for each in pattern[1:]:
            del kept[each.key]
        kept[key] = Item(
            key=key, kind="group", id=root.id, parent=root.parent, position=root.position, title=root.title,
            help=root.help, owner=root.owner, side=root.side, depends_on=root.depends_on, when=root.when,
            entry=root.entry, entry_compliance=root.entry_compliance, due=root.due, optional=root.optional,
            join=root.join, layer=root.layer,
        )  # fmt: skip
    spaced = {key: msgspec.structs.replace(item, position=item.position * SPACE) for key, item in kept.items()}
    return spaced, found


def _below(items: Mapping[str, Item], key: str) -> list[str]:
    return [key, *(each for child in items[key].children for each in _below(items, child))]


def _unfolded(base: Definition, parts: Mapping[str, Parts]) -> Definition:
    items: dict[str, Item] = {}
    for key, item in base.items.items():
        repeat = base.repeats.get(key)
        each = parts[key].each if repeat and key in parts else ()
        if repeat is None or not each:
            items[key] = item
            continue
        children = tuple(instance_key(key, part.number) for part in each)
        items[key] = msgspec.structs.replace(item, children=children, due=None)
        for part in each:
            for index, member in enumerate(repeat.pattern):
                made = _instance(repeat, member, part.number, part.name)
                place = item.position + 1 + ((part.number - 1) * len(repeat.pattern) + index) % (SPACE - 1)
                items[made.key] = msgspec.structs.replace(made, position=place)
    timers = {timer.id: timer for original in base.timers.values() for timer in _timers(base, parts, original)}
    return dataclasses.replace(base, items=items, timers=timers, base=base, views={})


def _instance(repeat: Repeat, item: Item, number: int, name: str) -> Item:
    own = {member.key for member in repeat.pattern}

    def named(key: str) -> str:
        return instance_key(key, number) if key in own else key

    return msgspec.structs.replace(
        item,
        key=named(item.key),
        parent=repeat.key if item.key == repeat.key else named(item.parent or ""),
        title={language: f"{title}: {name}" for language, title in item.title.items()},
        depends_on=tuple(named(key) for key in item.depends_on),
        children=tuple(named(key) for key in item.children),
        group=repeat.key,
        number=number,
        part=name,
    )


def _timers(base: Definition, parts: Mapping[str, Parts], timer: Timer) -> Iterator[Timer]:
    """A timer on what is repeated runs for each instance of its own."""
    for repeat in base.repeats.values():
        if any(member.key == timer.item for member in repeat.pattern):
            for part in parts[repeat.key].each if repeat.key in parts else ():
                number = part.number
                item = instance_key(timer.item, number)
                yield msgspec.structs.replace(timer, id=instance_key(timer.id, number), item=item)
            return
    yield timer
