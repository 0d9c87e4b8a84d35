"""The JSON doors of dates: read them with every cause, try a change, make it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.flow.calendar import CalendarRefused
from app.flow.dates.follow import DateReasonNeeded, DayRefused
from app.flow.decide import NotStarted, OnboardingEnded, UnknownItem
from app.flow.steps.draft import NotOpen
from app.kernel.commands import CommandKeyReused, Result
from app.kernel.work import TenantNotActive, TenantUpgrading, Work
from app.onboarding.dates.operations import (
    DueDate,
    GoLive,
    PlanStale,
    Wish,
    WorkingTime,
    change_dates,
    read_working_time,
    try_dates,
)
from app.onboarding.dates.queries import read_schedule, tried
from app.onboarding.dates.schemas import CalendarQuery, CalendarWish, DateWish, ScheduleOut, TriedOut, TryQuery
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.stored import OnboardingMissing
from app.web.begin import NothingHere, NotSignedIn, begin_work, run_once
from app.web.security import NotFromHere
from app.web.wire.answering import answer_done, write
from app.web.wire.openapi import Described, Told, described
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
    read_body,
    read_key,
    read_match,
    read_query,
)

PageRequest = Request[Any, Any, Any]
_MOVE = {
    "item": "task.kickoff",
    "was": "2026-11-27T16:00:00Z",
    "becomes": "2026-12-01T16:00:00Z",
    "cause": "finished",
    "cause_item": "gate.handoff_quality",
    "seq": 2,
    "at": "2026-11-25T10:12:00Z",
    "reason": "",
}
_ITEM = {
    "key": "task.kickoff",
    "state": "open",
    "due_at": "2026-12-01T16:00:00Z",
    "settled_at": None,
    "baseline_at": "2026-11-27T16:00:00Z",
    "moved_days": 2,
    "latest_at": "2026-12-04T16:00:00Z",
    "to_spare": 3,
    "chosen": None,
    "reminders_sent": 1,
    "reminded_at": "2026-11-30T08:00:00Z",
    "reminder_at": "2026-12-02T08:00:00Z",
}
_GO_LIVE = {"day": "2026-12-18", "expected": "2026-12-15T16:00:00Z", "late_by": 0}
_COURT = {"holder": "customer", "seconds": 5400.0, "share": 1.0, "reasons": []}
_CLOCK = {
    "timer": "kickoff_scheduled",
    "item": "task.kickoff",
    "rung": 0,
    "due_at": "2026-12-01T09:00:00Z",
    "paused_since": "2026-11-27T12:00:00Z",
    "reason_code": "waiting_customer_admin",
    "exception": "task.kickoff#1",
}
_SCHEDULE = {
    "seq": 2,
    "go_live": _GO_LIVE,
    "items": [_ITEM],
    "moves": [_MOVE],
    "court": [_COURT],
    "clocks": [_CLOCK],
}
_HERE = (NotSignedIn, NotPermitted, NothingHere, OnboardingMissing, TenantNotActive, TenantUpgrading)
_ASKED = (UnknownItem, NotOpen, OnboardingEnded, NotStarted, DayRefused)
_SENT = (NotFromHere, BodyUnreadable, BodyUnfit, MediaTypeUnknown, IdempotencyKeyMissing, IdempotencyKeyUnfit)
_READ = Described(
    answers={200: Told("All dates.", ScheduleOut, headers=("ETag",), example=_SCHEDULE)},
    problems=_HERE,
    scopes=(Permission.ONBOARDING_READ,),
)
_TRY = Described(
    answers={200: Told("What would move.", TriedOut, example={"moves": [_MOVE], "go_live": _GO_LIVE})},
    query=TryQuery,
    problems=(*_HERE, *_ASKED, QueryUnfit),
    scopes=(Permission.ONBOARDING_READ,),
)
_CHANGE = Described(
    answers={
        200: Told("The dates now.", ScheduleOut, headers=("ETag", "Idempotency-Replayed"), example=_SCHEDULE),
    },
    takes=DateWish,
    example={"item": "task.kickoff", "day": "2026-12-01", "reason": "The customer asked for it"},
    headers=("Idempotency-Key", "If-Match"),
    problems=(
        *(*_HERE, *_ASKED, *_SENT, CommandKeyReused, PreconditionMissing, PreconditionUnfit),
        *(PlanStale, DateReasonNeeded),
    ),
    scopes=(Permission.ONBOARDING_WRITE,),
)


_TRY_CALENDAR = Described(
    answers={200: Told("What would move.", TriedOut, example={"moves": [_MOVE], "go_live": _GO_LIVE})},
    query=CalendarQuery,
    problems=(*_HERE, OnboardingEnded, NotStarted, QueryUnfit, CalendarRefused),
    scopes=(Permission.ONBOARDING_READ,),
)
_CHANGE_CALENDAR = Described(
    answers={
        200: Told("The dates now.", ScheduleOut, headers=("ETag", "Idempotency-Replayed"), example=_SCHEDULE),
    },
    takes=CalendarWish,
    example={"calendar": {"side": "customer", "zone": "America/New_York", "country": "US"}, "reason": "They moved"},
    headers=("Idempotency-Key", "If-Match"),
    problems=(
        *(*_HERE, OnboardingEnded, NotStarted, *_SENT, CommandKeyReused, PreconditionMissing, PreconditionUnfit),
        *(PlanStale, DateReasonNeeded, CalendarRefused),
    ),
    scopes=(Permission.ONBOARDING_WRITE,),
)


class ScheduleDoors(Controller):
    """The dates of one onboarding."""

    path = "/api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}/schedule"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get("/", operation_id="onboardings.schedule", operation_class=described(_READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """Read every date with its baseline, its days to spare and every move with its one cause."""
        with begin_work(request, tenant_id) as work:
            shown = read_schedule(work, get_picture(work, onboarding_id))
        return _answer(shown)

    @get("/trial", operation_id="onboardings.tryDates", operation_class=described(_TRY), sync_to_thread=True)
    def trial(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """Look at what would move if a step, or the go-live, had another day. Nothing is changed."""
        asked = read_query(request, TryQuery)
        with begin_work(request, tenant_id) as work:
            decision = try_dates(work, onboarding_id=onboarding_id, wish=_wish(asked))
            shown = tried(get_picture(work, onboarding_id), decision)
        return answer_done(write(shown), status=200)

    @post("/changes", operation_id="onboardings.changeDates", operation_class=described(_CHANGE), sync_to_thread=True)
    def change(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Choose the day of a step, or of going live, with a reason; without a day it follows the plan again."""
        said, seen = read_body(request, body, DateWish), read_match(request)

        def operation(work: Work) -> Result:
            change_dates(work, onboarding_id=onboarding_id, wish=_wish(said), reason=said.reason, seen=seen)
            work.session.flush()
            return {"seq": get_picture(work, onboarding_id).state.seq}

        sent = [msgspec.to_builtins(said), sorted(seen)]
        _result, replayed = run_once(request, tenant_id, key=read_key(request), body=sent, operation=operation)
        return _now(request, tenant_id, onboarding_id, replayed=replayed)

    @get(
        "/calendar-trial",
        operation_id="onboardings.tryCalendar",
        operation_class=described(_TRY_CALENDAR),
        sync_to_thread=True,
    )
    def try_calendar(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Look at what would move if a party worked at other times. Nothing is changed."""
        wish = _working_time(read_query(request, CalendarQuery))
        with begin_work(request, tenant_id) as work:
            decision = try_dates(work, onboarding_id=onboarding_id, wish=wish)
            shown = tried(get_picture(work, onboarding_id), decision)
        return answer_done(write(shown), status=200)

    @post(
        "/calendars",
        operation_id="onboardings.changeCalendar",
        operation_class=described(_CHANGE_CALENDAR),
        sync_to_thread=True,
    )
    def change_calendar(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Say when a party works from now on, with a reason; every date that moves has this as its cause."""
        said = read_body(request, body, CalendarWish)
        wish, seen = _working_time(said.calendar), read_match(request)

        def operation(work: Work) -> Result:
            change_dates(work, onboarding_id=onboarding_id, wish=wish, reason=said.reason, seen=seen)
            return {}

        sent = [msgspec.to_builtins(said), sorted(seen)]
        _result, replayed = run_once(request, tenant_id, key=read_key(request), body=sent, operation=operation)
        return _now(request, tenant_id, onboarding_id, replayed=replayed)


def _now(request: PageRequest, tenant_id: UUID, onboarding_id: UUID, *, replayed: bool) -> Response[bytes]:
    with begin_work(request, tenant_id) as work:
        shown = read_schedule(work, get_picture(work, onboarding_id))
    return _answer(shown, replayed=replayed)


def _working_time(said: CalendarQuery) -> WorkingTime:
    calendar = {name: value for name, value in msgspec.structs.asdict(said).items() if name != "side"}
    return read_working_time(said.side, calendar)


def _wish(said: TryQuery | DateWish) -> Wish:
    return GoLive(day=said.day) if said.item is None else DueDate(item=said.item, day=said.day)


def _answer(shown: ScheduleOut, *, replayed: bool = False) -> Response[bytes]:
    return answer_done(write(shown), status=200, headers={"etag": f'"{shown.seq}"'}, replayed=replayed)
