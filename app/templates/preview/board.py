"""The board: stages as columns, in them gates and milestones with their tasks, and who does what by when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.flow.criteria import Criterion
from app.flow.definition import Definition, Duration, Item, Repeat
from app.flow.fields import Text

Read = Callable[[Text], str]  # a text in the language of the preview


def board_of(definition: Definition, read: Read) -> list[dict[str, Any]]:
    """Every stage with what is in it, in the plan's order."""
    return [_stage(definition, stage, read) for stage in definition.of_kind("stage")]


def _stage(definition: Definition, stage: Item, read: Read) -> dict[str, Any]:
    below = [definition.items[key] for key in stage.children]
    return {
        **_entry(definition, stage, read),
        "after": [read(definition.items[key].title) for key in stage.depends_on],
        "gates": [_entry(definition, item, read) for item in below if item.kind == "gate"],
        "milestones": [_milestone(definition, item, read) for item in below if item.kind != "gate"],
    }


def _milestone(definition: Definition, item: Item, read: Read) -> dict[str, Any]:
    repeat = definition.repeats.get(item.key)
    if repeat is None:
        shown, tasks = item, [definition.items[key] for key in item.children]
    else:
        shown, tasks = repeat.pattern[0], list(repeat.pattern[1:])
    return {
        **_entry(definition, shown, read),
        "layer": shown.layer or "",
        "evidence": read(shown.evidence.label) if shown.evidence else "",
        "repeats": _repeats(repeat),
        "tasks": [_task(definition, task, read) for task in tasks],
    }


def _task(definition: Definition, item: Item, read: Read) -> dict[str, Any]:
    repeat = definition.repeats.get(item.key)
    shown = repeat.pattern[0] if repeat else item
    call = f"{shown.action.connector}.{shown.action.action}" if shown.action else ""
    entry = _entry(definition, shown, read)
    return entry | {"kind": shown.task_kind or "", "repeats": _repeats(repeat), "action": call}


def _entry(definition: Definition, item: Item, read: Read) -> dict[str, Any]:
    role = definition.roles.get(item.owner)
    return {
        "key": item.key,
        "title": read(item.title),
        "help": read(item.help) if item.help else "",
        "owner": read(role.label) if role else item.owner,
        "side": item.side,
        "due": due_in_numbers(item.due),
        "optional": item.optional,
        "when": _source(item.when),
        "entry": [each for each in (_source(item.entry), _source(item.entry_compliance)) if each],
        "exit": [each for each in (_source(item.exit), _source(item.exit_compliance)) if each],
    }


def due_in_numbers(due: Duration | None) -> dict[str, int] | None:
    """A length of business time for a page to put into words: working days or working hours."""
    if due is None:
        return None
    return {"days": due.business_days} if due.business_days is not None else {"hours": due.business_hours or 0}


def _repeats(repeat: Repeat | None) -> dict[str, Any] | None:
    return {"for_each": repeat.for_each or "", "at_most": repeat.at_most or 0} if repeat else None


def _source(criterion: Criterion | None) -> str:
    return criterion.source if criterion else ""
