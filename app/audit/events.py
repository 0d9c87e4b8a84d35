"""What is done to a trail itself is in the trail: exports, erasures, refusals, whom its checkpoints are mailed to."""

from __future__ import annotations

from typing import Any, ClassVar

from app.kernel.events import Event


class TrailExported(Event, frozen=True, kw_only=True):
    """Somebody took the trail, or a part of it, out of the workspace. `subject_id` is the tenant."""

    type: ClassVar[str] = "audit.trail.exported"
    subject_kind: ClassVar[str] = "tenant"

    format: str  # proof | ocsf | csv
    entries: int


class ValuesErased(Event, frozen=True, kw_only=True):
    """Personal values of one person, or those past their time, were destroyed in these entries; the entries stay.

    `subject_id` is the person, or the tenant where a retention policy did it.
    """

    type: ClassVar[str] = "audit.values.erased"
    subject_kind: ClassVar[str] = "person"

    entries: list[str]
    by_policy: bool = False


class AccessRefused(Event, frozen=True, kw_only=True):
    """Somebody was refused something; with `count` 1 it says that it happened, else how often it went on afterwards.

    `subject_id` is the workspace where; in the trail of the actor's organisation that may be another one.
    """

    type: ClassVar[str] = "audit.access.refused"
    subject_kind: ClassVar[str] = "tenant"

    permission: str
    count: int


class KeepingChanged(Event, frozen=True, kw_only=True):
    """How long personal values stay in the trail, or whom its checkpoints are mailed to, was changed."""

    type: ClassVar[str] = "audit.settings.changed"
    subject_kind: ClassVar[str] = "tenant"
    personal: ClassVar[frozenset[str]] = frozenset({"before", "after"})

    before: dict[str, Any]
    after: dict[str, Any]


class CheckpointPublished(Event, frozen=True, kw_only=True):
    """A checkpoint goes out to those whom the workspace has named: from then on nobody can take back what it covers."""

    type: ClassVar[str] = "audit.checkpoint.published"
    subject_kind: ClassVar[str] = "tenant"
    personal: ClassVar[frozenset[str]] = frozenset({"addresses"})

    size: int
    note: str
    key: str
    addresses: list[str]
