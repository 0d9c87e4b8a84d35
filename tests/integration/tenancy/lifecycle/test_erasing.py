"""Erasing: two people, the key first, then everything; final, and finished by whoever comes next."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from app.access.duties import SecondPersonNeeded
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import TenantNotActive, open_work
from app.tenancy.operations import creation, erasure
from app.tenancy.operations.creation import TenantRequest, create_tenant
from app.tenancy.operations.erasure import (
    NoErasure,
    carry_out_all,
    forget_late,
    read_erasure,
    withdraw_erasure,
)
from app.tenancy.operations.lifecycle import resume_tenant
from app.tenancy.rules import WrongState
from app.vault.files.folder import FileFolder, Incoming
from app.vault.keepers.wrapping import KeyMissing
from app.vault.keyring import Keyring
from tenants.moving.freezing import move_state
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, person
from tests.integration.tenancy.lifecycle.steps import Killed, agree, ask, staff, states, suspend, told


def leave_a_file(folder: FileFolder, tenant: Tenant) -> None:
    """One that is there, and one on its way."""
    for address in ("a" * 64, ""):
        incoming = Incoming(tenant.id, new_id(), new_id())
        with folder.receive(incoming) as file:
            file.write(b"sealed")
        if address:
            folder.publish(incoming, address)
            folder.settle(incoming)


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
        folder = runtime.service(FileFolder)
        leave_a_file(folder, tenant)
        ask(runtime, staff(partner), tenant)
        done = agree(runtime, staff(partner, name="Bob"), tenant)
        assert done.state == "dropped"
        assert done.effective_at is not None
        assert done.dropped_at is not None
        assert states(shared_installation, tenant) == ("dropped", "dropped")
        assert shared_installation.cell("SELECT 1 FROM pg_namespace WHERE nspname = %s", tenant.schema) == []
        assert shared_installation.cell("SELECT 1 FROM pg_roles WHERE rolname = %s", tenant.role) == []
        assert shared_installation.cell("SELECT 1 FROM cell.slot WHERE schema_name = %s", tenant.schema) == []
        assert not (folder.path / str(tenant.id)).exists()
        assert folder.waiting() == {}
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
