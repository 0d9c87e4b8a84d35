"""A tenant is made once, however often its creation is killed, repeated or asked for at the same moment."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap.seeding import seeder
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.tenancy.operations import creation as operations
from app.tenancy.operations.creation import RequestDiffers, Seeder, TenantRequest, create_tenant, resume_requests
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.slots import gateways_with_slots
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation, Partner, make_runtime, person
from tests.factories.vault.files import files_in

CAUSE = {"cause_tenant_id": new_id(), "cause_entry_id": new_id(), "cause_leaf_hash": "ab" * 32}


class Killed(Exception):
    """The process died here."""


@pytest.fixture(scope="module")
def runtime(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    folder = tmp_path_factory.mktemp("keys")
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", Path(folder / "worker-keys"))
    services = {Keyring: keyring, Seeder: seeder(keyring), **files_in(folder)}
    return make_runtime(shared_installation.databases, services=services)


@pytest.fixture(scope="module")
def partner(shared_installation: Installation) -> Partner:
    return shared_installation.partner()


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Die once, right after the commit of a step, or right before the last one."""
    before, _space, step = request.param.rpartition(" ")
    original = getattr(operations, step)

    def die(*args: Any, **named: Any) -> Any:
        if not before:
            original(*args, **named)
        monkeypatch.setattr(operations, step, original)
        raise Killed

    monkeypatch.setattr(operations, step, die)


every_step = pytest.mark.parametrize("dying", ["_request", "_found", "before _activate", "_activate"], indirect=True)


def wanted(partner: Partner, **more: Any) -> TenantRequest:
    return TenantRequest(
        partner.id, **({"kind": "customer", "name": "Acme", "key": new_id().hex, "cause": CAUSE} | more)
    )


def make(runtime: Runtime, request: TenantRequest) -> Tenant:
    return create_tenant(runtime, person(), request, trace_id="made")


def check_whole(installation: Installation, request: TenantRequest) -> None:
    """One entry, one slot, one set of keys, one delegation, one first trail entry: the tenant is whole and alone."""
    [entry] = installation.control("SELECT * FROM control.tenant WHERE request_key = %s", request.key)
    assert (entry.state, entry.name) == ("active", request.name)
    [slot] = installation.cell("SELECT * FROM cell.slot WHERE tenant_id = %s", entry.id)
    assert (slot.schema_name, slot.role_name) == (entry.schema_name, entry.role_name)
    [state] = installation.cell("SELECT state FROM cell.tenant WHERE id = %s", entry.id)
    assert state.state == "active"
    schema = entry.schema_name
    assert [row.kind for row in installation.cell(f'SELECT kind FROM "{schema}".secret')] == ["keys"]  # noqa: S608 - our own schema
    assert len(installation.cell(f'SELECT id FROM "{schema}".delegation')) == 1  # noqa: S608 - as above
    first, *rest = installation.cell(f'SELECT action, body FROM "{schema}".trail ORDER BY id')  # noqa: S608 - as above
    assert first.action == "tenancy.tenant.created"
    assert first.body["cause_entry_id"] == str(CAUSE["cause_entry_id"])
    assert first.body["cause_leaf_hash"] == CAUSE["cause_leaf_hash"]
    assert "tenancy.tenant.created" not in [row.action for row in rest]


class TestCreateTenant:
    @every_step
    @pytest.mark.usefixtures("dying")
    def test_goes_on_after_a_kill_when_it_is_asked_again(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner
    ):
        request = wanted(partner)
        with pytest.raises(Killed):
            make(runtime, request)
        tenant = make(runtime, request)
        assert make(runtime, request) == tenant
        check_whole(shared_installation, request)

    @every_step
    @pytest.mark.usefixtures("dying")
    def test_is_finished_by_the_platform_when_nobody_asks_again(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner
    ):
        request = wanted(partner)
        with pytest.raises(Killed):
            make(runtime, request)
        resume_requests(runtime, person(), trace_id="resumed", seconds=0)
        assert resume_requests(runtime, person(), trace_id="resumed", seconds=0) == 0
        check_whole(shared_installation, request)

    @every_step
    @pytest.mark.usefixtures("dying")
    def test_lets_nobody_in_before_it_is_whole(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner
    ):
        request = wanted(partner)
        with pytest.raises(Killed):
            make(runtime, request)
        [entry] = shared_installation.control("SELECT * FROM control.tenant WHERE request_key = %s", request.key)
        trail = 0
        if entry.state == "active":
            trail = len(shared_installation.cell(f'SELECT id FROM "{entry.schema_name}".trail'))  # noqa: S608 - our own schema
        assert (entry.state == "active") == (trail > 0)

    def test_makes_one_tenant_for_two_who_ask_at_once(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner
    ):
        request, ready = wanted(partner), threading.Barrier(4)
        made: list[Tenant] = []

        def ask() -> None:
            ready.wait(10)
            made.append(make(runtime, request))

        threads = [threading.Thread(target=ask) for _each in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert [tenant.id for tenant in made] == [made[0].id] * 4
        check_whole(shared_installation, request)

    def test_makes_room_when_the_pool_is_empty(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner
    ):
        shared_installation.cell("UPDATE cell.slot SET state = 'retired' WHERE state = 'free'")
        request = wanted(partner)
        make(runtime, request)
        check_whole(shared_installation, request)

    def test_asks_who_has_room_instead_of_every_gateway(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """The pool has one place left, of the gateway whose turn comes last."""
        asked: list[int] = []
        original = operations._found_at

        def note(run: Runtime, actor: Any, request: Any, gateway: int, **named: Any) -> Tenant | None:
            asked.append(gateway)
            return original(run, actor, request, gateway, **named)

        monkeypatch.setattr(operations, "_found_at", note)
        turns = runtime.placement.gateways(CELL)
        role, _schema = shared_installation.free_slot(turns[0])  # the next tenant's turn begins one further
        shared_installation.cell(
            "UPDATE cell.slot SET state = 'retired' WHERE state = 'free' AND role_name <> %s", role
        )
        request = wanted(partner)
        assert make(runtime, request).role == role
        assert asked == [turns[1], turns[0]]
        check_whole(shared_installation, request)

    def test_waits_for_a_slot_that_its_gateway_may_not_enter_yet(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """A commit shows a new slot a moment before other server processes hear of its membership."""
        turns = runtime.placement.gateways(CELL)
        role, _schema = shared_installation.free_slot(turns[1])
        shared_installation.cell(
            "UPDATE cell.slot SET state = 'retired' WHERE state = 'free' AND role_name <> %s", role
        )
        gateway = runtime.databases.key.roles.gateway(turns[1])
        shared_installation.cell(f"REVOKE {role} FROM {gateway}")
        original = gateways_with_slots

        def heard(session: Any) -> set[int]:
            shared_installation.cell(f"GRANT {role} TO {gateway}")
            return original(session)

        monkeypatch.setattr(operations, "gateways_with_slots", heard)
        request = wanted(partner)
        assert make(runtime, request).role == role
        check_whole(shared_installation, request)

    @pytest.mark.parametrize("change", [{"name": "Umbrella"}, {"kind": "sandbox"}])
    def test_refuses_a_key_that_stands_for_another_tenant(self, runtime: Runtime, partner: Partner, change: Any):
        request = wanted(partner)
        make(runtime, request)
        with pytest.raises(RequestDiffers):
            make(runtime, wanted(partner, key=request.key, **change))

    def test_keeps_what_was_sold_first_where_the_request_says_so(self, runtime: Runtime, partner: Partner):
        first = wanted(partner, limits={"members": 1}, service_package="small", keeps_sold=True)
        other = {"key": first.key, "limits": {"members": 9}, "service_package": "large"}
        made = make(runtime, first)
        assert make(runtime, wanted(partner, **other, keeps_sold=True)) == made
        with pytest.raises(RequestDiffers):
            make(runtime, wanted(partner, **other))

    def test_keeps_the_keys_of_two_partners_apart(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner
    ):
        other = shared_installation.partner("Contoso")
        mine = wanted(partner)
        theirs = wanted(other, key=mine.key)
        assert make(runtime, mine).id != make(runtime, theirs).id


class TestResumeRequests:
    def test_finishes_the_others_when_one_cannot_be_finished(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, monkeypatch: pytest.MonkeyPatch
    ):
        stuck, whole = wanted(partner, name="Stuck"), wanted(partner, name="Whole")
        original = operations._seed

        def die(*_args: Any, **_named: Any) -> None:
            raise Killed

        monkeypatch.setattr(operations, "_seed", die)
        for request in (stuck, whole):
            with pytest.raises(Killed):
                make(runtime, request)

        def refuse(run: Runtime, work: Work, *rest: Any) -> None:
            if work.tenant.name == "Stuck":
                raise operations.NoRoom("no room for this one")
            original(run, work, *rest)

        monkeypatch.setattr(operations, "_seed", refuse)
        resume_requests(runtime, person(), trace_id="resumed", seconds=0)
        assert resume_requests(runtime, person(), trace_id="resumed", seconds=0) == 0
        left = shared_installation.control("SELECT name FROM control.tenant WHERE state = 'requested'")
        assert [entry.name for entry in left] == ["Stuck"]
        check_whole(shared_installation, whole)
