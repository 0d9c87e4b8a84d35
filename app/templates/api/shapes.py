"""Shapes of the API of templates: lines, documents, what is wrong with one, and what an upgrade would make."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Source = Annotated[str, Meta(min_length=1, max_length=250_000, description="The document, as YAML or JSON.")]
Address = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]


class LineHead(Struct, frozen=True):
    """What is offered of one template: new onboardings get it. `waiting`: a newer version that is not offered yet."""

    template: str
    title: str
    version: str
    digest: str
    overlay: str | None
    overlay_version: str | None
    versions: int
    waiting: str | None
    published_at: datetime


class LineList(Struct, frozen=True):
    """The partner's lines, the last published first."""

    items: list[LineHead]


class PartOut(Struct, frozen=True):
    """A version in a chain; `publisher` is "" for one's own."""

    kind: str
    id: str
    version: str
    digest: str
    publisher: str


class EntryOut(Struct, frozen=True):
    """What was offered from a moment on; `why`: published, adopted, upgraded, or a person's reason for going back."""

    seq: int
    template_digest: str
    overlay_digest: str | None
    why: str
    by: str
    at: datetime


class LineOut(Struct, frozen=True):
    """A line: its chain with the uppermost first, what its own adaptations could stand on instead, and its history."""

    template: str
    title: dict[str, str]
    own: int
    chain: list[PartOut]
    targets: list[list[PartOut]]
    history: list[EntryOut]


class DocumentOut(Struct, frozen=True):
    """A published document by its content address: a template, an adaptation or a service package."""

    digest: str
    document: dict[str, Any]


class DocumentWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A template or an adaptation, as its author keeps it."""

    source: Source


class ProblemOut(Struct, frozen=True):
    """One thing to put right. Lines and columns count from 1."""

    line: int
    column: int
    message: str
    fix: str


class CheckedOut(Struct, frozen=True):
    """What was found. Without problems: its address, and that of what it makes together with what it stands on."""

    kind: str
    name: str
    version: str
    digest: str | None
    result: str | None
    problems: list[ProblemOut]


class PublishedOut(Struct, frozen=True):
    """What is published now."""

    kind: str
    name: str
    version: str
    digest: str


class Decision(Struct, frozen=True, forbid_unknown_fields=True):
    """A word on one conflict: one of both sides, or a value of your own (null takes it out)."""

    side: Literal["ours", "theirs", "own"]
    value: Any = None


class LineUpgradeWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Bring the line's own adaptations to another version, with a word on each conflict by adaptation and path.

    `dry_run` only says what it would make; to publish, `seen` names exactly that.
    """

    to: Annotated[Address, Meta(description="The uppermost version of one of the line's `targets`.")]
    decisions: dict[str, dict[str, Decision]] = {}
    seen: Annotated[str, Meta(max_length=100)] = ""
    dry_run: bool = True


class ConflictOut(Struct, frozen=True):
    """A question to a person: the value before, the new version's and the adaptation's; null: there is none."""

    path: str
    kind: str
    sentence: str
    before: Any
    theirs: Any
    ours: Any
    decided: bool


class StepOut(Struct, frozen=True):
    """What becomes of one adaptation: its questions, the paths that go on by themselves, and those no longer needed."""

    overlay: str
    version: str
    becomes: str | None
    conflicts: list[ConflictOut]
    carried: list[str]
    redundant: list[str]


class ChangeOut(Struct, frozen=True):
    """A place at which new onboardings would differ from those of now."""

    path: str
    kind: str
    before: Any
    after: Any


class LineUpgradeOut(Struct, frozen=True):
    """What the upgrade makes, or made; while `ready` is false a conflict waits for a word."""

    ready: bool
    seen: str
    steps: list[StepOut]
    changes: list[ChangeOut]
    published: str | None


class LineWayBack(Struct, frozen=True, forbid_unknown_fields=True):
    """Offer again what was offered before: the entry of the line's history, and why."""

    seq: Annotated[int, Meta(ge=0, le=2**31)]
    reason: Annotated[str, Meta(max_length=1_000)]


class OfferedOut(Struct, frozen=True):
    """What new onboardings get from now on."""

    template: str
    template_digest: str
    overlay_digest: str | None
