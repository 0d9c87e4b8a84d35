"""The forms by which people decline an optional step, where they see it. Only what may be done now is offered."""

from __future__ import annotations

from typing import Any

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
    if picture.state.phase != "running" or not can(work.rights, Permission.TASK_COMPLETE):
        return []
    mine = item.side == ("customer" if work.rights & CUSTOMER_ROLES else "partner")
    begun = picture.of(item.key).state in {"open", "blocked"}
    return [_decline(picture, item)] if item.optional and mine and begun else []


def _decline(picture: Picture, item: Item) -> PartForm:
    say = picture.say
    why = {"id": "reason", "label": say(mark("Why it is not needed")), "type": "long_text", "required": True}
    return {
        "id": "decline",
        "action": f"{picture.path}/items/{item.key}/decline",
        "label": say(mark("Not needed")),
        "text": say(mark("Nobody waits for this step. It can be left undone, or you say now that it is not needed.")),
        "fields": [why | {"help": say(mark("Is kept in the trail."))}],
        "given": {},
        "errors": [],
    }
