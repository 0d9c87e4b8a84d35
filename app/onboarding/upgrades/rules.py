"""An upgrade of many onboardings as a document: what is wanted, how far it is, and what became of each. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from app.flow.events import MigrationMap

State = Literal["looking", "looked", "applying", "applied", "taking_back", "taken_back", "declined"]
STEPS: tuple[State, ...] = ("looking", "applying", "taking_back")
# What one onboarding meets. `goes` and `done` are good; every other word says why it stays with what it runs.
Word = Literal[
    "goes",  # it can go on with the version
    "done",  # it has
    "runs_it",  # it runs the version already
    "held",  # it is on hold
    "ended",  # it is over, or gone
    "waits",  # a migration of its own waits for somebody's decision
    "problems",  # something has to be settled first, on its own page
    "moved",  # it has moved since it was looked at: look again
    "no_right",  # one of the two people may not do this in its workspace
    "resting",  # its workspace does no work at the moment
    "failed",  # it could not be done
]
# What a way back met where the onboarding now runs what it ran before; it may never have gone on.
HOME: frozenset[str | None] = frozenset({"done", "runs_it"})
SKIPPED: frozenset[str] = frozenset({"runs_it", "held", "ended", "waits", "resting"})
# What becomes of an item, its key before, its key after, its title.
Fated = tuple[str, str | None, str | None, dict[str, str]]
Moved = tuple[str, datetime | None, datetime]  # an item, its date before, its date after


class Who(Struct, frozen=True):
    """A person who decided something about it, when, and why."""

    id: UUID
    name: str
    at: datetime
    reason: str = ""


class Line(Struct, frozen=True, kw_only=True):
    """One onboarding of it.

    `before` is the address of what it ran, `definition` of what it would; a step that it has not met yet is None.
    `fates` leave out what goes on as it is; `counts` count those too.
    """

    onboarding: UUID
    name: str
    before: str
    version: str
    definition: str = ""
    seen: Word | None = None
    plan: str = ""
    map: MigrationMap = MigrationMap()
    counts: dict[str, int] = {}
    fates: tuple[Fated, ...] = ()
    moves: tuple[Moved, ...] = ()
    kinds: tuple[str, ...] = ()
    applied: Word | None = None
    back: Word | None = None
    told: str = ""

    def last(self) -> Word | None:
        """What it met in the step that it was in last."""
        return self.back or self.applied or self.seen

    @property
    def can_go_back(self) -> bool:
        """Whether it went on and is not back; or may have gone on without anybody's having written it down."""
        return self.seen == "goes" and self.applied in {None, "done", "failed"} and self.back not in HOME


class Part(Struct, frozen=True, kw_only=True):
    """The onboardings of it in one workspace: what a job goes through, and stores as one."""

    tenant: UUID
    name: str
    lines: tuple[Line, ...]


class Upgrade(Struct, frozen=True, kw_only=True):
    """What is wanted, by whom, and how far it is. `number` grows with each decision; `left` are workspaces to be met.

    `to` and `overlay` are published addresses, `definition` that of what they make together.
    """

    id: UUID
    number: int
    state: State
    stopped: bool = False
    template: str
    title: str
    from_versions: tuple[str, ...]
    to: str
    overlay: str | None
    definition: str
    version: str
    map: MigrationMap
    asked: Who
    agreed: Who | None = None
    agreement: str = ""
    undone: Who | None = None
    ended: Who | None = None
    preview: str = ""
    left: tuple[UUID, ...] = ()
    parts: int = 0
    back: tuple[UUID, ...] = ()

    @property
    def is_under_way(self) -> bool:
        """Whether jobs are at it."""
        return self.state in STEPS and not self.stopped

    def needs(self, line: Line) -> bool:
        """Whether the step that it is in has still to meet this onboarding."""
        if self.state == "looking":
            return line.seen is None
        if self.state == "applying":
            return line.seen == "goes" and line.applied is None and line.back is None
        return self.state == "taking_back" and line.onboarding in self.back and line.back is None


def preview_of(parts: Iterable[Part]) -> str:
    """The address of a dry run: the same for the same plans of the same onboardings."""
    lines = [line for part in parts for line in part.lines]
    told = sorted((str(line.onboarding), line.before, str(line.seen), line.plan) for line in lines)
    return f"sha256:{sha256(msgspec.json.encode(told)).hexdigest()}"


def count_words(parts: Iterable[Part], step: State) -> dict[str, int]:
    """How many met what in a step."""
    words = {"looking": "seen", "applying": "applied", "taking_back": "back"}
    lines = [line for part in parts for line in part.lines]
    found = Counter(getattr(line, words[step]) for line in lines)
    return {str(word): count for word, count in sorted(found.items(), key=str) if word is not None}


def way_back(wanted: MigrationMap) -> MigrationMap:
    """The map of the way back: each item under the name that it had."""
    return MigrationMap(items={becomes: was for was, becomes in wanted.items.items()})


def after_step(upgrade: Upgrade, parts: Iterable[Part]) -> State:
    """The state behind the one that is over."""
    if upgrade.state == "looking":
        return "looked"
    if upgrade.state == "applying":
        return "applied"
    lines = [line for part in parts for line in part.lines]
    resumed = msgspec.structs.replace(upgrade, state="applying")
    if any(resumed.needs(line) for line in lines):
        return "applying"  # stopped, with onboardings that nobody has met or taken back
    return "taken_back" if are_home(lines) else "applied"


def are_home(lines: Iterable[Line]) -> bool:
    """Whether all that went on, or were asked to go back, run what they ran before."""
    return all(line.back in HOME for line in lines if line.applied == "done" or line.back is not None)


def joined(begun: Upgrade, old: Line, new: Line) -> Line:
    """The line as it is written down by now, with what a step that had `begun` met.

    A step that was stopped finishes the onboarding that it is at; a way back may meet the same one at that moment.
    """
    if begun.state == "applying" and old.applied is None and new.applied is not None:
        back: Word | None = "moved" if old.back is not None and new.applied == "done" else old.back
        return msgspec.structs.replace(old, applied=new.applied, back=back, told=new.told)
    if begun.state == "taking_back" and begun.needs(old) and new.back is not None:
        crossed = new.back == "runs_it" and old.applied == "done" and new.applied is None
        applied = new.applied or old.applied
        return msgspec.structs.replace(old, applied=applied, back="moved" if crossed else new.back, told=new.told)
    return new if begun.state == "looking" and begun.needs(old) else old
