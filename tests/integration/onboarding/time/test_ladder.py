"""A ladder of three rungs over the real parts: dispatcher, worker, mail server, a business clock that goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.flow.events import TimerFired
from app.flow.steps.draft import NotOpen
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.queries.court import court_parts
from app.onboarding.queries.picture import get_picture
from tests.factories.main_job import MainJob
from tests.integration.onboarding.time.ladders import MOMENT, STEP, TIMER, Ladder, open_ladder

HELD: dict[str, Any] = {"reason_code": "waiting_billing_info", "reason": "The invoice address is unknown."}


@pytest.fixture(autouse=True)
def _clock(shop: MainJob) -> Iterator[None]:
    """Business time is put back afterwards."""
    yield
    shop.installation.cell("UPDATE cell.clock SET shift = '0'")


def climb(ladder: Ladder) -> None:
    """The armed rung comes due; its mail may wait for the next morning."""
    ladder.wait_until(ladder.due_at + MOMENT)
    ladder.wait_for_morning()


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
                fired = TimerFired(timer=TIMER, rung=0, version=version)
                operations.meet_moments(work, [(ladder.onboarding_id, fired)])

        told = at_once(fire, ladder.act, fire, ladder.act)
        shop.run()
        assert sorted(type(error).__name__ for error in told if error) == [NotOpen.__name__]
        assert len(ladder.mails()) <= 1
        ladder.wait_until(ladder.now + timedelta(days=30))
        assert len(ladder.mails()) <= 1
        assert ladder.picture.of(STEP).state == "done"


class TestCourtClock:
    def test_has_all_of_the_time_that_has_passed_with_its_reasons_also_while_it_was_held(self, shop: MainJob):
        ladder = open_ladder(shop, "courtly")
        began = ladder.picture.onboarding.started_at
        ladder.wait_until(ladder.now + timedelta(days=3))
        self.steer(ladder, lambda work, one: operations.hold_onboarding(work, onboarding_id=one, **HELD))
        ladder.wait_until(ladder.now + timedelta(days=4))
        self.steer(ladder, lambda work, one: operations.resume_onboarding(work, onboarding_id=one))
        ladder.wait_until(ladder.now + timedelta(days=2))
        with shop.installation.work(ladder.tenant, shop.lead) as work:
            seen = get_picture(work, ladder.onboarding_id)
            parts = court_parts(work, ladder.onboarding_id, seen.state)
            passed = seen.state.time_for("partner").business_between(began, work.now)
        assert sum(part.seconds for part in parts) == pytest.approx(passed.total_seconds(), abs=1e-5)
        waited = {part.holder: dict(part.reasons) for part in parts}["customer"]
        assert waited["waiting_billing_info"] > 0
        stretches = ladder.rows("SELECT began_at, ended_at FROM {}.clock ORDER BY began_at")
        assert [row.ended_at for row in stretches[:-1]] == [row.began_at for row in stretches[1:]]

    @staticmethod
    def steer(ladder: Ladder, deed: Callable[[Work, UUID], object]) -> None:
        """Do it as the lead."""
        with ladder.shop.installation.work(ladder.tenant, ladder.shop.lead) as work:
            deed(work, ladder.onboarding_id)
