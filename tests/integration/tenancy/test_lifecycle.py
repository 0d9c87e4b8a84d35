"""Suspending, resuming and erasing: control decides, the cell follows, both trails know, whatever dies in between."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app.access.roles import Role
from app.bootstrap.seeding import seeder
from app.kernel.actor import Actor
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import TenantNotActive, open_work
from app.tenancy.operations import creation, erasure, lifecycle, telling
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.tenancy.operations.erasure import (
    NoErasure,
    SecondPersonNeeded,
    approve_erasure,
    carry_out_all,
    forget_late,
    read_erasure,
    request_erasure,
    withdraw_erasure,
)
from app.tenancy.operations.lifecycle import resume_tenant, suspend_tenant
from app.tenancy.operations.telling import tell_all
from app.tenancy.rules import OwnHome, ReasonMissing, TenantUnknown, WrongState
from app.vault.keepers.wrapping import KeyMissing
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.moving.freezing import move_state
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, make_runtime, person


class Killed(Exception):
    """The process died here."""


@pytest.fixture(scope="module")
def runtime(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    folder = tmp_path_factory.mktemp("keys")
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
    services = {Keyring: keyring, Seeder: seeder(keyring)}
    return make_runtime(shared_installation.databases, services=services)


@pytest.fixture(scope="module")
def partner(shared_installation: Installation) -> Partner:
    return shared_installation.partner()


def staff(partner: Partner, role: str = Role.PARTNER_ADMIN, name: str = "Ann") -> Actor:
    return person(name, organisation_id=partner.id, roles=frozenset({role}))


@pytest.fixture
def tenant(runtime: Runtime, partner: Partner) -> Tenant:
    request = TenantRequest(partner.id, kind="customer", name="Acme", key=new_id().hex)
    return create_tenant(runtime, person(), request, trace_id="made")


def states(installation: Installation, tenant: Tenant) -> tuple[str, str]:
    [entry] = installation.control("SELECT state, behind FROM control.tenant WHERE id = %s", tenant.id)
    [cell] = installation.cell("SELECT state FROM cell.tenant WHERE id = %s", tenant.id)
    assert not entry.behind
    return entry.state, cell.state


def told(installation: Installation, tenant: Tenant, about: UUID | None = None) -> list[str]:
    rows = installation.rows(
        tenant,
        "SELECT action FROM {}.trail WHERE subject_id = %s AND action LIKE 'tenancy.%%' ORDER BY id",
        about or tenant.id,
    )
    return [row.action.removeprefix("tenancy.") for row in rows]


def suspend(runtime: Runtime, actor: Actor, tenant: Tenant, reason: str = "unpaid") -> None:
    suspend_tenant(runtime, actor, tenant.id, reason=reason, trace_id="trace")


class TestSuspending:
    def test_stops_all_work_and_is_in_both_trails(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        suspend(runtime, staff(partner), tenant)
        assert states(shared_installation, tenant) == ("suspended", "suspended")
        with pytest.raises(TenantNotActive), open_work(runtime, tenant, person(), trace_id="t"):
            pass
        assert told(shared_installation, tenant) == ["tenant.created", "tenant.suspended"]
        assert told(shared_installation, partner.home, tenant.id) == ["tenant.suspended"]
        [entry] = shared_installation.rows(tenant, "SELECT * FROM {}.trail WHERE action = 'tenancy.tenant.suspended'")
        assert (entry.reason, entry.actor_name, entry.trace_id) == ("unpaid", "Ann", "trace")

    def test_is_done_once_however_often_it_is_asked(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        for _each in range(3):
            suspend(runtime, staff(partner), tenant)
        assert told(shared_installation, tenant).count("tenant.suspended") == 1

    def test_ends_when_it_is_resumed(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        suspend(runtime, staff(partner), tenant)
        resume_tenant(runtime, staff(partner), tenant.id, reason="paid", trace_id="trace")
        assert states(shared_installation, tenant) == ("active", "active")
        with open_work(runtime, tenant, person(), trace_id="t"):
            pass
        assert told(shared_installation, tenant) == ["tenant.created", "tenant.suspended", "tenant.resumed"]

    @pytest.mark.parametrize("stop", ["_write_down", "lookup_session", "registry_session"])
    def test_is_told_later_when_the_process_dies(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        tenant: Tenant,
        monkeypatch: pytest.MonkeyPatch,
        stop: str,
    ):
        def die(*_args: Any, **_named: Any) -> Any:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(telling, stop, die)
            with pytest.raises(Killed):
                suspend(runtime, staff(partner), tenant)
        [entry] = shared_installation.control("SELECT state, behind FROM control.tenant WHERE id = %s", tenant.id)
        assert (entry.state, entry.behind) == ("suspended", True)
        assert tell_all(runtime, seconds=0) == 1
        assert tell_all(runtime, seconds=0) == 0
        assert states(shared_installation, tenant) == ("suspended", "suspended")
        assert told(shared_installation, tenant).count("tenant.suspended") == 1
        assert told(shared_installation, partner.home, tenant.id).count("tenant.suspended") == 1

    def test_loses_no_entry_when_the_next_change_comes_before_the_first_was_told(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        tenant: Tenant,
        monkeypatch: pytest.MonkeyPatch,
    ):
        with monkeypatch.context() as patched:
            patched.setattr(lifecycle, "tell_cell", lambda *_args: None)
            suspend(runtime, staff(partner), tenant)
        resume_tenant(runtime, staff(partner), tenant.id, reason="paid", trace_id="trace")
        assert told(shared_installation, tenant) == ["tenant.created", "tenant.suspended", "tenant.resumed"]

    def test_leaves_one_state_when_many_change_it_at_once(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        def change(number: int) -> None:
            act = suspend_tenant if number % 2 else resume_tenant
            with suppress(Conflict):
                act(runtime, staff(partner), tenant.id, reason="race", trace_id="trace")

        threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        tell_all(runtime, seconds=0)
        control, cell = states(shared_installation, tenant)
        assert control == cell
        entries = told(shared_installation, tenant)[1:]
        assert entries == ["tenant.suspended", "tenant.resumed"] * (len(entries) // 2) + ["tenant.suspended"] * (
            len(entries) % 2
        )


class TestWhoMay:
    def test_is_asked_of_the_role(self, runtime: Runtime, partner: Partner, tenant: Tenant):
        from app.access.require import NotPermitted

        with pytest.raises(NotPermitted):
            suspend(runtime, staff(partner, Role.CSM), tenant)

    def test_reaches_no_other_partners_tenant(
        self, shared_installation: Installation, runtime: Runtime, tenant: Tenant
    ):
        stranger = shared_installation.partner("Contoso")
        with pytest.raises(TenantUnknown):
            suspend(runtime, staff(stranger), tenant)
        assert states(shared_installation, tenant) == ("active", "active")

    def test_reaches_the_tenants_of_partners_below(
        self, shared_installation: Installation, runtime: Runtime, tenant: Tenant
    ):
        operator = person(organisation_id=shared_installation.platform, roles=frozenset({Role.OPERATOR}))
        suspend(runtime, operator, tenant)
        assert states(shared_installation, tenant) == ("suspended", "suspended")

    def test_locks_nobody_out_of_their_own_home(self, runtime: Runtime, partner: Partner):
        with pytest.raises(OwnHome):
            suspend(runtime, staff(partner), partner.home)

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_needs_a_reason(self, runtime: Runtime, partner: Partner, tenant: Tenant, reason: str):
        with pytest.raises(ReasonMissing):
            suspend(runtime, staff(partner), tenant, reason)


def ask(runtime: Runtime, actor: Actor, tenant: Tenant) -> Any:
    return request_erasure(runtime, actor, tenant.id, reason="contract ended", trace_id="erase")


def agree(runtime: Runtime, actor: Actor, tenant: Tenant) -> Any:
    return approve_erasure(runtime, actor, tenant.id, reason="agreed", trace_id="erase")


class TestErasing:
    def test_needs_two_people(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        ann = staff(partner)
        assert ask(runtime, ann, tenant).state == "requested"
        with pytest.raises(SecondPersonNeeded):
            agree(runtime, ann, tenant)
        assert states(shared_installation, tenant) == ("active", "active")

    def test_destroys_the_key_and_drops_everything(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        backup = shared_installation.rows(tenant, "SELECT sealed FROM {}.secret WHERE kind = 'keys'")
        assert backup
        ask(runtime, staff(partner), tenant)
        done = agree(runtime, staff(partner, name="Bob"), tenant)
        assert done.state == "dropped"
        assert done.effective_at is not None
        assert done.dropped_at is not None
        assert states(shared_installation, tenant) == ("dropped", "dropped")
        assert shared_installation.cell("SELECT 1 FROM pg_namespace WHERE nspname = %s", tenant.schema) == []
        assert shared_installation.cell("SELECT 1 FROM pg_roles WHERE rolname = %s", tenant.role) == []
        assert shared_installation.cell("SELECT 1 FROM cell.slot WHERE schema_name = %s", tenant.schema) == []
        for table in ("outbox", "job", "timer", "inbox"):
            query = f"SELECT 1 FROM cell.{table} WHERE tenant_id = %s"  # noqa: S608 - our own tables
            assert shared_installation.cell(query, tenant.id) == []
        keyring = runtime.service(Keyring)
        with pytest.raises(KeyMissing):
            keyring.wrapping.unwrap(tenant.id, backup[0].sealed, purpose="dek:1")
        assert told(shared_installation, partner.home, tenant.id) == [
            "erasure.requested",
            "erasure.approved",
            "tenant.erased",
        ]

    def test_can_be_taken_back_until_somebody_agrees(self, runtime: Runtime, partner: Partner, tenant: Tenant):
        with pytest.raises(NoErasure):
            read_erasure(runtime, staff(partner), tenant.id)
        ask(runtime, staff(partner), tenant)
        gone = withdraw_erasure(runtime, staff(partner), tenant.id, reason="they stay", trace_id="erase")
        assert gone.state == "withdrawn"
        with pytest.raises(NoErasure):
            agree(runtime, staff(partner, name="Bob"), tenant)
        assert ask(runtime, staff(partner), tenant).state == "requested"

    @pytest.mark.parametrize("stop", ["destroy_keys", "_note_shredded", "drop_slot", "lookup_session"])
    def test_goes_on_after_the_process_has_died(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        tenant: Tenant,
        monkeypatch: pytest.MonkeyPatch,
        stop: str,
    ):
        original = getattr(erasure, stop)

        def die(*args: Any, **named: Any) -> Any:
            if stop in {"destroy_keys", "drop_slot"}:
                original(*args, **named)
            raise Killed

        ask(runtime, staff(partner), tenant)
        with monkeypatch.context() as patched:
            patched.setattr(erasure, stop, die)
            with pytest.raises(Killed):
                agree(runtime, staff(partner, name="Bob"), tenant)
        with pytest.raises((TenantNotActive, psycopg.Error)), open_work(runtime, tenant, person(), trace_id="t"):
            pass
        assert carry_out_all(runtime, seconds=0) == 1
        assert carry_out_all(runtime, seconds=0) == 0
        assert states(shared_installation, tenant) == ("dropped", "dropped")
        assert told(shared_installation, partner.home, tenant.id).count("tenant.erased") == 1

    def test_makes_nothing_anew_under_the_same_request(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner
    ):
        request = TenantRequest(partner.id, kind="customer", name="Acme", key=new_id().hex)
        tenant = create_tenant(runtime, person(), request, trace_id="made")
        ask(runtime, staff(partner), tenant)
        agree(runtime, staff(partner, name="Bob"), tenant)
        with pytest.raises(creation.RequestDiffers):
            create_tenant(runtime, person(), request, trace_id="made")
        assert shared_installation.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", tenant.id) == []

    def test_is_not_for_what_is_gone(self, runtime: Runtime, partner: Partner, tenant: Tenant):
        ask(runtime, staff(partner), tenant)
        agree(runtime, staff(partner, name="Bob"), tenant)
        with pytest.raises(WrongState):
            ask(runtime, staff(partner), tenant)
        with pytest.raises(WrongState):
            suspend(runtime, staff(partner), tenant)

    def test_is_final_once_two_have_agreed(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        tenant: Tenant,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """The vault may be away for hours: nobody may work meanwhile in what is erased when it is back."""
        ask(runtime, staff(partner), tenant)
        with monkeypatch.context() as patched:
            patched.setattr(erasure, "carry_out", lambda *_args: None)
            agree(runtime, staff(partner, name="Bob"), tenant)
        with pytest.raises(WrongState, match="Two people"):
            resume_tenant(runtime, staff(partner), tenant.id, reason="no", trace_id="trace")
        assert not move_state(runtime.databases, tenant, before=["exporting"], after="active")  # as a cancelled export
        assert states(shared_installation, tenant) == ("exporting", "exporting")
        assert carry_out_all(runtime, seconds=60) == 0  # it is left to whoever agreed a moment ago
        assert carry_out_all(runtime, seconds=0) == 1

    def test_waits_for_an_export(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        ask(runtime, staff(partner), tenant)
        shared_installation.set_state(tenant, "exporting")
        with pytest.raises(WrongState, match="being exported"):
            agree(runtime, staff(partner, name="Bob"), tenant)
        shared_installation.set_state(tenant, "active")
        assert agree(runtime, staff(partner, name="Bob"), tenant).state == "dropped"

    def test_goes_on_though_a_change_came_between_the_cell_and_control(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        tenant: Tenant,
        monkeypatch: pytest.MonkeyPatch,
    ):
        def die(*_args: Any) -> None:
            raise Killed

        ask(runtime, staff(partner), tenant)
        with monkeypatch.context() as patched:
            patched.setattr(erasure, "_note_shredded", die)
            with pytest.raises(Killed):
                agree(runtime, staff(partner, name="Bob"), tenant)
        shared_installation.control("UPDATE control.tenant SET behind = true WHERE id = %s", tenant.id)
        assert carry_out_all(runtime, seconds=0) == 1
        assert states(shared_installation, tenant) == ("dropped", "dropped")

    def test_is_done_once_when_two_carry_it_out_at_once(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        tenant: Tenant,
        monkeypatch: pytest.MonkeyPatch,
    ):
        ask(runtime, staff(partner), tenant)
        with monkeypatch.context() as patched:
            patched.setattr(erasure, "carry_out", lambda *_args: None)
            agree(runtime, staff(partner, name="Bob"), tenant)
        ready = threading.Barrier(3)

        def carry() -> None:
            ready.wait(10)
            carry_out_all(runtime, seconds=0)

        threads = [threading.Thread(target=carry) for _each in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        carry_out_all(runtime, seconds=0)
        assert states(shared_installation, tenant) == ("dropped", "dropped")
        assert shared_installation.cell("SELECT 1 FROM pg_roles WHERE rolname = %s", tenant.role) == []

    def test_forgets_people_who_belong_to_nothing_else(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant
    ):
        made = "INSERT INTO control.person (id, email, name, locale, made_at) VALUES (%s, %s, 'X', 'en', now())"
        belongs = (
            "INSERT INTO control.membership (person_id, tenant_id, organisation_id, made_at) VALUES (%s, %s, %s, now())"
        )
        alone, elsewhere = new_id(), new_id()
        for each in (alone, elsewhere):
            shared_installation.control(made, each, f"{each}@acme.example")
            shared_installation.control(belongs, each, tenant.id, partner.id)
        shared_installation.control(belongs, elsewhere, partner.home.id, partner.id)
        ask(runtime, staff(partner), tenant)
        agree(runtime, staff(partner, name="Bob"), tenant)
        left = shared_installation.control("SELECT id FROM control.person WHERE id = ANY(%s)", [alone, elsewhere])
        assert [row.id for row in left] == [elsewhere]
        # A transaction that was under way writes late: the platform's round forgets it again.
        shared_installation.control(made, alone, f"{alone}@acme.example")
        shared_installation.control(belongs, alone, tenant.id, partner.id)
        forget_late(runtime)
        assert shared_installation.control("SELECT 1 FROM control.person WHERE id = %s", alone) == []
        [entry] = shared_installation.control("SELECT name, change FROM control.tenant WHERE id = %s", tenant.id)
        assert (entry.name, entry.change) == ("", None)


class TestASlowTeller:
    def test_undoes_no_newer_change(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        tenant: Tenant,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """It has read the suspension, sleeps, and wakes after the tenant was resumed and everybody was told."""
        original = telling._follow
        slept: list[Any] = []

        def sleep(*args: Any) -> bool:
            slept.append(args)
            return False

        with monkeypatch.context() as patched:
            patched.setattr(telling, "_follow", sleep)
            suspend(runtime, staff(partner), tenant)
        resume_tenant(runtime, staff(partner), tenant.id, reason="paid", trace_id="trace")
        assert original(*slept[0]) is False
        assert states(shared_installation, tenant) == ("active", "active")


class TestAChangeBeforeThePlace:
    def test_reaches_the_cell_once_there_is_one(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, monkeypatch: pytest.MonkeyPatch
    ):
        """The plan's limits are read, the tenant is founded slowly, and in between its limits are changed."""
        request = TenantRequest(partner.id, kind="customer", name="Acme", key=new_id().hex, limits={"members": 5})
        original = creation._found

        def change_first(*args: Any, **named: Any) -> Tenant:
            change = telling.Change(
                new_id(), "tenancy.tenant.changed", person(), "why", "trace", {"changed": ["limits"]}
            )
            shared_installation.control(
                "UPDATE control.tenant SET limits = '{\"members\": 2}', change = %s, changed_at = now(), behind = true"
                " WHERE request_key = %s",
                Jsonb(change.stored()),
                request.key,
            )
            assert tell_all(runtime, seconds=0) == 0
            return original(*args, **named)

        with monkeypatch.context() as patched:
            patched.setattr(creation, "_found", change_first)
            tenant = create_tenant(runtime, person(), request, trace_id="made")
        assert tell_all(runtime, seconds=0) == 1
        [row] = shared_installation.cell("SELECT limits FROM cell.tenant WHERE id = %s", tenant.id)
        assert row.limits == {"members": 2}
