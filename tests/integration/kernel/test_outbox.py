"""Events become one job for each subscriber, in order on a lane, whoever relays and whoever dies."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError

from app.kernel.ids import new_id
from app.kernel.outcomes import Done, GiveUp, Outcome, TryAgain
from app.kernel.queue.care.sweeping import sweep_marks
from app.kernel.queue.dispatcher import relay_outbox
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.jobs import JobRun
from tenants.sessions import dispatcher_session
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation
from tests.integration.kernel.work_to_do import GuestArrived, arrive, body

Guests = Callable[[Tenant], list[str]]
HEAR = {GuestArrived.type: ["tests.hear"]}
BOTH = {GuestArrived.type: ["tests.hear", "tests.hear_too"]}


def announce(installation: Installation, tenant: Tenant, name: str, *, lane: UUID | None = None, seq: int = 0) -> UUID:
    with installation.work(tenant) as work:
        return arrive(work, name, onboarding_id=lane, lane_seq=seq if lane else None)


def relay(installation: Installation, subscriptions: dict[str, list[str]]) -> int:
    return relay_outbox(installation.databases, CELL, subscriptions)


class TestSweep:
    def test_removes_what_is_old_and_over_and_nothing_else(self, installation: Installation, acme: Tenant):
        old, waits = (announce(installation, acme, name) for name in ("old", "waits"))
        relay(installation, HEAR)
        aged = _aged(installation, acme, old), _aged(installation, acme, waits)
        young = announce(installation, acme, "young")
        relay(installation, HEAR)
        installation.cell("UPDATE cell.outbox SET state = 'new' WHERE id = %s", aged[1])
        for source, days in (("old", 100), ("young", 80)):
            with installation.work(acme) as work:
                assert work.admit_once(source, "message")
            moved = "UPDATE cell.inbox SET received_at = now() - make_interval(days => %s) WHERE source = %s"
            installation.cell(moved, days, source)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _one: sweep_marks(installation.runtime, days=90), range(2)))
        left = {row.id for row in installation.cell("SELECT id FROM cell.outbox")}
        assert left == {aged[1], young}, "what was never relayed stays, however old"
        assert [row.source for row in installation.cell("SELECT source FROM cell.inbox")] == ["young"]
        with installation.work(acme) as work:
            assert not work.admit_once("young", "message"), "still known"


def _aged(installation: Installation, tenant: Tenant, event: UUID) -> UUID:
    """The same event as if it were a hundred days old: its id begins with its time."""
    at = datetime.now(UTC) - timedelta(days=100)
    aged = UUID(int=(int(at.timestamp() * 1000) << 80) | (event.int & ((1 << 80) - 1)))
    moved = "UPDATE cell.outbox SET id = %s, created_at = %s WHERE tenant_id = %s AND id = %s"
    installation.cell(moved, aged, at, tenant.id, event)
    return aged


class TestRelay:
    def test_tells_every_subscriber_once(self, installation: Installation, acme: Tenant, guests: Guests):
        announce(installation, acme, "Bo")
        ran = installation.run_due(BOTH)
        assert sorted(job.kind for job in ran) == ["tests.hear", "tests.hear_too"]
        assert guests(acme) == ["Bo", "heard Bo", "heard Bo"]

    def test_tells_nobody_else(self, installation: Installation, acme: Tenant, umbrella: Tenant, guests: Guests):
        announce(installation, acme, "Bo")
        installation.run_due(HEAR)
        assert guests(umbrella) == []

    def test_does_not_repeat_what_is_relayed_again(self, installation: Installation, acme: Tenant):
        announce(installation, acme, "Bo")
        relay(installation, BOTH)
        installation.cell("UPDATE cell.outbox SET state = 'new'")  # as if the mark had been lost
        relay(installation, BOTH)
        assert len(installation.jobs()) == 2

    def test_leaves_the_event_when_killed_in_the_middle(self, installation: Installation, acme: Tenant, monkeypatch):
        announce(installation, acme, "Bo")
        with monkeypatch.context() as patch:
            patch.setattr("app.kernel.queue.dispatcher._RELAYED", text("SELECT 1/0"))
            with pytest.raises(DataError, match="division"):
                relay(installation, HEAR)
        assert installation.jobs() == []
        assert [job.state for job in installation.run_due(HEAR)] == ["done"]

    def test_relays_under_two_dispatchers_at_once(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            for _ in range(250):
                work.announce(GuestArrived(subject_id=new_id()))
        start = Barrier(2)

        def turn(_number: int) -> int:
            start.wait()
            return sum(relay(installation, HEAR) for _ in range(3))

        with ThreadPoolExecutor(2) as threads:
            moved = list(threads.map(turn, range(2)))
        assert sum(moved) == 250
        assert len(installation.jobs()) == 250

    def test_keeps_the_events_of_a_suspended_tenant_until_it_works_again(
        self, installation: Installation, acme: Tenant, umbrella: Tenant, guests: Guests
    ):
        announce(installation, acme, "Bo")
        announce(installation, umbrella, "Cy")
        installation.set_state(acme, "suspended")
        assert [job.tenant_id for job in installation.run_due(HEAR)] == [umbrella.id]
        installation.set_state(acme, "active")
        assert [job.tenant_id for job in installation.run_due(HEAR)] == [acme.id]
        assert guests(acme) == ["Bo", "heard Bo"]


class TestALane:
    def test_is_heard_in_order_whatever_the_order_of_relay(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        lane = new_id()
        for seq in (3, 1, 2):
            announce(installation, acme, f"{seq}", lane=lane, seq=seq)
        installation.run_due(HEAR)
        assert [name for name in guests(acme) if name.startswith("heard")] == ["heard 1", "heard 2", "heard 3"]

    def test_does_not_overtake_an_event_that_another_dispatcher_is_still_relaying(
        self, installation: Installation, acme: Tenant
    ):
        lane = new_id()
        announce(installation, acme, "1", lane=lane, seq=1)
        with dispatcher_session(installation.databases, CELL, actor="slow dispatcher") as (session, _now):
            session.execute(text("SELECT 1 FROM cell.outbox FOR UPDATE"))
            announce(installation, acme, "2", lane=lane, seq=2)
            assert relay(installation, HEAR) == 1
            assert installation.take() == []
        relay(installation, HEAR)
        taken = installation.take()
        assert [installation.job(item.job_id).lane_seq for item in taken] == [1]

    def test_has_one_job_on_its_way_for_each_subscriber(self, installation: Installation, acme: Tenant):
        lane, other = new_id(), new_id()
        for seq in (1, 2):
            announce(installation, acme, f"{seq}", lane=lane, seq=seq)
            announce(installation, acme, f"{seq}", lane=other, seq=seq)
        relay(installation, BOTH)
        with ThreadPoolExecutor(2) as threads:
            taken = [item for part in threads.map(lambda _: installation.take(), range(2)) for item in part]
        assert sorted(installation.job(item.job_id).lane_seq for item in taken) == [1, 1, 1, 1]
        assert installation.take() == []

    def test_waits_for_a_retry_and_goes_on_after_giving_up(self, installation: Installation, acme: Tenant):
        lane = new_id()
        outcomes: list[Outcome] = [TryAgain(after=timedelta(hours=1), reason="busy"), GiveUp(reason="no"), Done()]

        def act(_run: JobRun, **_args: object) -> Outcome:
            return outcomes.pop(0)

        body["act"] = act
        for seq in (1, 2):
            announce(installation, acme, f"{seq}", lane=lane, seq=seq)
        subscriptions = {GuestArrived.type: ["tests.act"]}
        assert [job.lane_seq for job in installation.run_due(subscriptions)] == [1]
        installation.cell("UPDATE cell.job SET run_at = now() WHERE lane_seq = 1")
        assert [(j.lane_seq, j.state) for j in installation.run_due(subscriptions)] == [(1, "failed"), (2, "done")]

    def test_of_enqueued_jobs_runs_one_after_the_other(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            asked = [work.enqueue("tests.greet", args={"name": f"{n}"}, lane="door") for n in range(3)]
        order = []
        while taken := take_ready(installation.databases, CELL, window=10):
            order += [item.job_id for item in taken]
            assert len(taken) == 1
            installation.run_one(taken[0])
        assert order == asked

    def test_is_each_tenants_own(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        lane = new_id()
        announce(installation, acme, "1", lane=lane, seq=1)
        announce(installation, umbrella, "2", lane=lane, seq=2)
        relay(installation, HEAR)
        assert len(installation.take()) == 2
