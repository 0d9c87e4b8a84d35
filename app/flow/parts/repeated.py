"""How often a repeated part happens: it follows its list until its turn comes; then people add and take away."""

from __future__ import annotations

import msgspec

from app.flow import events
from app.flow.definition import Item, Repeat
from app.flow.events import Event, PartAdded, PartRemoved
from app.flow.parts.unfolding import instance_key
from app.flow.state import SETTLED, ItemState, Part, Parts
from app.flow.steps.course import below
from app.flow.steps.draft import Draft, NotOpen
from app.flow.steps.timers import cancel_timers
from app.flow.steps.work import TaskBuiltUpon
from app.kernel.errors import Conflict, Invalid

LONGEST_NAME = 200


class PartRefused(Conflict):
    """Nothing can be added to this, or nothing be taken away from it."""


class PartNameRefused(Invalid):
    """An instance without a name, with one that is too long, or with one that another has."""


def follow_lists(draft: Draft, event: Event) -> None:
    """Each repeated part whose turn has not come happens as often as its list says now."""
    base = draft.definition.base or draft.definition
    if not base.repeats or draft.whole.get("status", draft.before.status) != "running":
        return
    for repeat in base.repeats.values():
        if isinstance(event, events.Started) or draft.items[repeat.key].state == "waiting":
            _follow(draft, repeat)


def add_part(draft: Draft, event: PartAdded) -> None:
    """A person adds an instance. Raises PartRefused, PartNameRefused, NotOpen, TaskBuiltUpon."""
    repeat = _repeat(draft, event.item)
    known = draft.parts.get(repeat.key, Parts())
    if repeat.at_most is None:
        raise PartRefused("This follows its list; nothing is added to it by hand.")
    if len(known.each) >= repeat.at_most:
        raise PartRefused(f"This may happen {repeat.at_most} times at most.")
    name = event.name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise PartNameRefused(f"Give it a name of up to {LONGEST_NAME} characters.")
    if name in {part.name for part in known.each}:
        raise PartNameRefused("There is one of this name already.")
    _reopen(draft, draft.definition.items[repeat.key])
    part = Part(number=known.count + 1, name=name)
    _set(draft, repeat, Parts(count=part.number, each=(*known.each, part)))


def remove_part(draft: Draft, event: PartRemoved) -> None:
    """A person takes away an instance in which nothing was done. Raises PartRefused."""
    item = draft.definition.items[event.item]
    if item.group is None or item.key != instance_key(item.group, item.number or 0):
        raise PartRefused("This is not one of several; leave it out instead.")
    repeat, known = _repeat(draft, item.group), draft.parts[item.group]
    part = next(each for each in known.each if each.number == item.number)
    if part.listed or repeat.at_most is None:
        raise PartRefused("This comes from a list; leave it out instead.")
    if len(known.each) == 1:
        raise PartRefused("This is the only one; leave it out instead.")
    if not _is_untouched(draft, repeat, part):
        raise PartRefused("Something was done in it already; leave it out instead.")
    _set(draft, repeat, msgspec.structs.replace(known, each=tuple(each for each in known.each if each is not part)))


def _repeat(draft: Draft, key: str) -> Repeat:
    repeat = draft.definition.repeats.get(key)
    if repeat is None:
        raise PartRefused("This happens once; nothing can be added to it.")
    return repeat


def _reopen(draft: Draft, group: Item) -> None:
    """One that has ended goes on, as long as nothing was built on its end."""
    state = draft.items[group.key].state
    if state not in SETTLED:
        return
    if state == "not_needed" or draft.is_settled(group.parent or ""):
        raise NotOpen("This has ended with what it stands in; nothing can be added to it.")
    followers = [each.key for each in draft.definition.items.values() if group.key in each.depends_on]
    if any(draft.items[key].state != "waiting" for key in followers):
        raise TaskBuiltUpon("Later work has started on the strength of this, so it stays finished.")
    draft.set(group.key, state="open", settled_at=None, settled_by=None)


def _follow(draft: Draft, repeat: Repeat) -> None:
    known = draft.parts.get(repeat.key, Parts())
    if repeat.for_each is None:
        if not known.count:
            _set(draft, repeat, Parts(count=1, each=(Part(number=1, name="1"),)))
        return
    found = draft.facts.get(repeat.for_each)
    wanted = found if isinstance(found, list) else []
    kept = [one for one in known.each if not one.listed or one.name in wanted or not _is_untouched(draft, repeat, one)]
    names, count = {part.name for part in kept}, known.count
    for name in wanted:
        if name not in names:
            count += 1
            kept.append(Part(number=count, name=name, listed=True))
    if tuple(kept) != known.each:
        _set(draft, repeat, Parts(count=count, each=tuple(kept)))


def _set(draft: Draft, repeat: Repeat, parts: Parts) -> None:
    """Let it happen these times: items of what is new, nothing left of what is gone."""
    before = {part.number for part in draft.parts.get(repeat.key, Parts()).each}
    gone = [
        instance_key(member.key, number)
        for number in sorted(before - {part.number for part in parts.each})
        for member in repeat.pattern
    ]
    draft.forget_signatures(*gone)
    for key in gone:
        cancel_timers(draft, key)
    ended = {name for name, timer in draft.definition.timers.items() if timer.item in gone}
    draft.unfold({**draft.parts, repeat.key: parts})
    draft.items = {key: item for key, item in draft.items.items() if key not in gone}
    draft.timers = {name: timer for name, timer in draft.timers.items() if name not in ended}
    if (plan := draft.whole.get("plan", draft.before.plan)) is not None:
        pins = {key: day for key, day in plan.pins.items() if key not in gone}
        draft.whole["plan"] = msgspec.structs.replace(plan, pins=pins)
    for key in below(draft.definition, repeat.key):
        draft.items.setdefault(key, ItemState())


def _is_untouched(draft: Draft, repeat: Repeat, part: Part) -> bool:
    """Whether nothing was done, answered, asked or reported in an instance yet."""
    for key in below(draft.definition, instance_key(repeat.key, part.number)):
        state = draft.items[key]
        if state.state not in {"waiting", "open"} or state.request or state.answers or state.evidence:
            return False
        if draft.signatures.get(key):
            return False
        if any(each.item == key for each in draft.exceptions.values()):
            return False
    return True
