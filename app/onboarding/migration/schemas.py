"""Shapes of migrations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from app.flow.events import MigrationMap
from app.flow.fields import Value
from app.onboarding.dates.schemas import MoveOut, Reason

Address = Annotated[str, Meta(min_length=1, max_length=200, examples=["sha256:2f1c…"])]


class VersionOut(Struct, frozen=True):
    """A version on offer; `to` chooses it. `published_at` is null for one that only this workspace still has."""

    to: str
    version: str
    title: str
    published_at: datetime | None


class WaitingOut(Struct, frozen=True):
    """A migration that waits for another person. `still`: whether it would still do what was proposed."""

    definition: str
    version: str
    plan: str
    reason: str
    by: str
    at: datetime
    still: bool


class MigratedOut(Struct, frozen=True):
    """A migration that was made: its journal entry, its two definitions, and the items that were left out."""

    seq: int
    at: datetime
    before: str
    definition: str
    dropped: list[str]


class MigrationOut(Struct, frozen=True):
    """Which version the onboarding runs, what there is besides, what waits, and what was."""

    seq: int
    definition: str
    version: str
    versions: list[VersionOut]
    waiting: WaitingOut | None
    made: list[MigratedOut]


class ItemFate(Struct, frozen=True):
    """What becomes of one item: kept, set_back, added, not_needed, restored or dropped; keys before and after."""

    fate: str
    was: str | None
    becomes: str | None
    state: str


class ProblemOut(Struct, frozen=True):
    """What has to be settled first, and where in the map; `kind` is a word of docs/engine/migrating.md."""

    kind: str
    place: str
    reason: str
    item: str | None


class PlanOut(Struct, frozen=True):
    """The dry run. `plan` is its address, which a proposal names; with `problems` it cannot be proposed yet."""

    plan: str
    definition: str
    version: str
    items: list[ItemFate]
    values: list[str]
    problems: list[ProblemOut]
    opens: list[str]
    moves: list[MoveOut]
    ends: bool


class PlanQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """`to`: a version's address. `map`: a map as JSON; nothing means that every item keeps its key.

    Servers take addresses up to 64 kB, in which a letter may be twelve bytes.
    """

    to: Address
    map: Annotated[str, Meta(max_length=4_000)] = ""


class WantedMap(Struct, frozen=True, forbid_unknown_fields=True):
    """`items`: old key to new key. `dropped`: left out. `values`: what takes a value's place, null for nothing."""

    items: dict[str, str] = {}
    dropped: list[str] = []
    values: dict[str, Value] = {}

    def of_engine(self) -> MigrationMap:
        """As the engine takes it."""
        return MigrationMap(items=self.items, dropped=tuple(self.dropped), values=self.values)


class Proposed(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for, having seen its plan."""

    to: Address
    plan: Address
    reason: Reason
    map: WantedMap = WantedMap()


class Decided(Struct, frozen=True, forbid_unknown_fields=True):
    """Agreed, naming the plan that was seen; or declined, with a reason."""

    agreed: bool
    plan: Annotated[str, Meta(max_length=200)] = ""
    reason: Annotated[str, Meta(max_length=2000)] = ""
