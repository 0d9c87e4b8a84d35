"""A ladder over the weekend on which clocks are turned, in the real tables: each rung once, and not early."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, get_args

import pytest

from app.flow.definition import Side
from app.onboarding.dates.operations import WorkingTime, change_dates
from tests.factories.main_job import MainJob
from tests.integration.onboarding.time.ladders import MOMENT, STEP, TIMER, Ladder, open_ladder
from tests.unit.flow.clocks.wall import Party, Wall

DAY, HOUR = timedelta(hours=8), timedelta(hours=1)  # of work


@pytest.fixture(autouse=True)
def _clock(shop: MainJob) -> Iterator[None]:
    """Business time is put back afterwards."""
    yield
    shop.installation.cell("UPDATE cell.clock SET shift = '0'")


def go_to(shop: MainJob, moment: datetime) -> None:
    """Business time is then."""
    shop.installation.cell("UPDATE cell.clock SET shift = %s - now()", moment)
    shop.run()


def work_in(ladder: Ladder, zone: str) -> None:
    """Both sides work there."""
    for wish in (WorkingTime(side=side, calendar={"zone": zone}) for side in get_args(Side)):
        with ladder.shop.installation.work(ladder.tenant, ladder.shop.lead) as work:
            change_dates(work, onboarding_id=ladder.onboarding_id, wish=wish, reason="They are there.")


def rungs_fired(ladder: Ladder) -> list[tuple[int, datetime]]:
    """What the journal has of the ladder: which rung, and the business time of it."""
    found = ladder.rows("SELECT at, event FROM {}.journal WHERE event->>'event' = 'timer_fired' ORDER BY seq")
    return [(row.event["rung"], row.at) for row in found if row.event["timer"] == TIMER]


def timers(ladder: Ladder) -> list[Any]:
    """The rows of the ladder in `cell.timer` that are of a version that counts, rung by rung."""
    rows = ladder.shop.installation.cell(
        "SELECT * FROM cell.timer WHERE subject_id = %s AND kind = 'onboarding.fire_timer' ORDER BY version",
        ladder.onboarding_id,
    )
    last = {row.args["rung"]: row for row in rows if row.args["timer"] == TIMER}
    return [last[rung] for rung in sorted(last)]


@pytest.mark.parametrize(
    ("zone", "friday", "turned"),
    [
        ("Europe/Berlin", "2027-03-26T08:30+00:00", timedelta(hours=1)),  # half past nine; on Monday it is summer
        ("America/New_York", "2027-11-05T13:30+00:00", -timedelta(hours=1)),
    ],
)
def test_every_rung_fires_once_and_not_early_while_clocks_are_turned(
    shop: MainJob, zone: str, friday: str, turned: timedelta
):
    begin = datetime.fromisoformat(friday)
    go_to(shop, begin)
    ladder = open_ladder(shop, f"in-{zone.rpartition('/')[2].lower().replace('_', '-')}")
    work_in(ladder, zone)
    opened = ladder.picture.of(STEP).opened_at
    assert opened is not None
    ladder_of = ladder.picture.definition.timers[TIMER].ladder
    spent = [DAY * (rung.after.business_days or 0) + HOUR * (rung.after.business_hours or 0) for rung in ladder_of]
    wall = Wall(Party(zone), Party(zone))
    expected = [wall.after(opened, sum(spent[: rung + 1], timedelta())) for rung in range(3)]
    assert spent[0] == DAY
    assert expected[0] - opened == timedelta(days=3) - turned  # a day of work and a weekend
    for rung, moment in enumerate(expected):
        assert ladder.due_at == moment
        ladder.wait_until(moment - MOMENT)
        assert len(rungs_fired(ladder)) == rung
        ladder.wait_until(moment + MOMENT)
        shop.run()
        assert len(rungs_fired(ladder)) == rung + 1
        assert timers(ladder)[rung].state == "fired"
    ladder.wait_until(ladder.now + timedelta(days=20))
    fired = rungs_fired(ladder)
    assert [rung for rung, _at in fired] == [0, 1, 2]
    assert all(moment <= at <= moment + 3 * MOMENT for moment, (_rung, at) in zip(expected, fired, strict=True))
    assert [row.due_at for row in timers(ladder)] == expected
    assert ladder.mails() == list(ladder.rungs)
