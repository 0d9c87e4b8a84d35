"""What happened to hooks and to what came in by them. No body and no secret: ids, types and the host stay apart."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from app.kernel.events import Event


class HookOpened(Event, frozen=True, kw_only=True):
    """A connection has a new address that its system may send to; the one before answers for so many hours more."""

    type: ClassVar[str] = "connectors.hook.opened"
    subject_kind: ClassVar[str] = "hook"

    connector: str
    overlap_hours: int
    mark: str


class HookSecretSet(Event, frozen=True, kw_only=True):
    """A hook believes another secret; the one before is believed for so many hours more."""

    type: ClassVar[str] = "connectors.hook.secret_set"
    subject_kind: ClassVar[str] = "hook"

    connector: str
    number: int
    overlap_hours: int


class HookClosed(Event, frozen=True, kw_only=True):
    """A hook was closed: its addresses lead nowhere, its secrets are gone."""

    type: ClassVar[str] = "connectors.hook.closed"
    subject_kind: ClassVar[str] = "hook"

    connector: str


class DeliveryReceived(Event, frozen=True, kw_only=True):
    """A connected system told of something. The message itself stays in the workspace."""

    type: ClassVar[str] = "connectors.delivery.received"
    subject_kind: ClassVar[str] = "delivery"

    connection_id: UUID
    connector: str
    message_id: str
    message_type: str
    object: str


class DeliveryHeld(Event, frozen=True, kw_only=True):
    """A delivery that was proven could not be read, or not be worked on: it waits for a person."""

    type: ClassVar[str] = "connectors.delivery.held"
    subject_kind: ClassVar[str] = "delivery"

    connection_id: UUID
    connector: str


class DeliveryReplayed(Event, frozen=True, kw_only=True):
    """Somebody had a delivery worked on again; `proven`: it was held unproven, and a secret of now proves it."""

    type: ClassVar[str] = "connectors.delivery.replayed"
    subject_kind: ClassVar[str] = "delivery"

    connection_id: UUID
    connector: str
    proven: bool
