"""Any history of tenants being made, killed, repeated, suspended, resumed and erased leaves everything consistent.

In the middle nothing is wrong but what is on its way; after one round of the dispatcher nothing is on its way either. A
process dies right before or after any commit, step of the key store or statement of the owner, wherever these are.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from app.tenancy.operations.creation import RequestDiffers, TenantRequest, resume_requests
from app.tenancy.operations.erasure import approve_erasure, carry_out_all, request_erasure, withdraw_erasure
from app.tenancy.operations.leaving import TenantLeaves
from app.tenancy.operations.lifecycle import resume_tenant, suspend_tenant
from app.tenancy.operations.telling import tell_all
from tenants.consistency import IN_FLIGHT
from tenants.slots import discard_stale, make_slots
from tests.factories.installation import CELL, person
from tests.integration.tenancy.histories.dying import ALIVE, Fate, fated
from tests.integration.tenancy.histories.world import World, open_world


def fates(steps: int) -> st.SearchStrategy[Fate]:
    """Lives, or dies at one of so many steps."""
    return st.just(ALIVE) | st.builds(Fate, at=st.integers(1, steps), done=st.booleans())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("history")) as opened:
        yield opened


class History(RuleBasedStateMachine):
    """Whatever may happen to tenants, in any order."""

    world: ClassVar[World]
    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[TenantRequest] = []

    def request(self) -> TenantRequest:
        self.asked.append(self.world.request())
        return self.asked[-1]

    @initialize(target=requests)
    def begin(self) -> TenantRequest:
        request = self.request()
        assert self.world.create(request).state == "active"
        return request

    @rule(target=requests, fate=fates(12))
    def create(self, fate: Fate) -> TenantRequest:
        request = self.request()
        with fated(fate):
            assert self.world.create(request).state == "active"
        return request

    @rule(request=requests, fate=fates(12))
    def ask_again(self, request: TenantRequest, fate: Fate) -> None:
        with self.world.refused_where_it_leaves(request), fated(fate):
            assert self.world.create(request).name == "Acme"

    @rule(target=requests, same=st.booleans())
    def three_at_once(self, *, same: bool) -> Any:
        wanted = [self.request() for _each in range(3)]
        asked = [wanted[0]] * 3 if same else wanted
        with ThreadPoolExecutor(3) as threads:
            made = list(threads.map(self.world.create, asked))
        assert len({tenant.id for tenant in made}) == (1 if same else 3)
        return multiple(*asked)

    @rule(request=requests, fate=fates(12))
    def suspend(self, request: TenantRequest, fate: Fate) -> None:
        with fated(fate):
            self.world.change(suspend_tenant, self.world.ann, request)

    @rule(request=requests, fate=fates(12))
    def let_work_again(self, request: TenantRequest, fate: Fate) -> None:
        with fated(fate):
            self.world.change(resume_tenant, self.world.ben, request)

    @rule(request=requests, fate=fates(10))
    def take_back(self, request: TenantRequest, fate: Fate) -> None:
        with fated(fate):
            self.world.change(withdraw_erasure, self.world.ann, request)

    @rule(request=requests, asking=fates(10), agreeing=fates(50))
    def erase(self, request: TenantRequest, asking: Fate, agreeing: Fate) -> None:
        self.two_agree(request, asking, agreeing)

    def two_agree(self, request: TenantRequest, asking: Fate, agreeing: Fate) -> None:
        with fated(asking):
            self.world.change(request_erasure, self.world.ann, request)
        with fated(agreeing):
            self.world.change(approve_erasure, self.world.ben, request)

    @rule(target=requests, at=st.integers(1, 5), agreeing=fates(50))
    def give_up(self, at: int, agreeing: Fate) -> TenantRequest:
        """It never became active, and two people do not want it any more."""
        request = self.request()
        with fated(Fate(at, done=True)):
            self.world.create(request)
        self.two_agree(request, ALIVE, agreeing)
        return request

    @rule(request=requests)
    def erase_while_it_is_asked_for(self, request: TenantRequest) -> None:
        """One of both wins; which, is theirs."""
        with ThreadPoolExecutor(2) as threads:
            made = threads.submit(self.world.create, request)
            self.world.change(request_erasure, self.world.ann, request)
            threads.submit(self.world.change, approve_erasure, self.world.ben, request).result()
        with suppress(TenantLeaves, RequestDiffers):
            made.result()

    @rule(fate=fates(12))
    def resume(self, fate: Fate) -> None:
        with fated(fate):
            resume_requests(self.world.runtime, person(), trace_id="history", seconds=0)

    @rule(fate=fates(12))
    def tell(self, fate: Fate) -> None:
        with fated(fate):
            tell_all(self.world.runtime, seconds=0)

    @rule(fate=fates(50))
    def carry_out(self, fate: Fate) -> None:
        with fated(fate):
            carry_out_all(self.world.runtime, seconds=0)

    @rule(fate=fates(6))
    def refill(self, fate: Fate) -> None:
        with fated(fate):
            make_slots(self.world.house.databases, CELL, 2)

    @rule()
    def drain(self) -> None:
        """The next one is made on the spot."""
        self.world.house.cell("UPDATE cell.slot SET state = 'retired' WHERE state = 'free'")

    @rule(newer=st.booleans())
    def release(self, *, newer: bool) -> None:
        """What is in the pool is of another release."""
        self.world.age_the_pool(newer=newer)

    @rule(fate=fates(20))
    def discard(self, fate: Fate) -> None:
        with fated(fate):
            discard_stale(self.world.house.databases, CELL)

    @invariant()
    def nothing_is_wrong_but_what_is_on_its_way(self) -> None:
        assert self.world.troubles(young=IN_FLIGHT) == ()

    def teardown(self) -> None:
        """One round of the dispatcher finishes whatever was left, and then nothing at all is wrong."""
        self.world.rounds()
        assert self.world.rounds() == [0, 0, 0, 0]
        assert self.world.troubles(young=0) == ()
        assert self.world.strays() == []
        keys = [request.key for request in self.asked]
        left = self.world.house.control("SELECT * FROM control.tenant WHERE request_key = ANY(%s)", keys)
        assert len({entry.request_key for entry in left}) == len(left)
        for entry in left:
            check = self.world.require_gone if entry.state == "dropped" else self.world.require_keys
            check(entry)


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
            phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes; a history of this length can be read
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


class TestAnyHistory:
    def test_leaves_registry_schemas_roles_and_keys_consistent(self, world: World):
        run(world, examples=4, steps=10)

    @pytest.mark.soak
    @pytest.mark.timeout(900)
    def test_leaves_them_consistent_also_when_it_is_long(self, world: World):
        run(world, examples=25, steps=20)
