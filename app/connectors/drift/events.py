"""What happened to records that another system holds as well. Values stay out of it: fields are named."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class DriftFound(Event, frozen=True, kw_only=True):
    """Another system says something else of a record than we do; what would be written to it waits."""

    type: ClassVar[str] = "connectors.drift.found"
    subject_kind: ClassVar[str] = "drift"

    connector: str
    source: str
    record: str
    fields: list[str]


class DriftCorrected(Event, frozen=True, kw_only=True):
    """The two agree again, without anybody having settled it here; what waited goes on."""

    type: ClassVar[str] = "connectors.drift.corrected"
    subject_kind: ClassVar[str] = "drift"

    connector: str
    source: str
    record: str
    fields: list[str]


class DriftSettled(Event, frozen=True, kw_only=True):
    """Somebody decided what holds of a record: `theirs`, `ours`, or to `give_up` what would have been written."""

    type: ClassVar[str] = "connectors.drift.settled"
    subject_kind: ClassVar[str] = "drift"

    connector: str
    source: str
    record: str
    answer: str
    fields: list[str]
    waited: int


class LookAsked(Event, frozen=True, kw_only=True):
    """Somebody has had what we hold compared with what other systems hold, at once."""

    type: ClassVar[str] = "connectors.drift.look_asked"
    subject_kind: ClassVar[str] = "tenant"


class RunHeld(Event, frozen=True, kw_only=True):
    """A write waits: what it would write to is not what we believe it to be."""

    type: ClassVar[str] = "connectors.run.held"
    subject_kind: ClassVar[str] = "run"

    item_key: str
    connector: str
    action: str
    drift: str
