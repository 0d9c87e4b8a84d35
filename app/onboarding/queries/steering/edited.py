"""Other values for one more try of an action: which may be given, as what, and what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.connectors.kit.contract import Connector, Place
from app.connectors.kit.registry import ConnectorNotFound
from app.connectors.kit.runner import Runner
from app.flow.definition import Definition, Item
from app.flow.fields import Value
from app.flow.state import State
from app.flow.steps.settle import input_now
from app.kernel.errors import Invalid
from app.kernel.work import Work
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

SAME = mark("These are the values that it has already. Change one, or just try again.")
_UNKNOWN = mark("The action takes no such value.")
_UNFIT = mark("The action does not take this value.")


class InputRefused(Invalid):
    """Values that the action does not take, none that is other than now, or one that nobody may see."""


@dataclass(frozen=True, slots=True)
class Editable:
    """What an action is called with: the values of now, and the places that a person may give others for."""

    connector: Connector
    action: str
    now: dict[str, Value]
    places: dict[str, Place]

    @property
    def changes_something(self) -> bool:
        """Whether a call has an effect outside."""
        return self.connector.manifest.actions[self.action].effect != "read"

    def changed(self, given: Mapping[str, Any]) -> dict[str, Value]:
        """What is other than now, checked with all else that is sent; None leaves a value out. Raises InputRefused."""
        unknown = [(f"/input/{name}", _UNKNOWN) for name in given if name not in self.places]
        if unknown:
            raise InputRefused(_UNKNOWN, errors=unknown)
        other = {name: value for name, value in given.items() if value != self.now.get(name)}
        if not other:
            raise InputRefused(SAME)
        whole = {name: value for name, value in (self.now | other).items() if value is not None}
        if wrong := self.connector.unfit(self.action, whole):
            raise InputRefused(_UNFIT, errors=[(f"/input/{name}" if name else "/input", said) for name, said in wrong])
        return other


def find_editable(work: Work, definition: Definition, state: State, item: Item) -> Editable | None:
    """What an item's action is called with; None where it has none, or its connector is not here."""
    if item.action is None:
        return None
    try:
        connector, _ = work.service(Runner).registry.get_action(item.action.connector, item.action.action)
    except ConnectorNotFound:
        return None
    offered = connector.places(item.action.action)
    places = {name: offered[name] for name in item.action.inputs if name in offered}
    now = {name: value for name, value in input_now(definition, state, item).items() if name in item.action.inputs}
    return Editable(connector, item.action.action, now, places)


def find_places(work: Work, picture: Picture, exception: str) -> dict[str, Place]:
    """The places that an exception's action has; none where there is no such action."""
    opened = picture.state.exceptions.get(exception)
    item = picture.definition.items.get(opened.item) if opened else None
    editable = find_editable(work, picture.definition, picture.state, item) if item else None
    return editable.places if editable else {}
