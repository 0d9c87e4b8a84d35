"""What happened to connections and to runs of their actions."""

from __future__ import annotations

from typing import Any, ClassVar

from app.kernel.events import Event


class RunEnded(Event, frozen=True, kw_only=True):
    """A run is over: succeeded, failed, or with an outcome that nobody knows."""

    type: ClassVar[str] = "connectors.run.ended"
    subject_kind: ClassVar[str] = "run"

    item_key: str
    number: int
    connector: str
    action: str
    outcome: str
    result: dict[str, Any]
    attempts: int


class ConnectionAdded(Event, frozen=True, kw_only=True):
    """A connection to an outside system was set up; its secrets are told of separately."""

    type: ClassVar[str] = "connectors.connection.added"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    name: str
