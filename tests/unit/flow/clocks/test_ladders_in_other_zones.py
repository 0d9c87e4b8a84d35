"""A party that works elsewhere from now on: rungs and responses by hand, and as before when it is undone."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from app.flow import events
from app.flow.decide import decide, new_state, replay
from app.flow.definition import Duration
from tests.unit.flow.clocks.playing import HOURS_DAYS_HOURS, Played
from tests.unit.flow.clocks.test_ladders_in_time import BERLIN, KOLKATA, NEW_YORK, at, moments
from tests.unit.flow.clocks.wall import Party
from tests.unit.flow.running import full_packet, started

MONDAY = "2026-03-02T09:00+01:00"
TWELVE = (Duration(business_hours=12), *HOURS_DAYS_HOURS[1:])
STAYED = "2026-03-03T13:00+01:00 2026-03-04T13:00+01:00 2026-03-05T17:00+01:00"
SHORT = Party("Europe/Berlin", closes=13 * 60)
FREE = Party("Europe/Berlin", free=(date(2026, 3, 3),))
MOVES = [  # what happens: when and whose working time becomes which; then the three rungs of our clock
    ("nothing", [], STAYED),
    (
        "we move to New York",  # where the clock began at three in the night
        [("2026-03-02T13:00+01:00", "partner", NEW_YORK)],
        "2026-03-03T13:00-05:00 2026-03-04T13:00-05:00 2026-03-05T17:00-05:00",
    ),
    (
        "they are closed on the second day",
        [("2026-03-02T13:00+01:00", "customer", FREE)],
        "2026-03-04T13:00+01:00 2026-03-05T13:00+01:00 2026-03-06T17:00+01:00",
    ),
    (
        "we move to Kolkata when the first rung is over",  # it was half past five there
        [("2026-03-03T15:00+01:00", "partner", KOLKATA)],
        "2026-03-03T13:00+01:00 2026-03-04T17:00+05:30 2026-03-06T13:00+05:30",
    ),
    (
        "we work half days",  # and a day has four hours
        [("2026-03-02T13:00+01:00", "partner", SHORT)],
        "2026-03-04T13:00+01:00 2026-03-05T13:00+01:00 2026-03-10T13:00+01:00",
    ),
    (
        "we come back a day later",
        [("2026-03-02T13:00+01:00", "partner", NEW_YORK), ("2026-03-03T10:00+01:00", "partner", BERLIN)],
        STAYED,
    ),
    (
        "both move, and both come back",
        [
            ("2026-03-02T13:00+01:00", "partner", NEW_YORK),
            ("2026-03-02T13:30+01:00", "customer", KOLKATA),
            ("2026-03-02T14:00+01:00", "partner", BERLIN),
            ("2026-03-03T09:00+01:00", "customer", BERLIN),
        ],
        STAYED,
    ),
]


def played(start: str = MONDAY, lengths=TWELVE, **more) -> Played:
    """Both in Berlin."""
    return Played(at(start), BERLIN, BERLIN, lengths, **more)


class TestOurClock:
    @pytest.mark.parametrize(("moves", "rungs"), [row[1:] for row in MOVES], ids=[row[0] for row in MOVES])
    def test_ends_by_the_hours_that_count_now(self, moves, rungs):
        run = played()
        for moment, side, party in moves:
            run.move_to(at(moment), side, party)
        run.until(at(MONDAY) + timedelta(days=20))
        assert run.of("ours") == moments(rungs)
        assert replay(run.definition, run.history) == run.state

    def test_that_is_over_by_them_already_fires_at_once_and_goes_on_from_where_it_was_due(self):
        run = played("2026-03-27T15:30+01:00", HOURS_DAYS_HOURS)
        run.move_to(at("2026-03-28T12:00+01:00"), "partner", NEW_YORK)  # it was half past ten there
        assert run.state.timers["ours"].due_at == at("2026-03-27T14:30-04:00")
        run.until(at("2026-04-30T12:00+02:00"))
        assert run.of("ours") == moments("2026-03-27T14:30-04:00 2026-03-30T14:30-04:00 2026-04-01T10:30-04:00")

    def test_that_stands_still_has_the_time_that_is_left_by_them(self):
        run = played()
        exception = run.trouble(at("2026-03-02T10:00+01:00"), code="waiting_customer_admin")
        run.answer(at("2026-03-02T10:00+01:00"), exception)
        run.move_to(at("2026-03-02T12:00+01:00"), "partner", NEW_YORK)  # where nobody had worked yet
        assert run.state.timers["ours"].due_at == at("2026-03-03T13:00-05:00")
        run.close(at("2026-03-03T09:00-05:00"), exception)
        assert run.state.timers["ours"].due_at == at("2026-03-04T13:00-05:00")

    def test_that_went_on_after_a_pause_keeps_the_hours_that_it_had_left(self):
        run = played()
        run.pause(at("2026-03-02T11:00+01:00"), at("2026-03-02T12:00+01:00"))  # ten hours are left, since noon
        run.move_to(at("2026-03-02T12:30+01:00"), "partner", NEW_YORK)  # six in the morning there
        assert run.state.timers["ours"].due_at == at("2026-03-03T11:00-05:00")
        run.move_to(at("2026-03-02T16:00+01:00"), "partner", BERLIN)
        assert run.state.timers["ours"].due_at == at("2026-03-03T14:00+01:00")

    def test_of_an_onboarding_from_before_keeps_its_moment(self):
        run = played()
        before = msgspec.structs.replace(started(full_packet(run.definition)), clocks_follow=False)
        run.state = decide(run.definition, new_state(run.definition), before, run.at).state
        exception = run.trouble(at("2026-03-02T10:00+01:00"))
        respond_by = run.state.exceptions[exception].respond_by
        due = {name: timer.due_at for name, timer in run.state.timers.items()}
        run.move_to(at("2026-03-02T12:00+01:00"), "partner", NEW_YORK)
        assert {name: timer.due_at for name, timer in run.state.timers.items()} == due
        assert run.state.exceptions[exception].respond_by == respond_by


class TestAResponse:
    def test_is_due_by_the_hours_that_count_now_and_as_before_when_they_are_put_back(self):
        run = played(within=Duration(business_days=1))
        name = run.trouble(at("2026-03-02T10:00+01:00"))
        before = run.state.exceptions[name]
        assert before.respond_by == at("2026-03-03T17:00+01:00")
        run.move_to(at("2026-03-02T13:00+01:00"), "partner", NEW_YORK)
        assert run.state.exceptions[name].respond_by == at("2026-03-03T17:00-05:00")
        run.move_to(at("2026-03-03T12:00+01:00"), "partner", BERLIN)
        assert run.state.exceptions[name] == before

    def test_that_was_told_further_up_is_told_next_by_them_after_a_hold_too(self):
        run = played(within=Duration(business_hours=8))
        run.trouble(at(MONDAY))
        run.until(at("2026-03-02T17:00+01:00"))
        run.hold(at("2026-03-03T10:00+01:00"), at("2026-03-03T12:00+01:00"))  # the next: 17:00, and two hours
        assert run.waits_for("response") == at("2026-03-04T11:00+01:00")
        run.move_to(at("2026-03-03T13:00+01:00"), "customer", FREE)  # nobody worked on the 3rd, nor was held then
        assert run.waits_for("response") == at("2026-03-04T17:00+01:00")
        run.move_to(at("2026-03-03T14:00+01:00"), "customer", BERLIN)
        assert run.waits_for("response") == at("2026-03-04T11:00+01:00")
        run.until(at("2026-04-04T11:00+01:00"))
        assert run.of("response")[:3] == moments("2026-03-02T17:00+01:00 2026-03-04T11:00+01:00 2026-03-05T11:00+01:00")
        assert replay(run.definition, run.history) == run.state

    def test_that_somebody_gave_is_not_asked_for_again(self):
        run = played()
        name = run.trouble(at("2026-03-02T10:00+01:00"))
        run.answer(at("2026-03-02T11:00+01:00"), name)
        answered = run.state.exceptions[name]
        run.do(
            at("2026-03-02T12:00+01:00"),
            events.OwnerAssigned(by=events.By(actor="person:mara"), item="task.assign_team", person="p"),
        )
        run.move_to(at("2026-03-02T13:00+01:00"), "partner", NEW_YORK)
        assert run.state.exceptions[name] == answered
