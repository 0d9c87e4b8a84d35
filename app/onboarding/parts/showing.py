"""The forms by which people decline, add or take away steps, where they see them; only what may be done now."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import Item
from app.kernel.work import Work
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

PartForm = dict[str, Any]


def part_forms(work: Work, picture: Picture, item: Item) -> list[PartForm]:
    """What this person may do to the step besides finishing it."""
    if picture.state.phase != "running":
        return []
    forms = list[PartForm]()
    mine = item.side == ("customer" if work.rights & CUSTOMER_ROLES else "partner")
    begun = picture.of(item.key).state in {"open", "blocked"}
    if item.optional and mine and begun and can(work.rights, Permission.TASK_COMPLETE):
        forms.append(_decline(picture, item))
    if can(work.rights, Permission.ONBOARDING_WRITE):
        forms += [_add(picture, item)] if _may_be_added_to(picture, item) else []
        forms += [_remove(picture, item)] if _may_be_removed(picture, item) else []
    return forms


def _may_be_added_to(picture: Picture, item: Item) -> bool:
    repeat = picture.definition.repeats.get(item.key)
    if repeat is None or repeat.at_most is None or picture.state.is_settled(item.parent or ""):
        return False
    return len(item.children) < repeat.at_most


def _may_be_removed(picture: Picture, item: Item) -> bool:
    """Whether it is one that people added, and no item of it has been touched; the engine looks closer."""
    if item.group is None or item.parent != item.group:
        return False
    parts, repeat = picture.state.parts[item.group].each, picture.definition.repeats[item.group]
    listed = any(part.number == item.number and part.listed for part in parts)
    begun = picture.of(item.key).state in {"waiting", "open"}
    return begun and not listed and len(parts) > 1 and repeat.at_most is not None


def _add(picture: Picture, item: Item) -> PartForm:
    say = picture.say
    name = {"id": "name", "label": say(mark("Name")), "type": "text", "required": True}
    return _form(
        picture,
        item,
        "parts",
        label=mark("Add another"),
        text=mark("This step happens several times, each with its own answers, owner and dates."),
        fields=[name | {"help": say(mark("What tells it from the others, such as a site."))}],
    )


def _remove(picture: Picture, item: Item) -> PartForm:
    reason = {"id": "reason", "label": picture.say(mark("Reason")), "type": "long_text", "required": False}
    return _form(
        picture,
        item,
        "removal",
        label=mark("Take this one away"),
        text=mark("Possible as long as nothing was done in it."),
        fields=[reason | {"help": picture.say(mark("Is kept in the trail."))}],
    )


def _decline(picture: Picture, item: Item) -> PartForm:
    say = picture.say
    why = {"id": "reason", "label": say(mark("Why it is not needed")), "type": "long_text", "required": True}
    return _form(
        picture,
        item,
        "decline",
        label=mark("Not needed"),
        text=mark("Nobody waits for this step. It can be left undone, or you say now that it is not needed."),
        fields=[why | {"help": say(mark("Is kept in the trail."))}],
    )


def _form(picture: Picture, item: Item, word: str, *, label: str, text: str, fields: list[PartForm]) -> PartForm:
    """`word` is the last part of the form's address; a number sign in a key is written as an address needs it."""
    say, action = picture.say, f"{picture.path}/items/{quote(item.key)}/{word}"
    return {"id": word, "action": action, "label": say(label), "text": say(text), "fields": fields} | {
        "given": {},
        "errors": [],
    }
