"""What happened to an integration on its way live. What was written of it stays in its documents."""

from __future__ import annotations

from typing import ClassVar

from app.kernel.events import Event


class FlowBegun(Event, frozen=True, kw_only=True):
    """A connection is taken through the steps of going live: nothing is live until they are met."""

    type: ClassVar[str] = "connectors.integration.begun"
    subject_kind: ClassVar[str] = "connection"

    connector: str


class StepRecorded(Event, frozen=True, kw_only=True):
    """A person has recorded a step: the map, the risk, the customer's consent, the sample of values."""

    type: ClassVar[str] = "connectors.integration.recorded"
    subject_kind: ClassVar[str] = "connection"

    step: str
    result: str


class RiskApproved(Event, frozen=True, kw_only=True):
    """Somebody else than who assessed it has accepted a high risk."""

    type: ClassVar[str] = "connectors.integration.risk_approved"
    subject_kind: ClassVar[str] = "connection"


class Validated(Event, frozen=True, kw_only=True):
    """The checks of a connection were run against its stand-in, in a sandbox."""

    type: ClassVar[str] = "connectors.integration.validated"
    subject_kind: ClassVar[str] = "connection"

    checks: int
    broken: int
    mark: str


class StageChanged(Event, frozen=True, kw_only=True):
    """A connection is let out further, or taken back."""

    type: ClassVar[str] = "connectors.integration.staged"
    subject_kind: ClassVar[str] = "connection"

    before: str
    stage: str
    share: int
    chosen: int
