"""Reminders: by the template, each once, never early, only to who can act, moved with the date."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import pytest

from app.flow import events
from app.flow.calendar import BusinessTime, Calendar
from app.flow.clocks.reminders import moments, reminders_of
from app.flow.commands import CancelReminder, Decision, NotifyRole, StartReminder
from app.flow.decide import new_state, replay
from app.flow.definition import Definition, Duration, Reminder
from app.flow.reading import read_definition
from app.flow.state import State
from app.flow.steps.timers import TimerNotDue
from app.templates.library import open_shelf
from tests.unit.flow.dates.test_clocks import is_worked
from tests.unit.flow.running import BERLIN, STAFF, Run, full_packet, managed_services, of_type, started

STEP = "task.assign_team"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def waiting(**template: Any) -> Run:
    """The team is to be named; the step has these facts in its template."""
    run = Run(definition=told(json.dumps(template)))
    run.accept()
    return run


@cache
def told(facts: str) -> Definition:
    """The template with these facts of that step, and reminders of no other one."""
    template = json.loads(facts)
    document = msgspec.json.decode(msgspec.json.encode(dict(open_shelf("msp/managed-services").template.document)))
    for stage in document["stages"]:
        for milestone in stage["milestones"]:
            for task in milestone["tasks"]:
                task.update(template if task["id"] == "assign_team" else {"remind": []})
        for gate in stage.get("gates", ()):
            gate["remind"] = []
    return read_definition(document, "digest")


def give(run: Run) -> Decision:
    known = run.state.reminders[STEP]
    run.now = max(run.now, known.due_at)
    return run.apply(events.ReminderDue(item=STEP, version=known.version))


def given(run: Run, most: int = 9) -> list[datetime]:
    """Let everything that is armed come due, at once when it does; gives when."""
    came: list[datetime] = []
    while run.state.reminders[STEP].armed and len(came) < most:
        came.append(run.state.reminders[STEP].due_at)
        assert [each.message for each in of_type(give(run), NotifyRole)] == ["reminder"]
    return came


def due(run: Run) -> datetime:
    at = run.item(STEP).due_at
    assert isinstance(at, datetime)
    return at


class TestOnes:
    def test_by_default_come_a_day_before_and_three_times_after(self):
        run = waiting(due={"business_days": 3})
        assert due(run) == datetime(2026, 3, 5, 16, 0, tzinfo=UTC)  # Thursday, five o'clock in Berlin
        assert given(run) == [
            datetime(2026, 3, day, 8, 0, tzinfo=UTC)
            for day in (4, 6, 10, 12)  # the weekend is none of them
        ]
        assert (run.state.reminders[STEP].sent, run.state.reminders[STEP].armed) == (4, False)

    def test_are_as_the_template_says(self):
        again = {"after": {"business_hours": 2}, "every": {"business_days": 1}, "at_most": 2}
        run = waiting(due={"business_days": 3}, remind=[{"before": {"business_hours": 4}}, again])
        assert given(run) == [datetime(2026, 3, *at, 0, tzinfo=UTC) for at in ((5, 12), (6, 10), (9, 8))]

    def test_may_be_none(self):
        assert waiting(due={"business_days": 3}, remind=[]).state.reminders == {}

    def test_are_none_of_actions_milestones_and_steps_without_a_time(self):
        definition = managed_services()
        for item in definition.items.values():
            nobodys = item.kind in {"stage", "milestone"} or item.action is not None or item.due is None
            assert (reminders_of(item) == ()) == nobodys

    def test_go_to_the_role_and_name_the_step(self):
        run = waiting(due={"business_days": 3})
        [told] = of_type(give(run), NotifyRole)
        assert (told.role, told.item, told.message) == (run.definition.items[STEP].owner, STEP, "reminder")

    def test_never_come_early_and_come_once(self):
        run = waiting(due={"business_days": 3})
        known = run.state.reminders[STEP]
        run.now = known.due_at - timedelta(microseconds=1)
        with pytest.raises(TimerNotDue):
            run.apply(events.ReminderDue(item=STEP, version=known.version))
        give(run)
        before = run.state
        assert run.apply(events.ReminderDue(item=STEP, version=known.version)).commands == ()
        assert run.state is before

    def test_that_are_due_are_not_lost_when_something_else_happens_first(self):
        run = waiting(due={"business_days": 3})
        known = run.state.reminders[STEP]
        run.now = known.due_at + HOUR
        run.apply(events.OwnerAssigned(by=STAFF, item=STEP, person="p"))
        assert run.state.reminders[STEP] == known
        assert of_type(give(run), NotifyRole)


class TestTheyStop:
    def test_when_the_step_ends(self):
        run = waiting(due={"business_days": 3})
        version = run.state.reminders[STEP].version
        decision = run.complete(STEP, engineer="Ada", fallback="Bo")
        assert [each.item for each in of_type(decision, CancelReminder)] == [STEP]
        assert run.apply(events.ReminderDue(item=STEP, version=version)).commands == ()

    def test_while_it_is_held_and_go_on_with_its_new_date(self):
        run = waiting(due={"business_days": 3})
        run.apply(events.Held(by=STAFF, reason_code="scope_mismatch", reason="Wait."))
        assert not run.state.reminders[STEP].armed
        run.now += 2 * DAY
        run.apply(events.Resumed(by=STAFF))
        due_day = BERLIN.day_at(due(run))
        expected = BusinessTime(BERLIN).opening(due_day, -1)
        assert due_day > date(2026, 3, 5)
        assert run.state.reminders[STEP].due_at == expected

    @pytest.mark.parametrize(("code", "reminded"), [("waiting_customer_admin", False), ("scope_mismatch", True)])
    def test_while_others_are_waited_for(self, code: str, *, reminded: bool):
        run = waiting(due={"business_days": 3})
        note = "We wait."
        run.apply(events.ExceptionRaised(by=STAFF, item=STEP, type="timeline_risk", reason_code=code, note=note))
        assert run.state.reminders[STEP].armed == reminded
        closed = events.ExceptionResolved(by=STAFF, exception=f"{STEP}#1", resolution="close", reason="Done.")
        run.apply(closed)
        assert run.state.reminders[STEP].armed

    def test_while_it_is_blocked(self):
        run = waiting(due={"business_days": 3})
        raised: dict[str, Any] = {
            "type": "timeline_risk",
            "reason_code": "scope_mismatch",
            "note": "No.",
            "blocks": True,
        }
        run.apply(events.ExceptionRaised(by=STAFF, item=STEP, **raised))
        assert not run.state.reminders[STEP].armed

    def test_after_the_end(self):
        run = waiting(due={"business_days": 3})
        run.apply(events.Cancelled(by=STAFF, reason="Withdrawn."))
        assert not run.state.reminders[STEP].armed


class TestAMovedDate:
    def test_moves_what_is_still_to_come_and_repeats_nothing(self):
        run = waiting(due={"business_days": 3})
        give(run)
        moved = events.DueDateSet(by=STAFF, item=STEP, day=date(2026, 3, 12), reason="They are away.")
        [armed] = of_type(run.apply(moved), StartReminder)
        assert armed.due_at == datetime(2026, 3, 13, 8, 0, tzinfo=UTC)
        assert run.state.reminders[STEP].given == ((0, 0),)

    def test_that_is_put_back_puts_back_the_very_same_reminders(self):
        run = waiting(due={"business_days": 3})
        before = run.state.reminders[STEP]
        for day in (date(2026, 3, 12), None):
            run.apply(events.DueDateSet(by=STAFF, item=STEP, day=day, reason="They are away."))
        after = run.state.reminders[STEP]
        assert msgspec.structs.replace(after, version=before.version) == before

    def test_to_an_earlier_day_sends_nothing_that_is_late(self):
        run = waiting(due={"business_days": 9})
        run.now = datetime(2026, 3, 11, 10, 0, tzinfo=UTC)
        run.apply(events.DueDateSet(by=STAFF, item=STEP, day=date(2026, 3, 11), reason="Sooner."))
        assert run.state.reminders[STEP].due_at == datetime(2026, 3, 12, 8, 0, tzinfo=UTC)


class TestHistories:
    def test_of_before_remind_nobody(self):
        run = Run()
        run.state = new_state(run.definition)
        run.apply(msgspec.structs.replace(started(full_packet(run.definition)), reminds=False))
        run.accept()
        assert run.state.reminders == {}

    def test_replay_to_the_same_state_and_survive_their_json(self):
        run = waiting(due={"business_days": 3})
        given(run, most=2)
        assert replay(run.definition, run.history) == run.state
        assert msgspec.json.decode(msgspec.json.encode(run.state), type=State) == run.state


HERE = Calendar(zone="Europe/Berlin", holidays=(date(2026, 12, 25), date(2028, 2, 29)))
THERE = Calendar(zone="America/New_York", holidays=(date(2026, 11, 26),))
RULES = (
    Reminder(before=Duration(business_days=2)),
    Reminder(after=Duration(business_days=1), every=Duration(business_days=2), at_most=3),
)
TABLE = [  # worked out by hand: the date, then two working days before it, and one, three and five after it, in UTC
    ("spring", HERE, None, "2026-03-27T16:00", "03-25T08:00 03-30T07:00 04-01T07:00 04-03T07:00"),
    ("autumn", HERE, None, "2026-10-23T15:00", "10-21T07:00 10-26T08:00 10-28T08:00 10-30T08:00"),
    ("year end", HERE, None, "2026-12-30T16:00", "12-28T08:00 12-31T08:00 01-04T08:00 01-06T08:00"),
    ("leap day is free here", HERE, None, "2028-02-28T16:00", "02-24T08:00 03-01T08:00 03-03T08:00 03-07T08:00"),
    ("leap day is none of theirs", THERE, None, "2028-02-28T22:00", "02-24T14:00 02-29T14:00 03-02T14:00 03-06T14:00"),
    ("their feast stops us, too", HERE, THERE, "2026-11-25T16:00", "11-23T08:00 11-27T08:00 12-01T08:00 12-03T08:00"),
    ("our feast stops them", THERE, HERE, "2026-12-24T22:00", "12-22T14:00 12-28T14:00 12-30T14:00 01-01T14:00"),
]


class TestMoments:
    @pytest.mark.parametrize(
        ("owner", "other", "at", "expected"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
    )
    def test_are_those_of_a_table(self, owner: Calendar, other: Calendar | None, at: str, expected: str):
        found = moments(BusinessTime(owner, other), datetime.fromisoformat(f"{at}+00:00"), RULES)
        assert [f"{moment:%m-%dT%H:%M}" for _turn, moment in found] == expected.split()
        for _turn, moment in found:
            assert is_worked(moment, owner, other)
            assert not is_worked(moment - timedelta(minutes=1), owner, other)

    def test_of_a_party_that_works_around_the_clock_begin_with_the_day(self):
        always = Calendar(zone="Europe/Berlin", weekdays=tuple(range(7)), opens=0, closes=1440)
        rules = (Reminder(before=Duration(business_days=1)), Reminder(after=Duration(business_days=1)))
        found = moments(BusinessTime(always), datetime(2026, 3, 28, 23, 0, tzinfo=UTC), rules)  # the end of the 28th
        assert [moment for _turn, moment in found] == [
            datetime(2026, 3, 26, 23, 0, tzinfo=UTC),
            datetime(2026, 3, 28, 23, 0, tzinfo=UTC),
        ]

    def test_change_with_the_zone_of_a_party_and_back(self):
        run = waiting(due={"business_days": 3})
        before = run.state.reminders[STEP]
        there = Calendar(zone="America/New_York")
        run.apply(events.CalendarChanged(by=STAFF, side="partner", calendar=there, reason="They moved."))
        assert run.state.reminders[STEP].due_at == datetime(2026, 3, 4, 14, 0, tzinfo=UTC)
        run.apply(events.CalendarChanged(by=STAFF, side="partner", calendar=BERLIN, reason="And back."))
        after = run.state.reminders[STEP]
        assert msgspec.structs.replace(after, version=before.version) == before
