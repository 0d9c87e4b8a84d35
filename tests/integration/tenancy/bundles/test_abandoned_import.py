"""An import that nobody finishes: the doctor names it, two people erase it, and one that still goes on loses."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from app.tenancy.bundles import arrival, importing
from app.tenancy.bundles.errors import TenantIsHere
from app.tenancy.operations import erasure
from app.tenancy.operations.erasure import carry_out_all
from app.tenancy.operations.leaving import TenantLeaves
from app.vault.keepers.wrapping import KeyMissing, KeyState
from app.vault.keyring import Keyring
from tenants.consistency import Trouble, examine_installation
from tenants.slots import activate
from tenants.tenant import Tenant
from tests.factories.bundles import Site
from tests.factories.installation import CELL
from tests.integration.tenancy.bundles.dying import Killed, dying, write_commands
from tests.integration.tenancy.lifecycle.steps import agree, ask, staff

_FORGOTTEN: set[str] = set()


@pytest.fixture
def bundle(here: Site, there: Site, tmp_path: Path, small_parts: None) -> tuple[Tenant, Path]:
    tenant = here.customer()
    write_commands(here, tenant, 60)
    member = "INSERT INTO {}.member VALUES (%s, %s, 'Ann', 'owner', 'en', 'active', now())"
    here.installation.rows(tenant, member, tenant.id, f"ann-{tenant.id.hex}@example.test")
    here.export(tenant, tmp_path / "x", there)
    there.installation.own_slots()  # what they leave behind is no orphan of these tests
    _FORGOTTEN.update(t.subject for t in troubles(there, young=0) if t.kind == "schema without slot")
    return tenant, tmp_path / "x"


def erase(site: Site, tenant: Tenant) -> str:
    """Two people agree. Returns how far it came."""
    ask(site.runtime, staff(site.partner), tenant)
    done: str = agree(site.runtime, staff(site.partner, name="Bob"), tenant).state
    return done


def assert_gone(site: Site, tenant: Tenant) -> None:
    """Nothing of it is left but its tombstones."""
    assert site.state(tenant) == ("dropped", "dropped")
    assert not site.installation.cell("SELECT 1 FROM cell.slot WHERE tenant_id = %s", tenant.id)
    orphans = [trouble for trouble in troubles(site, young=0) if trouble.kind == "schema without slot"]
    assert not {trouble.subject for trouble in orphans} - _FORGOTTEN
    assert site.runtime.service(Keyring).wrapping.states()[tenant.id] == KeyState.DESTROYED
    assert not site.installation.control("SELECT 1 FROM control.membership WHERE tenant_id = %s", tenant.id)


def troubles(site: Site, *, young: int) -> list[Trouble]:
    urls = site.installation.urls
    found = examine_installation(
        site.installation.key, control_url=urls.control_url, cell_urls={CELL: urls.cell_url}, young=young
    )
    return list(found.troubles)


class TestAbandonedImport:
    def test_is_named_by_the_doctor(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        with pytest.raises(Killed):
            there.receive(path, here, progress=dying(2))
        about = f"tenant {tenant.id}"
        assert about not in {trouble.subject for trouble in troubles(there, young=600)}
        [found] = [trouble for trouble in troubles(there, young=0) if trouble.subject == about]
        assert found.kind == "import stuck"
        assert "slipway tenants import" in found.mend

    @pytest.mark.parametrize("part", [1, 3])
    def test_is_erased_by_two_people(self, here: Site, there: Site, bundle: tuple[Tenant, Path], part: int):
        tenant, path = bundle
        with pytest.raises(Killed):
            there.receive(path, here, progress=dying(part))
        assert erase(there, tenant) == "dropped"
        assert_gone(there, tenant)
        with pytest.raises(KeyMissing):
            there.receive(path, here)
        assert_gone(there, tenant)

    @pytest.mark.parametrize("step", ["_claim", "_settle", "index_membership", "_activate", "update"])
    def test_is_erased_wherever_it_stopped(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path], monkeypatch: pytest.MonkeyPatch, step: str
    ):
        """Before the slot, before and after everything is there, and where only the directory does not know."""
        tenant, path = bundle

        def die(*_args: Any, **_named: Any) -> Any:
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(arrival, step, die)
            with pytest.raises(Killed):
                there.receive(path, here)
        assert erase(there, tenant) == "dropped"
        assert_gone(there, tenant)

    @pytest.mark.parametrize("stop", ["_give_up", "_note_shredded", "drop_slot", "lookup_session"])
    def test_is_erased_though_the_eraser_dies(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path], monkeypatch: pytest.MonkeyPatch, stop: str
    ):
        tenant, path = bundle
        with pytest.raises(Killed):
            there.receive(path, here, progress=dying(1))
        original = getattr(erasure, stop)

        def die(*args: Any, **named: Any) -> Any:
            if stop in {"_give_up", "drop_slot"}:
                original(*args, **named)
            raise Killed

        with monkeypatch.context() as patched:
            patched.setattr(erasure, stop, die)
            with pytest.raises(Killed):
                erase(there, tenant)
        with pytest.raises((KeyMissing, TenantIsHere)):
            there.receive(path, here)
        about = f"tenant {tenant.id}"
        [found] = [trouble for trouble in troubles(there, young=0) if trouble.subject == about]
        assert found.kind == "erasure stuck"
        assert carry_out_all(there.runtime, seconds=0) == 1
        assert_gone(there, tenant)


class TestErasingWhileItIsImported:
    @pytest.mark.parametrize("at", [1, 2, 3])
    def test_ends_the_import(self, here: Site, there: Site, bundle: tuple[Tenant, Path], at: int):
        tenant, path = bundle
        seen = 0

        def between(table: str, _rows: int) -> None:
            nonlocal seen
            seen += table == "tenant/command"
            if seen == at and table == "tenant/command":
                erase(there, tenant)

        with pytest.raises(TenantLeaves):
            there.receive(path, here, progress=between)
        carry_out_all(there.runtime, seconds=0)
        assert_gone(there, tenant)

    @pytest.mark.parametrize("step", ["place_of_import", "arrive"])
    def test_ends_it_before_its_first_and_its_last_step(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path], monkeypatch: pytest.MonkeyPatch, step: str
    ):
        tenant, path = bundle
        original = getattr(importing, step)

        def late(*args: Any, **named: Any) -> Any:
            erase(there, tenant)
            return original(*args, **named)

        with monkeypatch.context() as patched:
            patched.setattr(importing, step, late)
            with pytest.raises(TenantLeaves):
                there.receive(path, here)
        assert_gone(there, tenant)

    def test_ends_it_between_the_last_two_commits(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path], monkeypatch: pytest.MonkeyPatch
    ):
        """The cell says active already when two people agree: the directory never does."""
        tenant, path = bundle
        original = activate

        def late(*args: Any, **named: Any) -> Any:
            original(*args, **named)
            args[0].commit()
            erase(there, tenant)

        with monkeypatch.context() as patched:
            patched.setattr(arrival, "activate", late)
            with pytest.raises(TenantLeaves):
                there.receive(path, here)
        carry_out_all(there.runtime, seconds=0)
        assert_gone(there, tenant)

    def test_at_once_one_of_both_wins(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        begun, ended = threading.Event(), list[object]()

        def run() -> None:
            try:
                ended.append(there.receive(path, here, progress=lambda *_seen: begun.set()).tenant.id)
            except TenantLeaves as trouble:
                ended.append(trouble)

        thread = threading.Thread(target=run)
        _ = there.partner
        thread.start()
        begun.wait(20)
        erase(there, tenant)
        thread.join(60)
        carry_out_all(there.runtime, seconds=0)
        assert len(ended) == 1
        assert_gone(there, tenant)
