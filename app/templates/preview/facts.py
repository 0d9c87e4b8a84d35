"""What a template is made of and what it needs: sizes, people, systems, rules."""

from __future__ import annotations

from collections import Counter
from typing import Any

from app.flow.definition import Definition, Item, Timer
from app.templates.preview.board import Read, due_in_numbers


def facts_of(definition: Definition, read: Read) -> dict[str, Any]:
    """Counts, who is needed, which systems are asked, what blocks the handoff, what is sent, and first value."""
    items = _items(definition)
    counts, rules = Counter(item.kind for item in items), Counter(field.rule for field in definition.handoff)
    return {
        "counts": {kind: counts[kind] for kind in ("stage", "milestone", "task", "gate")},
        "people": _people(definition, items, read),
        "systems": sorted({f"{item.action.connector}.{item.action.action}" for item in items if item.action}),
        "handoff": {rule: rules[rule] for rule in ("hard", "soft", "info")},
        "clocks": [_clock(definition, timer, read) for timer in definition.timers.values()],
        "controls": [read(control.label) for control in definition.controls],
        "messages": [
            {"subject": read(each.subject), "mode": each.mode, "approved": each.approval is not None}
            for each in definition.communications.values()
        ],
        "first_value": read(definition.first_value.definition),
        "follows": [link.lifecycle for link in definition.then],
    }


def _items(definition: Definition) -> list[Item]:
    """Every item as it is written: what happens several times once, and no groups."""
    patterns = [member for repeat in definition.repeats.values() for member in repeat.pattern]
    return [*(item for item in definition.items.values() if item.kind != "group"), *patterns]


def _people(definition: Definition, items: list[Item], read: Read) -> list[dict[str, Any]]:
    owned = Counter(item.owner for item in items)
    return [
        {
            "role": read(role.label),
            "side": role.side,
            "owns": owned[role.id],
            "stands_in": read(definition.roles[role.fallback].label) if role.fallback else "",
        }
        for role in definition.roles.values()
    ]


def _clock(definition: Definition, timer: Timer, read: Read) -> dict[str, Any]:
    watched = next((item for item in _items(definition) if item.key == timer.item), None)
    rungs = [{"after": due_in_numbers(rung.after), "message": read(rung.message)} for rung in timer.ladder]
    return {"title": read(watched.title) if watched else timer.item, "rungs": rungs}
