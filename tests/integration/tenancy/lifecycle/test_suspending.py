"""Suspending and resuming: control decides, the cell follows, both trails know, whatever dies in between."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from app.access.roles import Role
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import TenantNotActive, open_work
from app.tenancy.operations import creation, lifecycle, telling
from app.tenancy.operations.creation import TenantRequest, create_tenant
from app.tenancy.operations.lifecycle import resume_tenant, suspend_tenant
from app.tenancy.operations.telling import tell_all
from app.tenancy.rules import OwnHome, ReasonMissing, TenantUnknown, WrongState
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, person
from tests.integration.tenancy.lifecycle.steps import Killed, staff, states, suspend, told


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


class TestAWorkspaceThatMoves:
    @pytest.mark.parametrize("act", [suspend_tenant, resume_tenant])
    def test_is_left_at_rest(
        self, shared_installation: Installation, runtime: Runtime, partner: Partner, tenant: Tenant, act: Any
    ):
        """It may be at work in another installation by now: only what began to move it brings it back."""
        shared_installation.set_state(tenant, "exporting")
        with pytest.raises(WrongState):
            act(runtime, staff(partner), tenant.id, reason="go on", trace_id="trace")
        assert states(shared_installation, tenant) == ("exporting", "exporting")


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
