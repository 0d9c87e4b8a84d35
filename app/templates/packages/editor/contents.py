"""The form of what a package always adds, or of one add-on: components at a place, and tasks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.flow.definition import Definition
from app.templates.components import Component, FindComponent
from app.templates.packages.additions import SECTIONS
from app.templates.packages.document import TASK_KINDS, said
from app.templates.packages.editor.asking import Asked, Spec
from app.web.translations import mark

Plain = dict[str, Any]
KIND_WORDS = {
    "check": mark("Check that it is done"),
    "meeting": mark("Meeting"),
    "training": mark("Training"),
    "approval": mark("Approval"),
}


class Shelf:
    """What there is to choose from: the plan's places, roles and items, and the library's components."""

    def __init__(self, plan: Definition, components: Sequence[Component], find: FindComponent, language: str) -> None:
        self.plan, self.find, self.language = plan, find, language
        self.components = components
        self.roles = [{"id": each.id, "label": said(each.label, language)} for each in plan.roles.values()]
        self.items = [self._item(key) for key in plan.items if not key.startswith("stage.")]

    def places(self, kinds: Iterable[str]) -> list[dict[str, str]]:
        """Stages or milestones, by their titles."""
        return [self._item(key) for key in self.plan.items if key.partition(".")[0] in set(kinds)]

    def offered(self) -> list[dict[str, str]]:
        """The components that can stand at a place of a plan."""
        lists = {name for names in SECTIONS.values() for name in names}
        return [
            {"id": each.name, "label": f"{said(each.source.document['title'], self.language)} · {each.name}"}
            for each in self.components
            if each.place in lists
        ]

    def _item(self, key: str) -> dict[str, str]:
        item = self.plan.items[key]
        above = self.plan.items[item.parent].title if item.parent else {}
        path = [said(above, self.language)] if above else []
        return {"id": key, "label": ": ".join([*path, said(item.title, self.language)])}


def additions(asked: Asked, shelf: Shelf, adds: Sequence[Plain]) -> tuple[list[dict[str, Any]], list[Plain]]:
    """Each addition with its fields, and what they are now; a ticked “remove” takes one out."""
    groups, kept = [], []
    for each in adds:
        specs, now = (_task if each.get("task") else _component)(asked, shelf, each)
        after = asked.line(f"{each['id']}.after", next(iter(each.get("after", ())), ""))
        specs.append(asked.spec(f"{each['id']}.after", mark("Only after"), "select", options=shelf.items))
        now |= {"after": [after] if after else []}
        if not (asked.form and asked.form.first("remove") == each["id"]):
            groups.append({"id": each["id"], "title": _title(shelf, now), "specs": specs})
            kept.append(now)
    return groups, kept


def added(form: Any, shelf: Shelf, adds: Sequence[Plain]) -> list[Plain]:
    """The additions with the new one that a form asks for, if it asks for one: its place and its roles are guessed."""
    component, title = form.first("new_component"), form.first("new_task").strip()
    found = shelf.find(component) if component else None
    if found is not None:
        kind = next(kind for kind, names in SECTIONS.items() if found.place in names)
        place = form.first("new_place")
        fitting = [each["id"] for each in shelf.places([kind])]
        place = place if place in fitting else fitting[-1]
        name = _fresh(component.split("/")[1].split("@")[0], adds)
        return [*adds, {"id": name, "place": place, "component": component}]
    if title:
        owner = next((role.id for role in shelf.plan.roles.values() if role.side == "partner"), shelf.roles[0]["id"])
        fitting = [each["id"] for each in shelf.places(["milestone"])]
        place = form.first("new_place")
        task = {"title": {shelf.language: title}, "kind": "check", "owner": owner}
        return [*adds, {"id": _fresh(title, adds), "place": place if place in fitting else fitting[-1], "task": task}]
    return list(adds)


def _component(asked: Asked, shelf: Shelf, each: Plain) -> tuple[list[Spec], Plain]:
    component = shelf.find(each["component"])
    name, given = each["id"], dict[str, Any]()
    kinds = [kind for kind, names in SECTIONS.items() if component is None or component.place in names]
    place, chosen = _place(asked, shelf, each, kinds)
    specs = [place]
    for parameter in component.parameters.values() if component else ():
        fields, value = _parameter(asked, shelf, f"{name}.{parameter['id']}", parameter, each.get("given", {}))
        specs += fields
        if value not in (None, "", {}):
            given[parameter["id"]] = value
    return specs, {"id": name, "place": chosen, "component": each["component"], "given": given}


def _task(asked: Asked, shelf: Shelf, each: Plain) -> tuple[list[Spec], Plain]:
    name, task = each["id"], each["task"]
    titles, title = asked.text(f"{name}.title", mark("Title"), task["title"], required=True)
    helps, help_text = asked.text(f"{name}.help", mark("What it is about"), task.get("help"))
    kinds = [{"id": kind, "label": asked.say(KIND_WORDS[kind])} for kind in TASK_KINDS]
    kind = asked.line(f"{name}.kind", task["kind"])
    owner = asked.line(f"{name}.owner", task["owner"])
    due = asked.length(f"{name}.due", task.get("due"))
    place, chosen = _place(asked, shelf, each, ["milestone"])
    specs = [
        *titles,
        *helps,
        asked.spec(f"{name}.kind", mark("Kind"), "select", options=kinds, required=True),
        asked.spec(f"{name}.owner", mark("Who does it"), "select", options=shelf.roles, required=True),
        place,
        *asked.length_specs(f"{name}.due", asked.say(mark("Time for it"))),
    ]
    now: Plain = {"title": title or task["title"], "kind": kind if kind in TASK_KINDS else task["kind"]}
    now |= {"owner": owner or task["owner"], "due": due, "help": help_text or None}
    return specs, {"id": name, "place": chosen, "task": now}


def _place(asked: Asked, shelf: Shelf, each: Plain, kinds: Iterable[str]) -> tuple[Spec, str]:
    options = shelf.places(kinds)
    chosen = asked.line(f"{each['id']}.place", each["place"])
    spec = asked.spec(f"{each['id']}.place", mark("Where it stands"), "select", options=options, required=True)
    return spec, chosen if chosen in {option["id"] for option in options} else each["place"]


def _parameter(
    asked: Asked, shelf: Shelf, name: str, parameter: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[list[Spec], Any]:
    """One thing that a component takes, by its type; what is not said is the component's own."""
    label, kind = said(parameter["label"], shelf.language), parameter["type"]
    value = given.get(parameter["id"], parameter.get("default"))
    needed = "default" not in parameter
    if kind == "duration":
        return asked.length_specs(name, label), asked.length(name, value)
    if kind == "text":
        specs, text = asked.text(name, label, value)
        return [spec | {"label": spec["label"]} for spec in specs], text
    if kind == "number":
        spec = asked.spec(name, label, "integer", required=needed)
        return [spec], asked.number(name, value, 1_000_000)
    if kind == "flag":
        ticked = (asked.form.first(name) == "true") if asked.form else bool(value)
        asked.values[name] = ticked
        return [asked.spec(name, label, "boolean")], ticked
    options = {"role": shelf.roles, "item": shelf.items}.get(kind)
    more: dict[str, Any] = {"options": options} if options is not None else {}
    spec = asked.spec(name, label, "select" if options is not None else "text", required=needed, **more)
    return [spec], asked.line(name, str(value or ""))


def _title(shelf: Shelf, addition: Plain) -> str:
    if addition.get("task"):
        return said(addition["task"]["title"], shelf.language)
    component = shelf.find(addition["component"])
    return said(component.source.document["title"], shelf.language) if component else str(addition["component"])


def _fresh(words: str, adds: Sequence[Plain]) -> str:
    """A short id of what it is called that no other has."""
    plain = re.sub(r"[^a-z0-9]+", "_", words.casefold()).strip("_")[:14].strip("_") or "part"
    stem = plain if plain[0].isalpha() else f"p_{plain}"[:14]
    taken = {each["id"] for each in adds}
    return next(name for name in (stem, *(f"{stem}_{at}" for at in range(2, 99))) if name not in taken)
