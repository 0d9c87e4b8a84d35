"""Claims and ends of many threads at one moment: one transaction for several, and each job for one of them only."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import TextClause, event, text

from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.batches import claims, ends
from app.kernel.queue.batches.claims import JobKey, claim
from app.kernel.queue.batches.ends import end
from app.kernel.queue.jobs import ClaimedJob, JobRun, LeaseLost, job
from tenants.sessions import dispatcher_session
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation

_MANY, _THREADS = 60, 30
_WAITING = """
    INSERT INTO cell.job (tenant_id, id, kind, queue, args, dedupe_key, run_at, state, attempts, epoch, trace_id,
        created_at)
    SELECT %s, gen_random_uuid(), 'tests.batched', 'default', '{}', gen_random_uuid()::text, now(), 'ready', 0, 0, '',
        now()
    FROM generate_series(1, 2000)
"""


@job("tests.batched")
def batched(_run: JobRun) -> Outcome:
    return Done()


def dispatched(installation: Installation, *tenants: Tenant) -> list[JobKey]:
    for tenant in tenants:
        with installation.work(tenant) as work:
            for _number in range(_MANY // len(tenants)):
                work.enqueue("tests.batched")
    return [JobKey(item.tenant_id, item.job_id) for item in installation.take()]


def states(installation: Installation) -> dict[tuple[str, int], int]:
    rows = installation.cell("SELECT state, epoch, count(*) AS n FROM cell.job GROUP BY 1, 2")
    return {(row.state, row.epoch): row.n for row in rows}


class TestAtOnce:
    def test_each_job_is_claimed_by_one_who_asks_for_it_and_ended_once(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        keys, begun = dispatched(installation, acme, umbrella), list[object]()
        event.listen(installation.databases.cells[CELL].dispatcher, "begin", begun.append)
        with ThreadPoolExecutor(_THREADS) as pool:
            claims = list(pool.map(lambda key: claim(installation.databases, CELL, key, "worker-1"), [*keys, *keys]))
            taken = [each for each in claims if each is not None]
            assert {(each.tenant_id, each.id) for each in taken} == set(keys)
            assert len(taken) == len(keys) == _MANY
            assert states(installation) == {("running", 1): _MANY}
            parked, said = _MANY, len(begun)
            list(pool.map(lambda each: end(installation.databases, CELL, each), taken))
        assert states(installation) == {("done", 1): _MANY}
        assert parked < said < parked + _MANY  # claims went together, also on a machine on which threads rarely meet
        assert installation.cell("SELECT FROM cell.job WHERE finished_at IS NULL OR worker IS NOT NULL") == []

    def test_an_end_is_fenced_off_by_the_epoch_and_takes_no_neighbour_along(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        first, second, third = dispatched(installation, acme, umbrella)[:3]
        held = [claim(installation.databases, CELL, key, "worker-1") for key in (first, second, third)]
        one, other, last = (each for each in held if each is not None)
        installation.cell("UPDATE cell.job SET epoch = epoch + 1 WHERE id = %s", second.id)
        outcomes = list(_ended(installation, [one, other, last]))
        assert outcomes == [True, False, True]
        assert installation.job(UUID(str(second.id))).state == "running"
        with pytest.raises(LeaseLost):
            end(installation.databases, CELL, one)


class TestBesideAllThatWaits:
    @pytest.mark.parametrize("statement", [claims._CLAIM, ends._END], ids=["claim", "end"])
    def test_only_what_is_named_is_looked_at(self, installation: Installation, acme: Tenant, statement: TextClause):
        installation.cell(_WAITING, acme.id)
        keys = dispatched(installation, acme)[:3]
        values = {"tenants": [acme.id] * 3, "ids": [key.id for key in keys], "epochs": [0] * 3}
        asked = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}")
        with dispatcher_session(installation.databases, CELL, actor="tests") as (session, _now):
            plan = session.execute(asked, values | {"worker": "worker-1", "lease": 15}).scalar_one()
        assert max(_seen(plan[0]["Plan"])) <= len(keys)


def _seen(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each part of a plan has looked at."""
    yield node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    for part in node.get("Plans", []):
        yield from _seen(part)


def _ended(installation: Installation, jobs: list[ClaimedJob]) -> list[bool]:
    def ends(claimed: ClaimedJob) -> bool:
        try:
            end(installation.databases, CELL, claimed)
        except LeaseLost:
            return False
        return True

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(ends, jobs))
