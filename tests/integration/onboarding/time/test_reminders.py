"""Reminders and escalations by mail: to whoever's step it is, in their working hours, once, until somebody acts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.onboarding import operations
from app.onboarding.dates.operations import WorkingTime, change_dates
from app.onboarding.dates.queries import read_schedule
from app.onboarding.dates.schemas import ItemDates
from app.onboarding.queries.picture import get_picture
from tests.factories.main_job import MainJob
from tests.integration.onboarding.time.ladders import MOMENT, STEP, Ladder, open_ladder


@pytest.fixture(autouse=True)
def _clock(shop: MainJob) -> Iterator[None]:
    """Business time is put back afterwards."""
    yield
    shop.installation.cell("UPDATE cell.clock SET shift = '0'")


def dates(ladder: Ladder) -> ItemDates:
    """The customer's step as software reads its dates."""
    with ladder.shop.installation.work(ladder.tenant, ladder.shop.lead) as work:
        read = read_schedule(work, get_picture(work, ladder.onboarding_id))
    return next(item for item in read.items if item.key == STEP)


def waiting(ladder: Ladder) -> list[Any]:
    """Letters to the partner about the step that are stored and not yet sent."""
    found = ladder.rows("SELECT * FROM {}.message WHERE state IN ('queued', 'dropped') ORDER BY queued_at")
    return [row for row in found if (row.facts.get("item"), row.facts["reader_side"]) == (STEP, "partner")]


def night(ladder: Ladder) -> datetime:
    """The customer moves to the other end of the world, so that the lead is told of a deadline by night; gives when."""
    wish = WorkingTime(side="customer", calendar={"zone": "Pacific/Auckland"})
    with ladder.shop.installation.work(ladder.tenant, ladder.shop.lead) as work:
        change_dates(work, onboarding_id=ladder.onboarding_id, wish=wish, reason="They moved.")
    ladder.wait_until(ladder.due_at + MOMENT)  # the customer is told, the lead is next
    due = ladder.due_at
    assert not 9 <= due.hour < 17
    ladder.wait_until(due + MOMENT)
    assert [row.state for row in waiting(ladder)] == ["queued"]
    return due


class TestReminder:
    def test_reaches_whoever_has_to_act_before_and_after_the_date_each_once_until_they_do(self, shop: MainJob):
        ladder = open_ladder(shop, "forgetful")
        for number in range(1, 3):
            due = dates(ladder).reminder_at
            assert due is not None
            ladder.wait_until(due - MOMENT)
            assert len(ladder.reminders()) == number - 1
            ladder.wait_until(due + MOMENT)
            shop.run()
            assert ladder.reminders() == [ladder.rungs[0]] * number
            assert (dates(ladder).reminders_sent, dates(ladder).reminded_at is not None) == (number, True)
        ladder.act()
        assert dates(ladder).reminder_at is None
        ladder.wait_until(ladder.now + timedelta(days=20))
        assert ladder.reminders() == [ladder.rungs[0]] * 2
        told = ladder.rows("SELECT body FROM {}.trail WHERE action = 'onboarding.reminded' ORDER BY id")
        assert [row.body["number"] for row in told if row.body["item"] == STEP] == [1, 2]

    def test_stops_with_a_hold_and_goes_on_after_it(self, shop: MainJob):
        ladder = open_ladder(shop, "patient")
        with shop.installation.work(ladder.tenant, shop.lead) as work:
            held: dict[str, Any] = {"reason_code": "scope_mismatch", "reason": "We talk."}
            operations.hold_onboarding(work, onboarding_id=ladder.onboarding_id, **held)
        ladder.wait_until(ladder.now + timedelta(days=20))
        assert ladder.reminders() == []
        with shop.installation.work(ladder.tenant, shop.lead) as work:
            operations.resume_onboarding(work, onboarding_id=ladder.onboarding_id)
        due = dates(ladder).reminder_at
        assert due is not None
        ladder.wait_until(due + MOMENT)
        assert ladder.reminders() == [ladder.rungs[0]]


class TestQuietHours:
    def test_keep_a_mail_until_its_readers_next_working_day_begins_and_send_it_once(self, shop: MainJob):
        ladder = open_ladder(shop, "faraway")
        due = night(ladder)
        before = ladder.mails()
        morning = ladder.picture.state.partner
        opens = next(
            day
            for day in (morning.hours_of((due + timedelta(days=n)).date())[0] for n in range(5))
            if day >= due and morning.works_on(morning.day_at(day))
        )
        ladder.wait_until(opens - MOMENT)
        assert ladder.mails() == before
        ladder.wait_until(opens + MOMENT)
        shop.run()
        assert ladder.mails() == [*before, ladder.rungs[1]]
        assert waiting(ladder) == []

    def test_drop_what_nobody_needs_in_the_morning_any_more_and_say_so(self, shop: MainJob):
        ladder = open_ladder(shop, "nocturnal")
        night(ladder)
        before = ladder.mails()
        ladder.act()
        ladder.wait_until(ladder.now + timedelta(days=4))
        assert ladder.mails() == before
        [row] = waiting(ladder)
        assert (row.state, row.sent_at) == ("dropped", None)
        assert "the step ended" in row.error
