"""What an addition stands for: a component's parts, or one task, under ids of their own. Pure; finding is handed in.

It is done once, when a package is published or looked at, so that a published package never changes with the library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from app.templates.components import FindComponent, expand
from app.templates.document import Source
from app.templates.packages.document import Addition, Content, ExtraTask, Text
from app.templates.rules import Problem, TemplateRefused

SECTIONS = {"stage": ("milestones", "gates"), "milestone": ("tasks",)}  # what may stand at a place
DONE: Mapping[str, str] = {"en": "It is done", "de": "Es ist erledigt", "ar": "تم ذلك"}


def with_parts(content: Content, locales: Sequence[str], find: FindComponent) -> Content:
    """The content with every addition's parts, said in the template's languages. Raises TemplateRefused."""
    adds = [_whole(each, "with", locales, find) for each in content.adds]
    add_ons = [
        msgspec.structs.replace(one, adds=[_whole(each, one.id, locales, find) for each in one.adds])
        for one in content.add_ons
    ]
    return msgspec.structs.replace(content, adds=adds, add_ons=add_ons)


def in_all(text: Mapping[str, str], locales: Sequence[str]) -> Text:
    """A text in each language: where one is missing, in the first that is there."""
    first = next((text[each] for each in locales if text.get(each)), next(iter(text.values()), ""))
    return {each: text.get(each) or first for each in locales}


def _whole(addition: Addition, whose: str, locales: Sequence[str], find: FindComponent) -> Addition:
    name = f"{whose.replace('-', '_')}_{addition.id}"
    if addition.task is not None:
        brings = {"tasks": [_task(name, addition.task, addition.after, locales)]}
    else:
        brings = _component(name, addition, locales, find)
    return msgspec.structs.replace(addition, brings=brings)


def _task(name: str, task: ExtraTask, after: Sequence[str], locales: Sequence[str]) -> dict[str, Any]:
    made: dict[str, Any] = {"id": name, "kind": task.kind, "title": in_all(task.title, locales), "owner": task.owner}
    if task.help:
        made["help"] = in_all(task.help, locales)
    if task.due:
        made["due"] = task.due
    if after:
        made["depends_on"] = list(after)
    if task.kind == "check":
        label = in_all(DONE, locales)
        made["fields"] = [{"id": "done", "label": label, "type": "boolean", "required": True}]
    return made


def _component(
    name: str, addition: Addition, locales: Sequence[str], find: FindComponent
) -> dict[str, list[dict[str, Any]]]:
    """The parts of a component, and the timers, controls and communications that come with it."""
    component = find(str(addition.component))
    file = f"{name} ({addition.component})"
    kind = addition.place.partition(".")[0]
    if component is None or component.place not in SECTIONS[kind]:
        message = f"There is no “{addition.component}” that could stand in a {kind}."
        raise TemplateRefused([Problem(file, 1, 1, message, "Choose another component or another place.")])
    include: dict[str, Any] = {"id": name, "include": str(addition.component), "with": dict(addition.given)}
    if addition.after:
        include["depends_on"] = list(addition.after)
    source = Source(file, {component.place: [include]}, {}, {})
    expanded: dict[str, list[dict[str, Any]]] = _spoken(expand(source, find).document, locales)
    return expanded


def _spoken(value: Any, locales: Sequence[str]) -> Any:
    """The same with every text in exactly the template's languages: a component may speak more or fewer."""
    if isinstance(value, dict):
        if _is_text(value):
            return in_all(value, locales)
        return {name: _spoken(each, locales) for name, each in value.items()}
    return [_spoken(each, locales) for each in value] if isinstance(value, list) else value


def _is_text(value: Mapping[str, Any]) -> bool:
    return "en" in value and all(isinstance(each, str) for each in value.values())
