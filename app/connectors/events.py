"""What happened to connections and to runs of their actions."""

from __future__ import annotations

from typing import Any, ClassVar

from app.kernel.events import Event


class RunEnded(Event, frozen=True, kw_only=True):
    """A run is over: succeeded, failed, with an outcome that nobody knows, or cancelled before it did anything."""

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


class ConnectionConnected(Event, frozen=True, kw_only=True):
    """A person has let us in at the outside system, or again: runs that waited for it go on."""

    type: ClassVar[str] = "connectors.connection.connected"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    name: str
    waited: int


class ReconnectNeeded(Event, frozen=True, kw_only=True):
    """What this connection signs in with is not accepted any more; runs wait until somebody connects it anew.

    `code` is the system's own word for it, `owner` the person who connected it.
    """

    type: ClassVar[str] = "connectors.connection.reconnect_needed"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    name: str
    code: str
    owner: str | None


class RotationDue(Event, frozen=True, kw_only=True):
    """Credentials of a connection are older than they should get: somebody should change them."""

    type: ClassVar[str] = "connectors.connection.rotation_due"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    name: str
    fields: list[str]
    owner: str | None


class ConnectionRenamed(Event, frozen=True, kw_only=True):
    """A connection was given another name."""

    type: ClassVar[str] = "connectors.connection.renamed"
    subject_kind: ClassVar[str] = "connection"

    before: str
    after: str


class CredentialsChanged(Event, frozen=True, kw_only=True):
    """New credentials proved themselves and took the place of those in use."""

    type: ClassVar[str] = "connectors.connection.credentials_changed"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    fields: list[str]


class ConnectionTested(Event, frozen=True, kw_only=True):
    """A connection was tried out with a harmless question. `code` says how it went."""

    type: ClassVar[str] = "connectors.connection.tested"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    works: bool
    code: str


class ConnectionRemoved(Event, frozen=True, kw_only=True):
    """A connection was disconnected and its credentials destroyed."""

    type: ClassVar[str] = "connectors.connection.removed"
    subject_kind: ClassVar[str] = "connection"

    connector: str
    name: str
