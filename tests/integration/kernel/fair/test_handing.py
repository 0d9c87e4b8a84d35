"""Whose jobs are handed out, in real rows: nobody waits behind a noisy tenant, no round reads all that waits."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from app.kernel.queue.care.signals import read_load
from app.kernel.queue.dispatcher import Dispatched, recover_leases
from app.kernel.queue.fair.flows import Known
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.fair.usage import Meter
from app.kernel.work import Cap
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation

_MANY = """
    INSERT INTO cell.job (tenant_id, id, kind, queue, args, dedupe_key, run_at, state, attempts, epoch, trace_id,
        created_at)
    SELECT %s, gen_random_uuid(), 'tests.act', %s, '{}', gen_random_uuid()::text, now() - interval '1 hour', 'ready',
        0, 0, '', now() FROM generate_series(1, %s)
"""


def many(installation: Installation, tenant: Tenant, number: int, queue: str = "default") -> None:
    """Jobs that have waited for an hour."""
    installation.cell(_MANY, tenant.id, queue, number)


def whose(taken: Sequence[Dispatched]) -> list[UUID]:
    return [each.tenant_id for each in taken]


def end_all(installation: Installation) -> None:
    """What is on its way has been done."""
    installation.cell("UPDATE cell.job SET state = 'done', finished_at = now() WHERE state = 'dispatched'")


def turn(installation: Installation, number: int) -> list[UUID]:
    """Hand out so many, of which then nothing is under way any more."""
    taken = installation.take(window=number)
    end_all(installation)
    return whose(taken)


class TestANoisyTenant:
    def test_leaves_a_quiet_one_its_turn_at_once(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        many(installation, acme, 400)
        turn(installation, 100)
        with installation.work(umbrella) as work:
            work.enqueue("tests.act")
        assert umbrella.id in turn(installation, 2)

    def test_gets_what_nobody_else_wants(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        many(installation, acme, 50)
        many(installation, umbrella, 3)
        assert Counter(turn(installation, 40)) == {acme.id: 37, umbrella.id: 3}

    def test_gives_whoever_was_idle_meanwhile_no_more_than_its_half(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        many(installation, acme, 300)
        turn(installation, 200)
        many(installation, umbrella, 300)
        assert Counter(turn(installation, 40)) == {acme.id: 20, umbrella.id: 20}

    def test_has_its_jobs_found_without_reading_all_that_wait(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        """Counted, not timed: with 20,000 waiting a round reads no more of the job table's indexes than with 200."""
        reads = []
        for number in (200, 20_000):
            many(installation, acme, number)
            many(installation, umbrella, 1)
            take_ready(installation.databases, CELL, window=2)
            end_all(installation)
            many(installation, umbrella, 1)
            before = _read(installation)
            assert len(take_ready(installation.databases, CELL, window=8)) == 8
            reads.append(_read(installation) - before)
            end_all(installation)
        assert reads[1] < reads[0] + 400, reads


def _read(installation: Installation) -> int:
    """Rows of the job table's index that queries have read so far; the dispatcher's are told before."""
    installation.databases.cell(CELL).dispatcher.pool.dispose()  # a server process tells its count when it ends
    last, now = -1, 0
    while last != now:
        threading.Event().wait(0.1)
        (row,) = installation.cell(
            "SELECT sum(idx_tup_read)::bigint AS n FROM pg_stat_user_indexes WHERE relname = 'job'"
        )
        last, now = now, int(row.n)
    return now


class TestWeights:
    @pytest.fixture(autouse=True)
    def _plans(self, installation: Installation) -> Iterator[None]:
        yield
        installation.cell("UPDATE cell.tenant SET weight = 1, limits = NULL")

    def test_are_those_of_the_plan(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        installation.cell("UPDATE cell.tenant SET weight = 3 WHERE id = %s", acme.id)
        for tenant in (acme, umbrella):
            many(installation, tenant, 100)
        assert Counter(turn(installation, 40)) == {acme.id: 30, umbrella.id: 10}

    def test_count_seconds_that_jobs_really_took(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        for tenant in (acme, umbrella):
            many(installation, tenant, 200)
        turn(installation, 2)
        meter = Meter()
        with meter.running(CELL, acme.id, "default"):
            threading.Event().wait(0.4)  # twenty times what was charged
        assert meter.tell(installation.databases, CELL) == 1
        assert meter.tell(installation.databases, CELL) == 0
        (cost,) = (row.cost for row in installation.cell("SELECT cost FROM cell.share WHERE tenant_id = %s", acme.id))
        assert 0.08 < cost < 0.2
        assert Counter(turn(installation, 12)) == {umbrella.id: 12}

    def test_leave_a_suspended_tenant_out_and_lose_it_nothing(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        for tenant in (acme, umbrella):
            many(installation, tenant, 10)
        installation.set_state(acme, "suspended")
        assert set(turn(installation, 20)) == {umbrella.id}
        installation.set_state(acme, "active")
        assert Counter(turn(installation, 20)) == {acme.id: 10}


class TestQueues:
    def test_let_interactive_jobs_pass_and_bulk_ones_live(self, installation: Installation, acme: Tenant):
        for queue in ("bulk", "default", "interactive"):
            many(installation, acme, 100, queue)
        taken = installation.take(window=42)
        assert Counter(each.queue for each in taken) == {"interactive": 32, "default": 8, "bulk": 2}


class TestCaps:
    def test_of_a_connection_hold_its_jobs_back_and_nobody_elses(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        for tenant in (acme, umbrella):
            with installation.work(tenant) as work:
                for _ in range(6):
                    work.enqueue("tests.act", cap=Cap("connection:a", 2))
                work.enqueue("tests.act")
        assert Counter(whose(installation.take())) == {acme.id: 3, umbrella.id: 3}
        assert installation.take() == []
        installation.cell("UPDATE cell.job SET state = 'done', finished_at = now() WHERE state = 'dispatched'")
        assert Counter(whose(installation.take())) == {acme.id: 2, umbrella.id: 2}

    def test_of_a_tenant_are_its_plans_or_a_setting(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        for tenant in (acme, umbrella):
            many(installation, tenant, 20)
        installation.cell("UPDATE cell.tenant SET limits = '{\"jobs\": 3}' WHERE id = %s", acme.id)
        try:
            taken = take_ready(installation.databases, CELL, window=100, known=Known(at_once=7))
        finally:
            installation.cell("UPDATE cell.tenant SET limits = NULL")
        assert Counter(whose(taken)) == {acme.id: 3, umbrella.id: 7}

    def test_hold_for_what_a_worker_goes_on_with_at_once(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            work.enqueue("tests.act", cap=Cap("connection:a", 1))
        installation.take()
        with installation.work(acme) as work:
            work.enqueue("tests.act", cap=Cap("connection:a", 1))
            assert work.begin_job("w", seconds=5) is None
        with installation.work(acme) as work:
            work.enqueue("tests.act", cap=Cap("connection:b", 1))
            assert work.begin_job("w", seconds=5) is not None


class TestTwoDispatchers:
    def test_hand_out_each_job_once_and_in_turn(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        for tenant in (acme, umbrella):
            many(installation, tenant, 120)
        taken: list[Dispatched] = []

        def dispatch() -> None:
            known = Known()
            for _round in range(60):
                window = len(taken) + 10
                taken.extend(take_ready(installation.databases, CELL, window=min(window, 160), known=known))

        threads = [threading.Thread(target=dispatch) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({each.job_id for each in taken}) == len(taken) <= 160
        had = Counter(whose(taken))
        assert abs(had[acme.id] - had[umbrella.id]) <= 20

    def test_lose_nothing_with_one_that_dies_before_its_commit(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        for tenant in (acme, umbrella):
            many(installation, tenant, 4)
        engine = installation.databases.cell(CELL).dispatcher
        known = Known()

        def die(*_: Any) -> None:
            raise KeyboardInterrupt

        event.listen(engine, "commit", die)
        try:
            with pytest.raises(KeyboardInterrupt):
                take_ready(installation.databases, CELL, window=4, known=known)
        finally:
            event.remove(engine, "commit", die)
        assert installation.cell("SELECT 1 FROM cell.job WHERE state <> 'ready'") == []
        assert installation.cell("SELECT 1 FROM cell.share") == []
        assert Counter(turn(installation, 8)) == {acme.id: 4, umbrella.id: 4}

    def test_send_again_what_one_had_taken_when_it_died(self, installation: Installation, acme: Tenant):
        many(installation, acme, 3)
        installation.take()
        installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 s'")
        assert recover_leases(installation.databases, CELL) == 3
        assert {row.deaths for row in installation.jobs()} == {None}  # no worker had it
        assert len(installation.take()) == 3


class TestLanes:
    def test_keep_their_order_beside_what_is_free(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            first, _second, _third = (work.enqueue("tests.act", lane="one") for _ in range(3))
            free = work.enqueue("tests.act")
        assert {each.job_id for each in installation.take()} == {first, free}

    def test_that_wait_for_a_later_try_hold_up_no_other_tenant(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        with installation.work(acme) as work:
            work.enqueue("tests.act", lane="one", run_at=work.database_now + timedelta(hours=1))
            for _ in range(5):
                work.enqueue("tests.act", lane="one")
        many(installation, umbrella, 2)
        assert whose(installation.take()) == [umbrella.id] * 2


class TestTheLoad:
    def test_is_what_waits_and_runs_at_what_it_costs(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        many(installation, acme, 5)
        many(installation, umbrella, 2, "bulk")
        assert len(installation.take(window=2)) == 2
        installation.cell("UPDATE cell.share SET cost = 3 WHERE tenant_id = %s", acme.id)
        loads = {load.queue: load for load in read_load(installation.databases, CELL)}
        assert (loads["default"].waiting, loads["default"].under_way) == (4, 1)
        assert (loads["bulk"].waiting, loads["bulk"].under_way) == (1, 1)
        assert loads["default"].seconds == pytest.approx(15.0)
        assert loads["default"].oldest == pytest.approx(3_600, abs=60)
