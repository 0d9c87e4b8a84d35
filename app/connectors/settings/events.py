"""What happened to the settings of connections. Values stay out of it: they are in the version that is named."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class SettingsChanged(Event, frozen=True, kw_only=True):
    """A connection is set otherwise. `restored`: the earlier version that was taken again, 0 for none."""

    type: ClassVar[str] = "connectors.connection.set"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    version: int
    level: str
    changed: list[str]
    restored: int


class PauseLifted(Event, frozen=True, kw_only=True):
    """Somebody wants a connection called again at once that was left alone for a while."""

    type: ClassVar[str] = "connectors.connection.pause_lifted"
    subject_kind: ClassVar[str] = "connection"

    connector: str


class CompensationAsked(Event, frozen=True, kw_only=True):
    """Somebody has decided that what a run did is undone, by another run."""

    type: ClassVar[str] = "connectors.run.compensation_asked"
    subject_kind: ClassVar[str] = "run"

    connector: str
    action: str
    undo: str
    by_run: str


class AccessAsked(Event, frozen=True, kw_only=True):
    """Somebody wants a connection to be allowed more than its connector gives by itself."""

    type: ClassVar[str] = "connectors.connection.access_asked"
    subject_kind: ClassVar[str] = "connection"

    level: str


class AccessRefused(Event, frozen=True, kw_only=True):
    """Somebody has refused, or taken back, that a connection is allowed more."""

    type: ClassVar[str] = "connectors.connection.access_refused"
    subject_kind: ClassVar[str] = "connection"

    level: str
