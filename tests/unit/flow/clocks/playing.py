"""One onboarding with a clock of each side, played by the real engine: whatever is due fires then. Not a test.

Its clocks: *ours* and *theirs*, each with three rungs from the start on, and exceptions that three people hear of while
nobody responds to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache

import msgspec
import pytest

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.commands import Decision, NotifyRole
from app.flow.decide import Recorded, decide, new_state
from app.flow.definition import Definition, Duration, Rung, Side, Timer
from app.flow.events import Event
from app.flow.steps.exceptions import alert_due, alert_version
from app.flow.steps.timers import TimerNotDue
from tests.unit.flow.clocks.wall import Party
from tests.unit.flow.running import STAFF, full_packet, managed_services, of_type, started

OURS, THEIRS = "task.schedule_kickoff", "task.describe_environment"
CLOCKS = {"ours": OURS, "theirs": THEIRS}
ROLES = ("csm", "onboarding_lead", "cs_leader")
MOMENT = timedelta(microseconds=1)
ONE_DAY = Duration(business_days=1)
Lengths = tuple[Duration, ...]
HOURS_DAYS_HOURS: Lengths = (Duration(business_hours=4), Duration(business_days=1), Duration(business_hours=12))


class Fired(msgspec.Struct, frozen=True, order=True):
    """Something that came due: when, what, the how-manieth of it."""

    at: datetime
    what: str
    number: int


@cache
def with_clocks(lengths: Lengths, within: Duration) -> Definition:
    """The template with our clocks in place of its own."""
    found = managed_services()
    ladder = tuple(
        Rung(after=length, role=role, message={"en": role}) for length, role in zip(lengths, ROLES, strict=True)
    )
    timers = {
        name: Timer(id=name, item=item, starts="started", ladder=ladder, pauses=("waiting_customer_admin",))
        for name, item in CLOCKS.items()
    }
    route = msgspec.structs.replace(found.exceptions["timeline_risk"], escalate=ROLES, respond_within=within)
    return replace(found, timers=timers, exceptions={**found.exceptions, "timeline_risk": route})


@dataclass
class Played:
    """The onboarding, and all that came due in it."""

    at: datetime
    partner: Party
    customer: Party
    lengths: Lengths = HOURS_DAYS_HOURS
    within: Duration = ONE_DAY
    fired: list[Fired] = field(default_factory=list)
    history: list[Recorded] = field(default_factory=list)
    before_it_fires: tuple[datetime, ...] = ()  # moments at which what is done comes before what is due

    def __post_init__(self) -> None:
        """Begin."""
        self.definition = with_clocks(self.lengths, self.within)
        self.state, self.now = new_state(self.definition), self.at
        begun = started(full_packet(self.definition))
        parties = {"partner": calendar(self.partner), "customer": calendar(self.customer)}
        self.do(self.at, msgspec.structs.replace(begun, **parties))

    def do(self, at: datetime, event: Event) -> None:
        """Something happens at a moment; what is due by then fires before it."""
        if at not in self.before_it_fires:
            self.until(at)
        self.now = at
        self._apply(event)

    def until(self, end: datetime) -> None:
        """Let everything fire that is due by then, in its order, each exactly when it is."""
        while due := [each for each in self.waiting() if each[0] <= end]:
            moment, what, number, event = min(due, key=lambda each: each[:3])
            with pytest.raises(TimerNotDue):
                decide(self.definition, self.state, event, moment - MOMENT)
            self.now = max(self.now, moment)  # what another calendar has made due before now fires now
            decision = self._apply(event)
            if what in {*CLOCKS, "response"}:
                assert ROLES[number] in {each.role for each in of_type(decision, NotifyRole)}
            self.fired.append(Fired(moment, what, number))
            again = decide(self.definition, self.state, event, self.now)
            assert again.state is self.state, "it fires once"

    def _apply(self, event: Event) -> Decision:
        decision = decide(self.definition, self.state, event, self.now)
        self.state = decision.state
        self.history.append(Recorded(at=self.now, event=event))
        return decision

    def waiting(self) -> Iterable[tuple[datetime, str, int, Event]]:
        """What is armed: when it is due, what it is, and the event that it makes."""
        if self.state.hold is not None:
            return
        for name, timer in self.state.timers.items():
            if timer.armed:
                fires = events.TimerFired(timer=name, rung=timer.rung, version=timer.version)
                yield timer.due_at, name, timer.rung, fires
        for exception in self.state.exceptions.values():
            if (due := alert_due(exception)) is not None:
                aged = events.ExceptionAged(exception=exception.id, version=alert_version(due))
                yield due, "response", exception.alerts, aged
        for item, reminder in self.state.reminders.items():
            if reminder.armed:
                due_again = events.ReminderDue(item=item, version=reminder.version)
                yield reminder.due_at, f"reminder of {item}", reminder.sent, due_again

    def waits_for(self, what: str) -> datetime:
        """When that comes due."""
        [due] = [each[0] for each in self.waiting() if each[1] == what]
        return due

    def of(self, what: str) -> list[datetime]:
        """When it came due, each time."""
        return [each.at for each in self.fired if each.what == what]

    def trouble(self, at: datetime, item: str = OURS, code: str = "scope_mismatch", kind: str = "timeline_risk") -> str:
        """Somebody reports a problem; gives its name."""
        report = events.ExceptionRaised(by=STAFF, item=item, type=kind, reason_code=code, note="It does not go on.")
        before = set(self.state.exceptions)
        self.do(at, report)
        [name] = set(self.state.exceptions) - before
        return name

    def answer(self, at: datetime, exception: str) -> None:
        """Somebody responds to it."""
        self.do(at, events.ExceptionAnswered(by=STAFF, exception=exception, note="We look at it."))

    def close(self, at: datetime, exception: str) -> None:
        """Somebody closes it."""
        over = events.ExceptionResolved(by=STAFF, exception=exception, resolution="close", reason="Over.")
        self.do(at, over)

    def pause(self, since: datetime, until: datetime, item: str = OURS) -> None:
        """One clock stands still: the customer is waited for, and somebody has said that they saw it."""
        exception = self.trouble(since, item, "waiting_customer_admin")
        self.answer(since, exception)
        self.close(until, exception)

    def hold(self, since: datetime, until: datetime) -> None:
        """All stands still."""
        self.do(since, events.Held(by=STAFF, reason_code="scope_mismatch", reason="We talk."))
        self.do(until, events.Resumed(by=STAFF))

    def move_to(self, at: datetime, side: Side, party: Party) -> None:
        """A party works at other times from then on."""
        self.do(at, events.CalendarChanged(by=STAFF, side=side, calendar=calendar(party), reason="They moved."))

    def awaited(self) -> list[tuple[datetime, str, int]]:
        """All that will come due, and what is paused with the moment that it would have had."""
        stands = [(each.due_at, name, each.rung) for name, each in self.state.timers.items() if each.paused]
        return sorted([each[:3] for each in self.waiting()] + stands)

    def dates(self) -> dict[str, datetime | None]:
        """The date of each step."""
        return {key: item.due_at for key, item in self.state.items.items()}


def calendar(party: Party) -> Calendar:
    """What the product knows of them."""
    return Calendar(
        zone=party.zone,
        opens=party.opens,
        closes=party.closes,
        weekdays=party.weekdays,
        holidays=party.free,
    )
