"""What happened to the endpoints of webhooks. Addresses stay out of it but for their host: a path may be a secret."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class EndpointAdded(Event, frozen=True, kw_only=True):
    """An address was named that is to hear of what happens here; it hears nothing before it is verified."""

    type: ClassVar[str] = "connectors.webhook.added"
    subject_kind: ClassVar[str] = "webhook"

    host: str
    types: list[str]
    customers: bool


class EndpointChanged(Event, frozen=True, kw_only=True):
    """An endpoint hears something else, or somewhere else."""

    type: ClassVar[str] = "connectors.webhook.changed"
    subject_kind: ClassVar[str] = "webhook"

    host: str
    types: list[str]
    ordered: bool
    thin: bool
    customers: bool
    moved: bool


class EndpointVerified(Event, frozen=True, kw_only=True):
    """The address has proven that it may receive: from now on it hears events. `by`: echo, or a code that was typed."""

    type: ClassVar[str] = "connectors.webhook.verified"
    subject_kind: ClassVar[str] = "webhook"

    host: str
    by: str


class EndpointRemoved(Event, frozen=True, kw_only=True):
    """An endpoint was removed, with its keys and with what was known of its deliveries."""

    type: ClassVar[str] = "connectors.webhook.removed"
    subject_kind: ClassVar[str] = "webhook"

    host: str


class EndpointEnabled(Event, frozen=True, kw_only=True):
    """A disabled endpoint hears events again."""

    type: ClassVar[str] = "connectors.webhook.enabled"
    subject_kind: ClassVar[str] = "webhook"

    host: str


class EndpointDisabled(Event, frozen=True, kw_only=True):
    """An endpoint hears nothing any more: by hand, because it is gone, or because it failed for five days."""

    type: ClassVar[str] = "connectors.webhook.disabled"
    subject_kind: ClassVar[str] = "webhook"

    host: str
    failures: int
    named_by: str | None


class EndpointFailing(Event, frozen=True, kw_only=True):
    """An endpoint has failed for so many percent of the time after which it is disabled."""

    type: ClassVar[str] = "connectors.webhook.failing"
    subject_kind: ClassVar[str] = "webhook"

    host: str
    percent: int
    failures: int
    named_by: str | None


class KeyRotated(Event, frozen=True, kw_only=True):
    """An endpoint was given a new signing key; the old one signs beside it for so many hours more."""

    type: ClassVar[str] = "connectors.webhook.key_rotated"
    subject_kind: ClassVar[str] = "webhook"

    number: int
    overlap_hours: int


class EndpointTested(Event, frozen=True, kw_only=True):
    """Somebody had this very event sent to an endpoint, to see it arrive."""

    type: ClassVar[str] = "connectors.webhook.tested"
    subject_kind: ClassVar[str] = "webhook"

    message: str


class DeliveriesRepeated(Event, frozen=True, kw_only=True):
    """Somebody had so many events sent to an endpoint again."""

    type: ClassVar[str] = "connectors.webhook.repeated"
    subject_kind: ClassVar[str] = "webhook"

    number: int
