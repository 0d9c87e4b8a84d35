"""Erasing what never became active: whoever still makes it loses, and nothing is left of either."""

from __future__ import annotations

from typing import Any

import pytest

from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.operations import creation, erasure
from app.tenancy.operations.creation import RequestDiffers, TenantRequest, create_tenant, resume_requests
from app.tenancy.operations.erasure import carry_out_all, withdraw_erasure
from app.tenancy.operations.leaving import TenantLeaves
from app.tenancy.operations.lifecycle import resume_tenant
from app.tenancy.operations.telling import tell_all
from app.tenancy.rules import WrongState
from app.vault.keepers.wrapping import KeyState
from app.vault.keyring import Keyring
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, person
from tests.integration.tenancy.lifecycle.steps import Killed, agree, ask, staff, states, told


@pytest.fixture
def request_(partner: Partner) -> TenantRequest:
    return TenantRequest(partner.id, kind="customer", name="Acme", key=new_id().hex)


def cut_off(runtime: Runtime, request: TenantRequest, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    """A creation that died right before this step."""

    def die(*_args: Any, **_named: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(creation, at, die)
        with pytest.raises(Killed):
            create_tenant(runtime, person(), request, trace_id="made")


def unborn(installation: Installation, partner: Partner, request: TenantRequest) -> Tenant:
    """What the directory knows of it: no place."""
    [row] = installation.control("SELECT id FROM control.tenant WHERE request_key = %s", request.key)
    return Tenant(row.id, partner.id, "customer", "Acme", "main", "", "", 0, "requested")


class TestErasingWhatIsWanted:
    @pytest.mark.parametrize("at", ["_found", "_activate"])
    def test_leaves_nothing_wherever_its_creation_stopped(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        request_: TenantRequest,
        monkeypatch: pytest.MonkeyPatch,
        at: str,
    ):
        cut_off(runtime, request_, monkeypatch, at)
        tenant = unborn(shared_installation, partner, request_)
        assert ask(runtime, staff(partner), tenant).state == "requested"
        assert agree(runtime, staff(partner, name="Bob"), tenant).state == "dropped"
        assert states(shared_installation, tenant) == ("dropped", "dropped")
        assert not shared_installation.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", tenant.id)
        assert runtime.service(Keyring).wrapping.states()[tenant.id] == KeyState.DESTROYED
        assert resume_requests(runtime, person(), trace_id="again", seconds=0) == 0
        with pytest.raises(RequestDiffers):
            create_tenant(runtime, person(), request_, trace_id="again")
        assert told(shared_installation, partner.home, tenant.id) == [
            "erasure.requested",
            "erasure.approved",
            "tenant.erased",
        ]

    @pytest.mark.parametrize("stop", ["_give_up", "_note_shredded", "drop_slot", "lookup_session"])
    def test_goes_on_after_the_process_has_died(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        request_: TenantRequest,
        monkeypatch: pytest.MonkeyPatch,
        stop: str,
    ):
        cut_off(runtime, request_, monkeypatch, "_activate")
        tenant, original = unborn(shared_installation, partner, request_), getattr(erasure, stop)

        def die(*args: Any, **named: Any) -> Any:
            if stop in {"_give_up", "drop_slot"}:
                original(*args, **named)
            raise Killed

        ask(runtime, staff(partner), tenant)
        with monkeypatch.context() as patched:
            patched.setattr(erasure, stop, die)
            with pytest.raises(Killed):
                agree(runtime, staff(partner, name="Bob"), tenant)
        with pytest.raises(TenantLeaves):
            create_tenant(runtime, person(), request_, trace_id="again")
        assert carry_out_all(runtime, seconds=0) == 1
        assert states(shared_installation, tenant) == ("dropped", "dropped")
        assert not shared_installation.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", tenant.id)

    def test_between_the_steps_of_a_creation_ends_it(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        request_: TenantRequest,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """Two people are quicker than the founding: it meets the end of its tenant, and makes no key after it."""
        original = creation._found

        def late(*args: Any, **named: Any) -> Tenant:
            tenant = unborn(shared_installation, partner, request_)
            ask(runtime, staff(partner), tenant)
            assert agree(runtime, staff(partner, name="Bob"), tenant).state == "dropped"
            return original(*args, **named)

        with monkeypatch.context() as patched:
            patched.setattr(creation, "_found", late)
            with pytest.raises(TenantLeaves):
                create_tenant(runtime, person(), request_, trace_id="made")
        tenant = unborn(shared_installation, partner, request_)
        assert states(shared_installation, tenant) == ("dropped", "dropped")
        assert runtime.service(Keyring).wrapping.states()[tenant.id] == KeyState.DESTROYED
        assert not shared_installation.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", tenant.id)

    def test_taken_back_is_told_in_its_own_trail_too(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        request_: TenantRequest,
        monkeypatch: pytest.MonkeyPatch,
    ):
        cut_off(runtime, request_, monkeypatch, "_found")
        tenant = unborn(shared_installation, partner, request_)
        ask(runtime, staff(partner), tenant)
        withdraw_erasure(runtime, staff(partner), tenant.id, reason="they stay", trace_id="erase")
        made = create_tenant(runtime, person(), request_, trace_id="again")
        tell_all(runtime, seconds=0)
        assert states(shared_installation, made) == ("active", "active")
        assert told(shared_installation, partner.home, tenant.id) == ["erasure.requested", "erasure.withdrawn"]
        assert told(shared_installation, made) == ["tenant.created", "erasure.withdrawn"]


class TestResuming:
    def test_makes_nothing_active_that_has_no_place(
        self,
        shared_installation: Installation,
        runtime: Runtime,
        partner: Partner,
        request_: TenantRequest,
        monkeypatch: pytest.MonkeyPatch,
    ):
        cut_off(runtime, request_, monkeypatch, "_found")
        tenant = unborn(shared_installation, partner, request_)
        with pytest.raises(WrongState):
            resume_tenant(runtime, staff(partner), tenant.id, reason="go", trace_id="trace")
        made = create_tenant(runtime, person(), request_, trace_id="again")
        assert states(shared_installation, made) == ("active", "active")
