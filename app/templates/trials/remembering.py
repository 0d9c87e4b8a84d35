"""What was decided in tests before: most tests of a template begin alike, and half of their events are the same."""

from __future__ import annotations

from datetime import datetime, tzinfo

import msgspec

from app.flow.commands import Decision
from app.flow.decide import decide, new_state
from app.flow.definition import Definition
from app.flow.events import Event
from app.flow.state import State

# By the very state (kept alive by what led to it), the event as it would be journaled, and the moment in its zone.
_Known = dict[tuple[int, str, bytes, datetime, tzinfo | None], Decision]


class Remembered:
    """Decides as the reducer does, and each thing once: the same state, event and moment give the same decision."""

    def __init__(self) -> None:
        self._begun: dict[str, State] = {}
        self._known: _Known = {}

    def begin(self, definition: Definition) -> State:
        """The state before the start."""
        return self._begun.setdefault(definition.digest, new_state(definition))

    def decide(self, definition: Definition, state: State, event: Event, now: datetime) -> Decision:
        """What follows from an event. Raises the reducer's refusals."""
        key = (id(state), type(event).__name__, msgspec.msgpack.encode(event), now, now.tzinfo)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = decide(definition, state, event, now)
        return known
