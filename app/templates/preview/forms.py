"""The forms: what each task asks, as the form component takes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.flow.definition import Definition, Item
from app.flow.fields import Field
from app.flow.file_kinds import endings_of
from app.templates.preview.board import Read


def specs_of(fields: Iterable[Field]) -> list[dict[str, Any]]:
    """Typed fields as the form component takes them, their texts in every language."""
    return [
        {
            "id": field.id,
            "label": dict(field.label),
            "type": field.type,
            "required": field.required,
            "help": dict(field.help),
            "options": [{"id": option.id, "label": dict(option.label)} for option in field.options],
        }
        | ({"rules": rules_of(field)} if field.type == "files" else {})
        for field in fields
    ]


def rules_of(field: Field) -> dict[str, Any]:
    """What a place for files takes: endings as people write them, the largest in MB, how many."""
    endings = [ending.removeprefix(".").upper() for ending in endings_of(field.accept)]
    return {"endings": endings, "max_mb": field.max_mb, "needed": field.minimum or 0, "most": field.maximum or 1}


def forms_of(definition: Definition, read: Read) -> list[dict[str, Any]]:
    """Every task that asks something, in the plan's order; of what happens several times, once."""
    tasks = [task for item in definition.items.values() for task in _tasks_of(definition, item) if task.fields]
    return [
        {
            "key": task.key,
            "title": read(task.title),
            "help": read(task.help) if task.help else "",
            "side": task.side,
            "fields": [_in_one_language(spec, read) for spec in specs_of(task.fields)],
            "conditions": {field.id: getattr(field.when, "source", "") for field in task.fields if field.when},
        }
        for task in tasks
    ]


def _tasks_of(definition: Definition, item: Item) -> Iterable[Item]:
    """The tasks at an item's place: of what happens several times those of its pattern, whose places count anew."""
    repeat = definition.repeats.get(item.key)
    return [task for task in (repeat.pattern if repeat else (item,)) if task.kind == "task"]


def _in_one_language(spec: dict[str, Any], read: Read) -> dict[str, Any]:
    options = [option | {"label": read(option["label"])} for option in spec["options"]]
    return spec | {"label": read(spec["label"]), "help": read(spec["help"]) if spec["help"] else "", "options": options}
