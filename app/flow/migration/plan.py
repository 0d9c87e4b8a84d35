"""What a migration would do, item by item: the dry run that people look at and agree to."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import msgspec
from msgspec import Struct

from app.flow.definition import Definition
from app.flow.events import MigrationMap
from app.flow.migration.mapping import Names, Problem, has_work_on_it
from app.flow.migration.standing import Standing
from app.flow.state import Parts, State

# kept: goes on as it is · set_back: had begun and waits for its turn again · added: still to come ·
# not_needed: only the new version has it, too late · restored: had been left out, finished · dropped: has no place
Fate = Literal["kept", "set_back", "added", "not_needed", "restored", "dropped"]


class Line(Struct, frozen=True, kw_only=True):
    """What becomes of one item: its key before and after, its state now, and whether anybody has worked on it."""

    fate: Fate
    was: str | None
    becomes: str | None
    state: str
    worked_on: bool = False


class MigrationPlan(Struct, frozen=True, kw_only=True):
    """The whole of it. With `problems` it cannot be done yet; each says where in the map it is settled.

    `parts`: how often repeated parts of the new version happen, from what goes on.
    """

    before: str
    definition: str
    version: str
    lines: tuple[Line, ...]
    values: tuple[str, ...]
    problems: tuple[Problem, ...]
    map: MigrationMap
    parts: dict[str, Parts] = {}

    @property
    def address(self) -> str:
        """The same for the same outcome: what was agreed to is what is done, however far work has gone on since."""
        lines = [(line.fate, line.was, line.becomes) for line in self.lines]
        wanted = [sorted(self.map.items.items()), sorted(self.map.dropped), sorted(self.map.values.items())]
        told = [self.before, self.definition, lines, self.values, wanted]
        return f"sha256:{sha256(msgspec.json.encode(told)).hexdigest()}"

    def of(self, fate: Fate) -> list[Line]:
        """The items that this becomes of."""
        return [line for line in self.lines if line.fate == fate]


def lines_of(old: Definition, new: Definition, state: State, names: Names, standing: Standing) -> tuple[Line, ...]:
    """The new version's items in its order, then what is left behind in the old one's."""
    lines: list[Line] = []
    for key in new.items:
        was = names.old.get(key)
        fate: Fate = "kept"
        if key in names.back:
            fate = "restored"
        elif was is None:
            fate = "not_needed" if key in standing.not_needed else "added"
        elif key in standing.set_back:
            fate = "set_back"
        now = state.items[was] if was else names.back.get(key)
        worked_on = has_work_on_it(state, was) if was else now is not None
        lines.append(Line(fate=fate, was=was, becomes=key, state=now.state if now else "", worked_on=worked_on))
    for key in old.items:
        if key not in names.new:
            found = state.items[key]
            worked_on = has_work_on_it(state, key)
            lines.append(Line(fate="dropped", was=key, becomes=None, state=found.state, worked_on=worked_on))
    return tuple(lines)
