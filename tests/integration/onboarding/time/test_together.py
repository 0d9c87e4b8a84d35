"""Clocks of many onboardings of one customer that run out at one moment: one transaction, each as if it were alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.flow.decide import Recorded, decide_by, replay
from app.flow.events import Started, TimerFired
from app.flow.steps.timers import TimerNotDue
from app.kernel.ids import new_id
from app.onboarding import operations
from app.onboarding.operations import advance
from app.onboarding.operations.running import StartRequest
from tenants.line import Line
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob
from tests.factories.walker import picture_of
from tests.integration.onboarding.time.ladders import MOMENT

MANY = 6
TIMER = "kickoff_scheduled"  # runs from the start; two rungs, the second opens an exception
HELD = {"reason_code": "scope_mismatch", "reason": "We talk."}


@dataclass(frozen=True)
class Crowd:
    """Onboardings of one customer that began together."""

    shop: MainJob
    tenant: Tenant
    ids: list[UUID]

    def rows(self, statement: str, *values: object) -> list[Any]:
        """Of the customer's schema."""
        return self.shop.installation.rows(self.tenant, statement, *values)

    def fired(self) -> list[Any]:
        """Their journal's entries of clocks that ran out, with the transaction that wrote each."""
        entries = "SELECT onboarding_id, seq, xmin::text AS wrote FROM {}.journal j WHERE j.event ->> 'event' = %s"
        return self.rows(f"{entries} AND onboarding_id = ANY(%s) ORDER BY seq", "timer_fired", self.ids)

    def due_at(self, one: UUID) -> datetime:
        """When the armed rung is due."""
        return picture_of(self.shop, self.tenant, one).state.timers[TIMER].due_at

    def run_out(self) -> None:
        """Business time goes on to a moment after the rung."""
        with self.shop.installation.work(self.tenant, self.shop.lead) as work:
            left = self.due_at(self.ids[-1]) - work.now
        self.shop.installation.move_clock(left + MOMENT)
        self.shop.run()

    def replays(self, one: UUID) -> bool:
        """Whether the journal alone leads to the stored state, and the items' rows say the same."""
        rows = self.rows("SELECT at, event FROM {}.journal WHERE onboarding_id = %s ORDER BY seq", one)
        seen = picture_of(self.shop, self.tenant, one)
        history = [msgspec.convert({"at": row.at, "event": row.event}, Recorded) for row in rows]
        items = self.rows("SELECT key, state, due_at FROM {}.item WHERE onboarding_id = %s", one)
        stored = {row.key: (row.state, row.due_at) for row in items}
        said = {key: (item.state, item.due_at) for key, item in seen.state.items.items()}
        return replay(seen.definition, history) == seen.state and stored == said


@pytest.fixture
def crowd(shop: MainJob) -> Iterator[Crowd]:
    """Six that wait for their kickoff, begun on a Monday evening; business time is put back afterwards.

    Whatever the hour of this machine: what runs out within a working day is told at once, not in the morning.
    """
    with shop.installation.work(shop.home, shop.lead) as work:
        evening = (work.now + timedelta(days=-work.now.weekday() % 7)).replace(hour=19, minute=0)
        ahead = evening - work.now
    shop.installation.move_clock(ahead if ahead > timedelta() else ahead + timedelta(days=7))
    company = f"Crowd {new_id().hex[-6:]}"
    deal = shop.sell(company=company, email=f"{new_id().hex[-6:]}@crowd.example")
    shop.tell(deal)
    shop.run()
    tenant, first = shop.started(deal)
    [one] = shop.installation.rows(tenant, "SELECT definition_digest, people FROM {}.onboarding")
    [entry] = shop.installation.rows(tenant, "SELECT event FROM {}.journal WHERE seq = 1 AND onboarding_id = %s", first)
    started = msgspec.convert(entry.event, Started)
    ids = []
    for number in range(MANY):
        event = msgspec.structs.replace(started, reference=f"crowd-{number}")
        wanted = StartRequest(new_id(), f"Crowd {number}", one.definition_digest, event, people=one.people, deal={})
        with shop.installation.work(tenant, shop.lead) as work:
            ids.append(operations.start_onboarding(work, wanted).id)
    shop.run()
    yield Crowd(shop, tenant, ids)
    shop.installation.cell("UPDATE cell.clock SET shift = '0'")


class TestClocksThatRunOutTogether:
    def test_are_one_transaction_with_an_entry_a_letter_and_a_next_rung_each(self, crowd: Crowd):
        crowd.run_out()
        assert sorted(row.onboarding_id for row in crowd.fired()) == sorted(crowd.ids)
        assert len({row.wrote for row in crowd.fired()}) == 1
        told = crowd.rows("SELECT onboarding_id, trace_id FROM {}.trail WHERE action = 'onboarding.sla.breached'")
        assert sorted(row.onboarding_id for row in told if row.onboarding_id in crowd.ids) == sorted(crowd.ids)
        letters = crowd.rows("SELECT onboarding_id FROM {}.message WHERE kind = 'sla_breached'")
        assert sorted(row.onboarding_id for row in letters if row.onboarding_id in crowd.ids) == sorted(crowd.ids)
        for one in crowd.ids:
            assert picture_of(crowd.shop, crowd.tenant, one).state.timers[TIMER].rung == 1
            assert crowd.replays(one)
        crowd.shop.run()
        assert len(crowd.fired()) == MANY

    def test_leave_alone_those_that_were_stopped_or_have_moved_meanwhile(self, crowd: Crowd):
        held, over, *others = crowd.ids
        with crowd.shop.installation.work(crowd.tenant, crowd.shop.lead) as work:
            operations.hold_onboarding(work, onboarding_id=held, **HELD)
            operations.cancel_onboarding(work, onboarding_id=over, reason="They changed their mind.")
        crowd.run_out()
        assert sorted(row.onboarding_id for row in crowd.fired()) == sorted(others)
        assert all(crowd.replays(one) for one in crowd.ids)

    def test_climb_to_the_next_rung_with_its_exception(self, crowd: Crowd):
        crowd.run_out()
        crowd.run_out()
        assert len(crowd.fired()) == 2 * MANY
        for one in crowd.ids:
            opened = [row for row in crowd.shop.exceptions(one, crowd.tenant) if row.type == "timeline_risk"]
            assert [row.state for row in opened] == ["open"]
            assert crowd.replays(one)

    def test_of_one_onboarding_follow_each_other_in_one_transaction(self, crowd: Crowd):
        one = crowd.ids[0]
        version = picture_of(crowd.shop, crowd.tenant, one).state.timers[TIMER].version
        crowd.shop.installation.move_clock(timedelta(days=30))
        both = [(one, TimerFired(timer=TIMER, rung=rung, version=version + rung)) for rung in range(2)]
        with crowd.shop.installation.work(crowd.tenant, crowd.shop.lead) as work:
            operations.meet_moments(work, both)
        assert [row.onboarding_id for row in crowd.fired()] == [one, one]
        assert len({row.wrote for row in crowd.fired()}) == 1
        assert crowd.replays(one)

    def test_cost_the_same_round_trips_however_many_they_are(self, crowd: Crowd, monkeypatch: pytest.MonkeyPatch):
        answers: list[object] = []
        read = Line._read

        def count(line: Line) -> object:
            answers.append(line)
            return read(line)

        monkeypatch.setattr(Line, "_read", count)
        crowd.shop.installation.move_clock(timedelta(days=6))
        counts = []
        for some in (crowd.ids[:2], crowd.ids[2:]):
            fired = [(one, TimerFired(timer=TIMER, rung=0, version=1)) for one in some]
            answers.clear()
            with crowd.shop.installation.work(crowd.tenant, crowd.shop.lead) as work:
                operations.meet_moments(work, fired)
            counts.append(len(answers))
        assert len(crowd.fired()) == MANY
        assert counts[0] == counts[1]


class TestOneThatCannot:
    def test_leaves_the_others_untouched_and_comes_again_alone(self, crowd: Crowd, monkeypatch: pytest.MonkeyPatch):

        def refuse(find: Any, state: Any, event: Any, now: datetime) -> Any:
            if state.reference == "crowd-3" and isinstance(event, TimerFired):
                raise TimerNotDue("The clock of this machine is behind.")
            return decide_by(find, state, event, now)

        with monkeypatch.context() as patched:
            patched.setattr(advance, "decide_by", refuse)
            crowd.run_out()
        behind = crowd.ids[3]
        assert sorted(row.onboarding_id for row in crowd.fired()) == sorted(set(crowd.ids) - {behind})
        crowd.shop.hurry()
        crowd.shop.run()
        assert sorted(row.onboarding_id for row in crowd.fired()) == sorted(crowd.ids)
        assert all(crowd.replays(one) for one in crowd.ids)


class TestLettersThatWaited:
    def test_go_out_together_in_the_morning_but_for_those_whom_nobody_needs(self, crowd: Crowd):
        crowd.run_out()  # at the end of a working day
        waiting = "SELECT onboarding_id, state FROM {}.message WHERE kind = 'sla_breached' AND onboarding_id = ANY(%s)"
        assert {row.state for row in crowd.rows(waiting, crowd.ids)} == {"queued"}
        over = crowd.ids[0]
        with crowd.shop.installation.work(crowd.tenant, crowd.shop.lead) as work:
            operations.cancel_onboarding(work, onboarding_id=over, reason="They changed their mind.")
        crowd.shop.installation.move_clock(timedelta(hours=16))
        crowd.shop.run()
        states = {row.onboarding_id: row.state for row in crowd.rows(waiting, crowd.ids)}
        assert states == dict.fromkeys(crowd.ids, "sent") | {over: "dropped"}
