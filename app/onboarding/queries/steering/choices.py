"""What forms of steering offer to choose from: people, items, stages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from app.flow.definition import Item, Side
from app.onboarding.people import people_of
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

Field = dict[str, Any]


def people_choice(picture: Picture) -> Field:
    """Nobody, or one of the people who work on this onboarding, each with their side."""
    sides = {"partner": mark("Partner"), "customer": mark("Customer")}
    people = [
        {"id": str(person.id), "label": f"{person.name} ({picture.say(sides[person.side])})"}
        for side in get_args(Side)
        for person in people_of(picture.onboarding, side)
    ]
    label = picture.say(mark("Person"))
    return {"id": "person", "label": label, "type": "select", "required": False, "options": people}


def item_choice(picture: Picture, name: str, label: str, items: Iterable[Item]) -> Field:
    """One of these items."""
    options = [{"id": item.key, "label": dict(item.title)} for item in items]
    return {"id": name, "label": picture.say(label), "type": "select", "required": True, "options": options, "help": ""}


def stage_choice(picture: Picture) -> Field:
    """A stage that has begun."""
    begun = [stage for stage in picture.definition.of_kind("stage") if picture.of(stage.key).state != "waiting"]
    return item_choice(picture, "stage", mark("Stage"), begun)
