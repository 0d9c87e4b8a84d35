"""The product itself on each server: a tenant is made, works, its job runs; what was made is consistent."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.bootstrap.seeding import seeder
from app.kernel.ids import new_id
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.runtime import Runtime
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.consistency import examine_installation
from tenants.schema.install import install
from tenants.slots import count_free, make_slots
from tests.factories.installation import CELL, GATEWAYS, make_runtime, person
from tests.factories.peer_house import PeerHouse
from tests.factories.vault.files import files_in


@job("attacks.remember")
def remember(run: JobRun) -> Outcome:
    """Leaves one more job behind, so that its own commit shows."""
    with run.finish() as work:
        work.enqueue("attacks.remember", dedupe_key="once", run_at=work.database_now.replace(year=2100))
    return Done()


@pytest.fixture
def runtime(house: PeerHouse, tmp_path: Path) -> Runtime:
    create_keyring(tmp_path / "keys", tmp_path / "worker-keys")
    keyring = open_keyring(Program.WORKER, tmp_path / "keys", tmp_path / "worker-keys")
    return make_runtime(house.databases, services={Keyring: keyring, Seeder: seeder(keyring), **files_in(tmp_path)})


class TestTheProduct:
    def test_makes_a_tenant_warm_and_cold_and_does_its_work(self, house: PeerHouse, runtime: Runtime):
        house.cell("DELETE FROM cell.job")
        partner = house.partner("Maker")
        for number in range(count_free(house.databases, CELL) + 2):
            request = TenantRequest(partner.id, kind="customer", name=f"Made {number}", key=new_id().hex)
            tenant = create_tenant(runtime, person(), request, trace_id="made")
            assert create_tenant(runtime, person(), request, trace_id="again").id == tenant.id
        with house.work(tenant) as work:
            made = work.enqueue("attacks.remember")
        house.run_due()
        assert house.job(made).state == "done"
        assert len(house.jobs("attacks.remember")) == 2
        house.cell("DELETE FROM cell.job")

    def test_makes_more_slots_than_a_driver_would_prepare_for(self, house: PeerHouse):
        """psycopg prepares a statement on the server at its sixth use; behind a bouncer that would be another's."""
        before = count_free(house.databases, CELL)
        for _time in range(8):
            make_slots(house.databases, CELL, 1)
        assert count_free(house.databases, CELL) == before + 8

    def test_is_installed_again_without_a_change(self, house: PeerHouse):
        urls = house.databases
        assert install(control_url=urls.control_url, cell_urls=urls.cell_urls, gateways=GATEWAYS) == house.key

    def test_is_consistent_in_the_end(self, house: PeerHouse):
        urls = {CELL: house.databases.cell_urls[CELL]}
        found = examine_installation(house.key, control_url=house.databases.control_url, cell_urls=urls)
        assert found.troubles == ()
