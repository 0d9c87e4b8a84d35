"""Shapes of dates on the wire."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from app.flow.definition import Side

Reason = Annotated[str, Meta(min_length=1, max_length=2000, pattern=r"\S", examples=["The customer asked for it"])]
ItemKey = Annotated[str, Meta(min_length=1, max_length=200, examples=["task.kickoff"])]


class MoveOut(Struct, frozen=True):
    """One date that moved; `cause` is a word of docs/engine/schedule.md, `cause_item` the step in which it lies."""

    item: str
    was: datetime | None
    becomes: datetime
    cause: str
    cause_item: str | None
    seq: int | None
    at: datetime | None
    reason: str


class ItemDates(Struct, frozen=True):
    """The dates of one step. `moved_days`, `to_spare`: working days; negative is earlier, or lacking.

    `reminded_at` is when its owner was last reminded, `reminder_at` when they will be next.
    """

    key: str
    state: str
    due_at: datetime | None
    settled_at: datetime | None
    baseline_at: datetime | None
    moved_days: int | None
    latest_at: datetime | None
    to_spare: int | None
    chosen: date | None
    reminders_sent: int
    reminded_at: datetime | None
    reminder_at: datetime | None


class GoLiveOut(Struct, frozen=True):
    """The wanted day of going live, when it is expected, and the working days that lack (0: it is met)."""

    day: date
    expected: datetime
    late_by: int


class ReasonOut(Struct, frozen=True):
    """How many seconds of a holder's business time lie under one reason code."""

    reason_code: str
    seconds: float


class CourtOut(Struct, frozen=True):
    """One holder's part of the business time since the start, also while it was on hold; the parts are all of it."""

    holder: str
    seconds: float
    share: float
    reasons: list[ReasonOut]


class ClockOut(Struct, frozen=True):
    """One SLA clock that runs or stands still. While it is paused, `due_at` is when it would have been due."""

    timer: str
    item: str
    rung: int
    due_at: datetime
    paused_since: datetime | None
    reason_code: str | None
    exception: str | None


class ScheduleOut(Struct, frozen=True):
    """All dates of one onboarding, every move, newest first, and who had the ball for how long."""

    seq: int
    go_live: GoLiveOut | None
    items: list[ItemDates]
    moves: list[MoveOut]
    court: list[CourtOut]
    clocks: list[ClockOut]


class TryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """What to try: the day of a step, or without a step that of going live; without a day: none is wanted any more."""

    item: ItemKey | None = None
    day: date | None = None


class DateWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The day of a step, or without a step that of going live; without a day: none is wanted any more."""

    reason: Reason
    item: ItemKey | None = None
    day: date | None = None


Minutes = Annotated[int, Meta(ge=0, le=1440)]
Weekdays = Annotated[str, Meta(pattern=r"^[0-6](,[0-6])*$", max_length=13, examples=["0,1,2,3,4"])]
_DAYS = r"^\d{4}-\d{2}-\d{2}(,\d{4}-\d{2}-\d{2})*$"
Days = Annotated[str, Meta(pattern=_DAYS, max_length=5_000, examples=["2026-12-24,2026-12-31"])]


class CalendarQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """When a party works: zone, country (ISO 3166) for its public holidays, and what differs from it.

    `opens` and `closes` are minutes since midnight, `weekdays` 0 is Monday; what is left out is as in the country.
    """

    side: Side = "partner"
    zone: Annotated[str, Meta(max_length=64)] = "UTC"
    country: Annotated[str, Meta(max_length=2)] | None = None
    subdivision: Annotated[str, Meta(max_length=10)] | None = None
    weekdays: Weekdays | None = None
    opens: Minutes | None = None
    closes: Minutes | None = None
    holidays: Days | None = None


class CalendarWish(Struct, frozen=True, forbid_unknown_fields=True):
    """The same, to be done, with its reason."""

    reason: Reason
    calendar: CalendarQuery


class TriedOut(Struct, frozen=True):
    """What would move."""

    moves: list[MoveOut]
    go_live: GoLiveOut | None
