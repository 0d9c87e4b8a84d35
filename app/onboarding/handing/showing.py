"""A step in which credentials are handed over, as people see it: what was given, by whom and when; never a value."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import CUSTOMER_ROLES
from app.connectors.lookups import credentials_given
from app.flow.definition import Item
from app.flow.kinds.credentials import Handover
from app.flow.kinds.handing import RENEWABLE
from app.kernel.work import Work
from app.onboarding.handing.operations import system_of
from app.onboarding.parts.showing import part_forms
from app.onboarding.queries.heading import TOLD, head
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing

FIELD = "secret-"  # before the name of each field of the form: none is mistaken for one of the form's own


def handing_page(work: Work, picture: Picture, item: Item, handover: Handover) -> dict[str, Any]:
    """The page of the step. `fields` and `action` are there for whose credentials these are. Raises OnboardingMissing.

    What the partner hands over itself is not the customer's to see.
    """
    told, state = bool(work.rights & CUSTOMER_ROLES), picture.of(item.key)
    if told and item.side != "customer":
        raise OnboardingMissing("There is no such step in this onboarding.")
    given = _given(work, picture, item, handover)
    again = state.state in RENEWABLE
    may = _may_hand_over(work, picture, item)
    return {
        "task": {
            "key": item.key,
            "title": dict(item.title),
            "state": state.state,
            "due_at": state.due_at,
            "why": dict(item.help) or dict(item.title),
            "optional": item.optional,
            "side": item.side,
        },
        "onboarding": head(picture, TOLD),
        "system": "" if told else system_of(handover),
        "given": given,
        "again": again,
        "fields": _fields(handover, given, again=again) if may else [],
        "values": {},
        "errors": [],
        "action": f"{picture.path}/tasks/{quote(item.key)}/credentials" if may else "",
        "more": part_forms(work, picture, item),
        "back": picture.path,
        "talk": f"{picture.path}/comments?{urlencode({'about': item.key})}",
    }


def _may_hand_over(work: Work, picture: Picture, item: Item) -> bool:
    """Whether this person may now: of the side whose step it is, while it is open, and as long as the work goes on."""
    mine = item.side == ("customer" if work.rights & CUSTOMER_ROLES else "partner")
    now = picture.of(item.key).state in RENEWABLE | {"open"} and picture.state.phase == "running"
    return mine and now and can(work.rights, Permission.TASK_COMPLETE)


def _given(work: Work, picture: Picture, item: Item, handover: Handover) -> list[dict[str, Any]]:
    """Each value with when it was given and by whom. `gone`: it was given, and the vault does not hold it any more."""
    there, state = credentials_given(work.session, handover.connector), picture.of(item.key)
    lines = []
    for field in handover.fields:
        known = there.get(field.id)
        lines.append(
            {
                "id": field.id,
                "label": dict(field.label),
                "at": known.at if known else None,
                "by": picture.name_of(f"person:{known.by}") if known else "",
                "gone": known is None and state.answers.get(field.id) is True,
            }
        )
    return lines


def _fields(handover: Handover, given: list[dict[str, Any]], *, again: bool) -> list[dict[str, Any]]:
    """The fields of the form. Anew, one that is left blank stays as it is."""
    there = {line["id"] for line in given if line["at"]}
    return [
        {
            "id": f"{FIELD}{field.id}",
            "label": dict(field.label),
            "type": field.type,
            "required": field.required and not again,
            "conditional": again and field.id in there,
            "help": dict(field.help),
            "options": [],
        }
        for field in handover.fields
    ]
