"""A ladder of three rungs over the real parts: dispatcher, worker, mail server, a business clock that goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from app.flow.steps.draft import NotOpen
from app.onboarding import operations
from tests.factories.main_job import MainJob
from tests.integration.onboarding.time.ladders import STEP, TIMER, Ladder, open_ladder

MOMENT = timedelta(seconds=5)


@pytest.fixture(autouse=True)
def _clock(shop: MainJob) -> Iterator[None]:
    """Business time is put back afterwards."""
    yield
    shop.installation.cell("UPDATE cell.clock SET shift = '0'")


def climb(ladder: Ladder) -> None:
    """The armed rung comes due."""
    ladder.wait_until(ladder.due_at + MOMENT)


def at_once(*deeds: Callable[[], object]) -> list[BaseException | None]:
    """Do all of it at the same moment; gives what each raised."""
    ready, told = threading.Barrier(len(deeds)), list[BaseException | None]()

    def do(deed: Callable[[], object]) -> None:
        ready.wait(10)
        try:
            deed()
        except Exception as error:  # noqa: BLE001  # what was raised is what the test looks at
            told.append(error)
        else:
            told.append(None)

    threads = [threading.Thread(target=do, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return told


class TestLadder:
    def test_reaches_three_people_by_mail_when_nobody_acts_each_once_in_order_and_never_early(self, shop: MainJob):
        ladder = open_ladder(shop, "silent")
        for rung in range(3):
            due = ladder.due_at
            ladder.wait_until(due - MOMENT)
            assert ladder.mails() == list(ladder.rungs[:rung])
            climb(ladder)
            shop.run()  # a second look finds nothing to do
            assert ladder.mails() == list(ladder.rungs[: rung + 1])
        ladder.wait_until(ladder.now + timedelta(days=30))
        assert ladder.mails() == list(ladder.rungs)
        letters = ladder.rows("SELECT state, facts FROM {}.message WHERE kind = 'sla_breached'")
        assert [row.state for row in letters if row.facts["item"] == STEP] == ["sent"] * 3
        raised = next(row for row in shop.exceptions(ladder.onboarding_id, ladder.tenant) if row.item_key == STEP)
        assert (raised.state, raised.reason_code) == ("open", "waiting_customer_admin")

    def test_stops_when_somebody_acts_between_two_rungs(self, shop: MainJob):
        ladder = open_ladder(shop, "awake")
        climb(ladder)
        due = ladder.due_at
        ladder.act()
        ladder.wait_until(due + timedelta(days=30))
        assert ladder.mails() == list(ladder.rungs[:1])
        assert not ladder.picture.state.timers[TIMER].armed

    def test_of_two_who_act_as_a_rung_comes_due_one_is_heard_and_nobody_is_told_twice(self, shop: MainJob):
        ladder = open_ladder(shop, "twice")
        shop.installation.move_clock(ladder.due_at + MOMENT - ladder.now)
        version = ladder.picture.state.timers[TIMER].version

        def fire() -> None:
            with shop.installation.work(ladder.tenant, shop.lead) as work:
                rung = {"timer": TIMER, "rung": 0, "version": version}
                operations.fire_timer(work, onboarding_id=ladder.onboarding_id, **rung)

        told = at_once(fire, ladder.act, fire, ladder.act)
        shop.run()
        assert sorted(type(error).__name__ for error in told if error) == [NotOpen.__name__]
        assert len(ladder.mails()) <= 1
        ladder.wait_until(ladder.now + timedelta(days=30))
        assert len(ladder.mails()) <= 1
        assert ladder.picture.of(STEP).state == "done"
