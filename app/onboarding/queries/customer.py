"""What a customer's people see: what is needed from them, who is working on what, and when they are done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import quote, urlencode

from app.flow.definition import Item
from app.flow.fields import Field, Value
from app.flow.questions import asked_of
from app.flow.state import ItemState
from app.flow.steps.facts import Facts
from app.kernel.work import Work
from app.onboarding.files.showing import places_of, with_names, without_slots
from app.onboarding.parts.showing import part_forms
from app.onboarding.queries.court import court_parts
from app.onboarding.queries.heading import TOLD, head
from app.onboarding.queries.overview.answers import answers
from app.onboarding.queries.picture import MOVING, Picture, milestones
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.sold import sold_for_page
from app.templates.preview import specs_of
from app.web.translations import mark

_MINUTES_PER_QUESTION = 2
_WHO_SEES = mark("Only the people who work on this onboarding, yours and ours, see it.")


def status_page(work: Work, picture: Picture) -> dict[str, Any]:
    """The customer's one page."""
    tasks = [item for item in picture.definition.items.values() if item.kind == "task"]
    theirs = [item for item in tasks if item.side == "customer" and picture.of(item.key).state == "open"]
    theirs.sort(key=lambda item: _turn(picture, item))
    ours = [item for item in picture.definition.items.values() if _is_under_way(picture, item)]
    later = [item for item in tasks if item.side == "customer" and picture.of(item.key).state == "waiting"]
    parts = {part.holder: part.seconds for part in court_parts(work, picture.onboarding.id, picture.state)}
    return {
        "onboarding": head(picture, TOLD),
        "sold": sold_for_page(picture.onboarding.deal, told=True),
        "milestones": milestones(picture),
        "answers": answers(work, picture, told=True),
        "next_task": _next_task(picture, theirs[0]) if theirs and not picture.state.hold else None,
        "doing": [
            {
                "title": dict(item.title),
                "owner": picture.owner(item),
                "since": picture.of(item.key).opened_at or picture.onboarding.started_at,
            }
            for item in ours
        ],
        "then": [dict(item.title) for item in (theirs[1:] + later)[:3]],
        "waits": {holder: parts.get(holder, 0.0) for holder in ("partner", "customer")},
        "now": picture.now,
        "stream": f"{picture.path}/stream",
    }


def steps_page(picture: Picture) -> dict[str, Any]:
    """Every step of both sides."""
    stages = []
    for stage in picture.definition.of_kind("stage"):
        below = [i for i in picture.definition.items.values() if i.kind == "task" and _stage(picture, i) == stage.key]
        stages.append({"name": dict(stage.title), "tasks": [_step(picture, item) for item in below]})
    return {"onboarding": head(picture, TOLD), "stages": stages, "back": picture.path}


def task_page(work: Work, picture: Picture, task: str) -> dict[str, Any]:
    """One task of the customer's, as a form; also what was sent, once it is done. Raises OnboardingMissing.

    What the partner writes into its own steps is not the customer's to read, whatever address they type.
    """
    item, state = picture.item(task), picture.of(task)
    if item.kind != "task" or item.side != "customer":
        raise OnboardingMissing("There is no such step in this onboarding.")
    return {
        "task": {
            "key": item.key,
            "title": dict(item.title),
            "state": state.state,
            "due_at": state.due_at,
            "minutes": minutes(item),
            "why": dict(item.help) or dict(item.title),
            "who_sees": picture.say(_WHO_SEES),
            "kept": "",
            "completed_at": state.settled_at,
            "completed_by": picture.name_of(state.settled_by),
            "optional": item.optional,
        },
        "more": part_forms(work, picture, item),
        "action": f"{picture.path}/tasks/{quote(task)}/completion",
        **questions(picture, item, state.answers),
        "places": places_of(work, picture, item),
        "values": with_names(work, picture, item, values_of(item, state)),
        "errors": [],
        "back": picture.path,
        "talk": f"{picture.path}/comments?{urlencode({'about': task})}",
    }


def questions(picture: Picture, item: Item, answers: Mapping[str, Value]) -> dict[str, Any]:
    """What a form asks with these answers; `asks`: where to ask again, if that may change with an answer."""
    asked = asked_now(picture, item, answers)
    fields = without_slots(asked) if picture.of(item.key).state == "open" else asked
    depends = any(field.when is not None for field in item.fields)
    return {
        "fields": fields_of(item, fields),
        "asked": ",".join(field.id for field in fields) if depends else "",
        "asks": f"{picture.path}/tasks/{quote(item.key)}/questions" if depends else "",
    }


def asked_now(picture: Picture, item: Item, answers: Mapping[str, Value]) -> tuple[Field, ...]:
    """The questions of a task that are asked with these answers."""
    return asked_of(item, answers, Facts(picture.definition, picture.state).of(item))


def fields_of(item: Item, asked: Sequence[Field] | None = None) -> list[dict[str, Any]]:
    """The questions of a task as the form component takes them; a task without any asks for its evidence."""
    fields = specs_of(item.fields if asked is None else asked)
    if item.evidence is not None and item.evidence.source == "person":
        statement = {"id": "statement", "label": dict(item.evidence.label), "type": "text", "required": True}
        fields.append(statement | {"help": {}, "options": []})
    return fields


def values_of(item: Item, state: ItemState) -> dict[str, Any]:
    """What was answered, by field: a day as a day; the statement that the evidence is made of as the last."""
    asked = {field.id: field for field in item.fields}
    answers = {name: as_shown(asked[name], value) for name, value in state.answers.items() if name in asked}
    return answers | ({"statement": state.evidence.statement} if state.evidence else {})


def as_shown(field: Field, value: Any) -> Any:
    """A stored value as components take it: a day as a day."""
    return date.fromisoformat(value) if field.type == "date" and value else value


def minutes(item: Item) -> int:
    """About how long it takes: by the number of questions, in steps of five."""
    return max(5, -(-len(item.fields) * _MINUTES_PER_QUESTION // 5) * 5)


def _turn(picture: Picture, item: Item) -> tuple[bool, bool, datetime, int]:
    """What is needed comes before what is optional, the earliest date first."""
    due = picture.of(item.key).due_at
    return picture.definition.is_optional(item.key), due is None, due or picture.now, item.position


def _is_under_way(picture: Picture, item: Item) -> bool:
    return item.kind in {"task", "gate"} and item.side == "partner" and picture.of(item.key).state in MOVING


def _next_task(picture: Picture, item: Item) -> dict[str, Any]:
    return {
        "title": dict(item.title),
        "path": f"{picture.path}/tasks/{quote(item.key)}",
        "due_at": picture.of(item.key).due_at,
        "late": picture.is_late(item.key),
        "minutes": minutes(item),
        "why": dict(item.help) or "",
        "optional": picture.definition.is_optional(item.key),
        "who_sees": picture.say(_WHO_SEES),
    }


def _stage(picture: Picture, item: Item) -> str:
    return picture.definition.stage_of(item.key).key


def _step(picture: Picture, item: Item) -> dict[str, Any]:
    state = picture.of(item.key)
    theirs = item.side == "customer" and state.state != "waiting"
    return {
        "title": dict(item.title),
        "side": item.side,
        "owner": picture.owner(item) if item.side == "partner" else "",
        "due_at": state.due_at,
        "state": state.state,
        "optional": picture.definition.is_optional(item.key),
        "path": f"{picture.path}/tasks/{quote(item.key)}" if theirs else "",
    }
