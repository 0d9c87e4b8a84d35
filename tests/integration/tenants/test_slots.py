"""Claiming from the warm pool: at once, twice, from an empty pool, and killed in the middle."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from app.kernel.ids import new_id
from tenants.naming import new_schema_name
from tenants.sessions import registry_session
from tenants.slots import ClaimedSlot, claim_slot, count_free, make_slots
from tests.factories.installation import CELL, Installation


def claim(house: Installation, tenant_id: UUID) -> ClaimedSlot | None:
    with registry_session(house.databases, CELL, actor="test") as (session, _now):
        return claim_slot(session, tenant_id)


class TestClaimSlot:
    def test_gives_two_at_once_two_slots(self, installation: Installation):
        another = Installation(installation.urls, installation.key)
        with registry_session(installation.databases, CELL, actor="one") as (session, _now):
            first = claim_slot(session, new_id())
            with ThreadPoolExecutor(1) as other:  # the registry's pool has one connection: another process asks
                second = other.submit(claim, another, new_id()).result()
        another.close()
        assert first is not None
        assert second is not None
        assert first.schema != second.schema

    def test_gives_every_one_of_many_a_slot_of_its_own(self, installation: Installation):
        ids = [new_id() for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            slots = list(threads.map(lambda one: claim(installation, one), ids))
        assert len({slot.schema for slot in slots if slot}) == 4

    def test_gives_the_same_tenant_the_same_slot(self, installation: Installation):
        tenant = new_id()
        assert claim(installation, tenant) == claim(installation, tenant) is not None
        assert count_free(installation.databases, CELL) == 3

    def test_gives_the_same_tenant_one_slot_when_asked_twice_at_once(self, installation: Installation):
        tenant, start = new_id(), Barrier(2)
        processes = [installation, Installation(installation.urls, installation.key)]

        def ask(house: Installation) -> ClaimedSlot | None:
            start.wait()
            try:
                return claim(house, tenant)
            except IntegrityError:
                return claim(house, tenant)  # what the flow does: the next look finds it

        with ThreadPoolExecutor(2) as threads:
            one, two = threads.map(ask, processes)
        processes[1].close()
        assert one == two
        assert len(installation.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", tenant)) == 1

    def test_gives_nothing_from_an_empty_pool(self, installation: Installation):
        for _ in range(4):
            assert claim(installation, new_id()) is not None
        assert claim(installation, new_id()) is None
        assert count_free(installation.databases, CELL) == 0

    def test_leaves_the_slot_free_when_killed_before_the_commit(self, installation: Installation):
        def killed() -> None:
            with registry_session(installation.databases, CELL, actor="x") as (session, _now):
                claim_slot(session, new_id())
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            killed()
        assert count_free(installation.databases, CELL) == 4

    def test_passes_over_slots_of_an_older_revision(self, installation: Installation):
        installation.cell("UPDATE cell.slot SET revision = 'older'")
        assert claim(installation, new_id()) is None


class TestMakeSlots:
    def test_spreads_slots_over_the_gateways_also_one_by_one(self, installation: Installation):
        for _ in range(4):
            make_slots(installation.databases, CELL, 1)
        spread = Counter(row.gateway for row in installation.cell("SELECT gateway FROM cell.slot"))
        assert set(spread.values()) == {2}

    def test_leaves_nothing_of_a_batch_that_failed(self, installation: Installation, monkeypatch):
        names = iter(["t_aaaaaaaaaaaaaaaa", "t_aaaaaaaaaaaaaaaa"])
        monkeypatch.setattr("tenants.slots.new_schema_name", lambda: next(names, new_schema_name()))
        before = installation.cell("SELECT count(*) AS n FROM pg_namespace")[0].n
        with pytest.raises(Exception, match="already exists"):
            make_slots(installation.databases, CELL, 2)
        assert installation.cell("SELECT count(*) AS n FROM pg_namespace")[0].n == before
        assert count_free(installation.databases, CELL) == 4

    def test_never_reads_through_the_tables_of_all_tenants(self, installation: Installation):
        walks = "SELECT seq_scan FROM pg_stat_sys_tables WHERE relname = 'pg_class'"
        before = installation.cell(walks)[0].seq_scan
        make_slots(installation.databases, CELL, 5)  # its connection is closed: what it counted is told
        assert installation.cell(walks)[0].seq_scan == before
