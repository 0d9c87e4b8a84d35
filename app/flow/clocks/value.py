"""The three times to value, each by its own name and never one number (REQUIREMENTS 1.1, X10). Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from app.flow.definition import Definition
from app.flow.state import State


class TimeToValue(Struct, frozen=True, kw_only=True):
    """From one moment to another; None where the template does not say which, or where it is still to come."""

    begins_at: datetime | None
    ends_at: datetime | None

    @property
    def took(self) -> timedelta | None:
        """How long it took, in elapsed time; what ended before it began took no time."""
        if self.begins_at is None or self.ends_at is None:
            return None
        return max(self.ends_at - self.begins_at, timedelta())


class TimesToValue(Struct, frozen=True, kw_only=True):
    """Trigger to first value, kickoff to first value, and account created to core process done."""

    trigger: TimeToValue
    kickoff: TimeToValue
    account: TimeToValue


def times_to_value(definition: Definition, state: State, triggered_at: datetime | None) -> TimesToValue:
    """The three, as far as they are known. `triggered_at`: when the deal was closed, else when the run began."""
    clocks, reached = definition.clocks, state.first_value_at
    return TimesToValue(
        trigger=TimeToValue(begins_at=triggered_at or state.started_at, ends_at=reached),
        kickoff=TimeToValue(begins_at=_done(state, clocks.kickoff), ends_at=reached),
        account=TimeToValue(begins_at=_done(state, clocks.account_created), ends_at=_done(state, clocks.core_process)),
    )


def _done(state: State, key: str | None) -> datetime | None:
    item = state.items.get(key or "")
    return item.settled_at if item is not None and item.state == "done" else None
