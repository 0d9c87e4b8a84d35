"""Shapes of upgrades on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from app.onboarding.dates.schemas import Reason
from app.onboarding.migration.schemas import Address, WantedMap
from app.onboarding.upgrades.rules import Line, Part, State, Upgrade, Who, count_words

_VERSION = Annotated[str, Meta(min_length=1, max_length=50, examples=["1.2.0"])]


class UpgradeWish(Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for: `to` is the address of a published version, `from_versions` which go on; none means all."""

    to: Address
    reason: Reason
    from_versions: Annotated[list[_VERSION], Meta(max_length=50)] = []
    map: WantedMap = WantedMap()


class UpgradeDecision(Struct, frozen=True, forbid_unknown_fields=True):
    """Agreed, naming the preview that was seen; or declined, with a reason."""

    agreed: bool
    preview: Annotated[str, Meta(max_length=200)] = ""
    reason: Annotated[str, Meta(max_length=2000)] = ""


class WayBack(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is taken back; `onboarding_id` names one, without it all are meant."""

    reason: Reason
    onboarding_id: UUID | None = None


class Halt(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether it is stopped, or goes on."""

    stopped: bool


class PersonOut(Struct, frozen=True):
    """Who decided something, when and why."""

    id: UUID
    name: str
    at: datetime
    reason: str


class FateOut(Struct, frozen=True):
    """What becomes of an item that does not simply go on."""

    fate: str
    was: str | None
    becomes: str | None


class MovedOut(Struct, frozen=True):
    """A date that moves."""

    item: str
    was: datetime | None
    becomes: datetime


class UpgradeLineOut(Struct, frozen=True):
    """One onboarding: what the dry run showed, what was applied, what was taken back; null where not met yet.

    Words: goes, done, runs_it, held, ended, waits, problems, moved, no_right, resting, failed.
    """

    tenant_id: UUID
    tenant: str
    onboarding_id: UUID
    name: str
    definition: str
    version: str
    seen: str | None
    plan: str
    counts: dict[str, int]
    fates: list[FateOut]
    moves: list[MovedOut]
    problems: list[str]
    applied: str | None
    back: str | None
    told: str


class UpgradeHead(Struct, frozen=True):
    """An upgrade in short; `number`, its ETag, grows with each decision and each step that ends."""

    id: UUID
    number: int
    state: State
    stopped: bool
    template: str
    title: str
    version: str
    to: str
    definition: str
    from_versions: list[str]
    asked: PersonOut
    agreed: PersonOut | None
    undone: PersonOut | None
    preview: str
    workspaces: int
    left: int


class UpgradeOut(UpgradeHead, frozen=True):
    """All of it: with what was counted in each step, and every onboarding."""

    seen: dict[str, int]
    applied: dict[str, int]
    back: dict[str, int]
    onboardings: list[UpgradeLineOut]


class UpgradeList(Struct, frozen=True):
    """The partner's upgrades, the last first."""

    items: list[UpgradeHead]


class UpgradeQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which upgrades: of one template, or all."""

    template: Annotated[str, Meta(max_length=200, description="Only of this template.")] = ""


class RunsOut(Struct, frozen=True):
    """One onboarding that runs a version."""

    tenant_id: UUID
    tenant: str
    onboarding_id: UUID
    name: str
    state: str
    version: str
    definition: str


class RunningOut(Struct, frozen=True):
    """Who runs which version of a template now."""

    template: str
    title: str
    published: list[str]
    onboardings: list[RunsOut]


def head_of(upgrade: Upgrade) -> UpgradeHead:
    """In short."""
    return UpgradeHead(**_head(upgrade))


def upgrade_out(upgrade: Upgrade, parts: list[Part]) -> UpgradeOut:
    """With every onboarding."""
    return UpgradeOut(
        **_head(upgrade),
        seen=count_words(parts, "looking"),
        applied=count_words(parts, "applying"),
        back=count_words(parts, "taking_back"),
        onboardings=[_line(part, line) for part in parts for line in part.lines],
    )


def _head(upgrade: Upgrade) -> dict[str, Any]:
    own = ("id", "number", "state", "stopped", "template", "title", "version", "to", "definition", "preview")
    people = {name: _person(getattr(upgrade, name)) for name in ("asked", "agreed", "undone")}
    counted = {"workspaces": upgrade.parts, "left": len(upgrade.left), "from_versions": list(upgrade.from_versions)}
    return {name: getattr(upgrade, name) for name in own} | people | counted


def _person(who: Who | None) -> PersonOut | None:
    return PersonOut(who.id, who.name, who.at, who.reason) if who else None


def _line(part: Part, line: Line) -> UpgradeLineOut:
    return UpgradeLineOut(
        tenant_id=part.tenant,
        tenant=part.name,
        onboarding_id=line.onboarding,
        name=line.name,
        definition=line.before,
        version=line.version,
        seen=line.seen,
        plan=line.plan,
        counts=line.counts,
        fates=[FateOut(fate, was, becomes) for fate, was, becomes, _title in line.fates],
        moves=[MovedOut(*move) for move in line.moves],
        problems=list(line.kinds),
        applied=line.applied,
        back=line.back,
        told=line.told,
    )
