"""Any history of tenants being made, killed, repeated, suspended and resumed leaves everything consistent.

In the middle nothing is wrong but what is on its way; after one more resume nothing is on its way either. A kill is an
exception right before or after any commit of the creation, wherever its commits are.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.bootstrap.seeding import seeder
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant, resume_requests
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.consistency import IN_FLIGHT, Trouble, examine_installation
from tenants.slots import make_slots
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Partner, make_runtime, person
from tests.factories.peer_house import OWN, PeerHouse, open_house


class Killed(Exception):
    """The process died here."""


@dataclass
class World:
    """What one run of histories works on."""

    house: PeerHouse
    runtime: Runtime
    partner: Partner

    def troubles(self, *, young: int) -> tuple[Trouble, ...]:
        urls = {CELL: self.house.urls.cell_url}
        control = self.house.urls.control_url
        return examine_installation(self.house.key, control_url=control, cell_urls=urls, young=young).troubles

    def create(self, request: TenantRequest) -> Tenant:
        return create_tenant(self.runtime, person(), request, trace_id="history")

    def resume(self) -> int:
        return resume_requests(self.runtime, person(), trace_id="history", seconds=0)


@contextmanager
def dying(at: int, *, committed: bool) -> Iterator[None]:
    """Die once, right before or right after the commit of that number."""
    original, lock, seen = PGDialect_psycopg.do_commit, Lock(), [0]

    def do_commit(self: Any, connection: Any) -> None:
        with lock:
            seen[0] += 1
            now = seen[0] == at
        if now and not committed:
            raise Killed
        original(self, connection)
        if now:
            raise Killed

    PGDialect_psycopg.do_commit = do_commit  # type: ignore[method-assign]  # for the length of one creation
    try:
        with suppress(Killed):
            yield
    finally:
        PGDialect_psycopg.do_commit = original  # type: ignore[method-assign]  # as it was


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A house of its own: in clones of one template the roles of each would be orphans to the others."""
    folder = tmp_path_factory.mktemp("keys")
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", Path(folder / "worker-keys"))
    with open_house(OWN, tmp_path_factory.mktemp("history")) as house:
        services = {Keyring: keyring, Seeder: seeder(keyring)}
        yield World(house, make_runtime(house.databases, services=services), house.partner("History"))


class History(RuleBasedStateMachine):
    """Whatever may happen to tenants, in any order."""

    world: ClassVar[World]
    requests = Bundle("requests")
    suspended = Bundle("suspended")

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[TenantRequest] = []

    def request(self) -> TenantRequest:
        made = TenantRequest(self.world.partner.id, kind="customer", name="Acme", key=new_id().hex)
        self.asked.append(made)
        return made

    @rule(target=requests)
    def create(self) -> TenantRequest:
        request = self.request()
        assert self.world.create(request).state == "active"
        return request

    @rule(target=requests, at=st.integers(1, 4), committed=st.booleans())
    def create_and_die(self, at: int, *, committed: bool) -> TenantRequest:
        request = self.request()
        with dying(at, committed=committed):
            self.world.create(request)
        return request

    @rule(request=requests)
    def ask_again(self, request: TenantRequest) -> None:
        assert self.world.create(request).name == "Acme"

    @rule(request=requests, at=st.integers(1, 4), committed=st.booleans())
    def ask_again_and_die(self, request: TenantRequest, at: int, *, committed: bool) -> None:
        with dying(at, committed=committed):
            self.world.create(request)

    @rule(target=requests, same=st.booleans())
    def three_at_once(self, *, same: bool) -> Any:
        wanted = [self.request() for _each in range(3)]
        asked = [wanted[0]] * 3 if same else wanted
        with ThreadPoolExecutor(3) as threads:
            made = list(threads.map(self.world.create, asked))
        assert len({tenant.id for tenant in made}) == (1 if same else 3)
        return multiple(*asked)

    @rule()
    def resume(self) -> None:
        self.world.resume()

    @rule(at=st.integers(1, 4), committed=st.booleans())
    def resume_and_die(self, at: int, *, committed: bool) -> None:
        with dying(at, committed=committed):
            self.world.resume()

    @rule()
    def refill(self) -> None:
        make_slots(self.world.house.databases, CELL, 2)

    @rule()
    def drain(self) -> None:
        self.world.house.cell("UPDATE cell.slot SET state = 'retired' WHERE state = 'free'")

    @rule(target=suspended, request=requests)
    def suspend(self, request: TenantRequest) -> Tenant:
        return self.world.house.set_state(self.world.create(request), "suspended")

    @rule(tenant=consumes(suspended))
    def let_work_again(self, tenant: Tenant) -> None:
        self.world.house.set_state(tenant, "active")

    @invariant()
    def nothing_is_wrong_but_what_is_on_its_way(self) -> None:
        assert self.world.troubles(young=IN_FLIGHT) == ()

    def teardown(self) -> None:
        """One pass of the dispatcher finishes whatever was left, and then nothing at all is wrong."""
        self.world.resume()
        assert self.world.resume() == 0
        assert self.world.troubles(young=0) == ()
        keys = {request.key for request in self.asked}
        left = self.world.house.control("SELECT request_key, count(*) AS n FROM control.tenant GROUP BY 1")
        assert {row.n for row in left if row.request_key in keys} <= {1}


def run(world: World, *, examples: int, steps: int) -> None:
    """Histories of that number and length."""
    History.world = world
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


class TestAnyHistory:
    def test_leaves_registry_schemas_and_roles_consistent(self, world: World):
        run(world, examples=3, steps=8)

    @pytest.mark.soak
    @pytest.mark.timeout(900)
    def test_leaves_them_consistent_also_when_it_is_long(self, world: World):
        run(world, examples=20, steps=15)
