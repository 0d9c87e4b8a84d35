"""One onboarding that a test plays: the reducer, a clock that moves when the test says so, and what it led to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.flow import events
from app.flow.calendar import Calendar, read_calendar
from app.flow.commands import NotifyRole, RequestAction, StartNext
from app.flow.definition import Definition, Item
from app.flow.events import By, Event, Evidenced
from app.flow.fields import Field, Value
from app.flow.parts.unfolding import unfold
from app.flow.simulation.due import next_due
from app.flow.simulation.files import handed_over
from app.flow.state import State
from app.kernel.errors import Conflict, Invalid
from app.templates.trials.reading import Sample
from app.templates.trials.remembering import Remembered

SOMEBODY: Final = "somebody"
SIGNER: Final = "Sam Example"
REASON: Final = "As the test says."
_BEGIN: Final = "2026-03-02T09:00"  # a Monday
_MOST_RINGS: Final = 5_000  # more than any template rings; one that never ends is found
_LONGEST: Final = timedelta(days=3_660)
_FIRST_YEAR, _LAST_YEAR = 1970, 2200


class NeverQuiet(Conflict):
    """Clocks ring and ring."""


class NoMoment(Invalid):
    """What is written is no moment, or one that no test waits for."""


@dataclass(slots=True)
class Play:
    """One onboarding. `told` are the roles told since the last check, `asked` each connector's last call.

    `before` knows what was decided in tests that began alike.
    """

    definition: Definition
    sample: Sample
    now: datetime
    state: State
    before: Remembered
    told: list[NotifyRole] = field(default_factory=list)
    asked: dict[str, RequestAction] = field(default_factory=dict)
    following: list[str] = field(default_factory=list)

    @property
    def plan(self) -> Definition:
        """With an item for each time that a repeated part happens."""
        return unfold(self.definition, self.state.parts)

    def apply(self, event: Event) -> None:
        """It happens now. Raises the reducer's refusals."""
        decision = self.before.decide(self.definition, self.state, event, self.now)
        self.state = decision.state
        for command in decision.commands:
            if isinstance(command, NotifyRole):
                self.told.append(command)
            elif isinstance(command, RequestAction):
                self.asked[command.task] = command
            elif isinstance(command, StartNext):
                self.following.append(command.lifecycle)

    def until(self, end: datetime) -> None:
        """Time passes; each clock that is due by then rings at its moment, in order. Raises NeverQuiet, NoMoment."""
        if end - (self.state.started_at or end) > _LONGEST:
            raise NoMoment("A test may last ten years.")
        for _ in range(_MOST_RINGS):
            first = next_due(self.state)
            if first is None or first[0] > end:
                self.now = max(self.now, end)
                return
            self.now = max(self.now, first[0])
            self.apply(first[2])
        raise NeverQuiet(f"Clocks rang {_MOST_RINGS:,} times until {self.now.isoformat()}, and go on.")

    def after(self, said: Mapping[str, int]) -> datetime:
        """The moment so much later: working time is the partner's."""
        time = self.state.time_for("partner")
        if "business_days" in said:
            return time.add_business(self.now, said["business_days"] * time.owner.day_length)
        if "business_hours" in said:
            return time.add_business(self.now, timedelta(hours=said["business_hours"]))
        return self.now + timedelta(**said)

    def moment(self, written: str) -> datetime:
        """A moment as tests write it. Raises NoMoment."""
        return _moment(written, self.state.partner)

    def somebody(self, item: Item | None, step: Mapping[str, Any]) -> By:
        """Whoever does a step: of the side that the item is of, with every role, unless the step says otherwise."""
        side = step.get("by") or (item.side if item else "partner")
        return By(actor=SOMEBODY, side=side, roles=tuple(step.get("roles", self.definition.roles)))

    def answers(self, item: Item, said: Mapping[str, Value]) -> dict[str, Value]:
        """What a task is answered with: what must be, what the sample says, and last what the step says."""
        own = self.sample.of("answers").get(_pattern(item.key), {})
        return _handed_over(item.fields, _merged(_plausible(item.fields, self.now), own, said))

    def result(self, item: Item, said: Mapping[str, Value]) -> dict[str, Value]:
        """What a call gives back, in the same way."""
        own = self.sample.of("results").get(_pattern(item.key), {})
        return _merged(_plausible(item.action.outputs if item.action else (), self.now), own, said)


def begin(definition: Definition, sample: Sample, given: Mapping[str, Any], before: Remembered) -> Play:
    """An onboarding that has just started. Raises the refusals of calendars and of the reducer."""
    written = given.get("start") or sample.start or _BEGIN
    parties = {name: given.get(name) or sample.of(name) for name in ("partner", "customer")}
    first_year = int(written[:4])
    partner, customer = (
        read_calendar(_with_dates(each), first_year=first_year) if each else Calendar() for each in parties.values()
    )
    play = Play(definition, sample, _moment(written, partner), before.begin(definition), before)
    play.apply(
        events.Started(
            by=By(actor=SOMEBODY),
            inputs=_merged(sample.of("inputs"), given.get("inputs", {})),
            packet=_merged(sample.of("packet"), given.get("packet", {})),
            partner=partner,
            customer=customer,
            reference="test-1",
            follows=True,
            pauses=True,
            reminds=True,
            clocks_follow=True,
            go_live=_moment(given["go_live"], partner).date() if "go_live" in given else None,
        )
    )
    return play


def proof(said: str | None) -> Evidenced:
    """Evidence as a step gives it."""
    return Evidenced(statement=REASON if said is None else said)


def _with_dates(calendar: Mapping[str, Any]) -> dict[str, Any]:
    return {"zone": "UTC", **calendar}


def _moment(written: str, partner: Calendar) -> datetime:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        raise NoMoment(f"“{written}” is no moment; write it as 2026-03-02T09:00.") from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise NoMoment(f"A test plays between {_FIRST_YEAR} and {_LAST_YEAR}.")
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(partner.zone))


def _pattern(key: str) -> str:
    """One of several is answered as the others are."""
    return key.partition("#")[0]


def _merged(*layers: Mapping[str, Value]) -> dict[str, Value]:
    merged: dict[str, Value] = {}
    for layer in layers:
        merged |= layer
    return {name: value for name, value in merged.items() if value is not None}


def _plausible(fields: tuple[Field, ...], now: datetime) -> dict[str, Value]:
    """A value for each field that must have one."""
    return {each.id: _value(each, now) for each in fields if each.required}


def _handed_over(fields: tuple[Field, ...], answers: dict[str, Value]) -> dict[str, Value]:
    """A test says of files how many there are."""
    counted = {each.id for each in fields if each.type == "files"}
    return {
        name: handed_over(value) if name in counted and isinstance(value, int) else value
        for name, value in answers.items()
    }


def _value(field: Field, now: datetime) -> Value:
    if field.default is not None:
        return field.default
    number = field.minimum if field.minimum is not None else min(1, field.maximum or 1)
    special: dict[str, Value] = {
        "boolean": True,
        "date": now.date().isoformat(),
        "email": "someone@example.org",
        "url": "https://example.org",
        "phone": "+49 30 123456",
        "integer": number,
        "files": number,
        "decimal": f"{number}.00",
        "select": field.options[0].id if field.options else None,
        "choices": field.options[0].id if field.options else None,
    }
    return special.get(field.type, "As the test says")
