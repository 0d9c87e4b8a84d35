"""What an imported tenant is sold and called here: plan, region, quota, limits, external id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.kernel.ids import new_id
from app.tenancy.operations.creation import (
    ExternalIdTaken,
    NoRoom,
    PlanUnknown,
    QuotaReached,
    RequestDiffers,
    TenantRequest,
    create_tenant,
)
from app.tenancy.operations.telling import tell_all
from app.tenancy.operations.update import update_tenant
from app.tenancy.schemas import TenantPatch
from app.vault.keepers.wrapping import KeyState
from app.vault.keyring import Keyring
from app.web.security import Front
from tenants.tenant import Tenant
from tests.factories.bundles import Site
from tests.factories.installation import person
from tests.integration.tenancy.bundles.dying import Killed, dying, write_commands
from tests.integration.tenancy.lifecycle.steps import staff


@pytest.fixture(scope="module", autouse=True)
def plan(there: Site) -> None:
    there.installation.control(
        "INSERT INTO control.plan (key, name, weight, limits, made_at) VALUES ('gold', 'Gold', 3, %s, now())",
        '{"members": 20, "onboardings": 50}',
    )


@pytest.fixture
def bundle(here: Site, there: Site, tmp_path: Path) -> tuple[Tenant, Path]:
    """Of a tenant with an external id, a package and limits of its own."""
    own = {"members": 5, "onboardings": 500}
    request = TenantRequest(
        here.partner.id,
        kind="customer",
        name="Acme",
        key=new_id().hex,
        external_id=f"crm-{new_id().hex[-8:]}",
        service_package="silver",
        limits=own,
    )
    tenant = create_tenant(here.runtime, person(), request, trace_id="made")
    write_commands(here, tenant, 1)
    here.export(tenant, tmp_path / "x", there)
    return tenant, tmp_path / "x"


@pytest.fixture
def quota(there: Site) -> Iterator[int]:
    """There is room for one more."""
    count = "SELECT count(*) AS n FROM control.tenant WHERE kind = 'customer' AND state NOT IN ('shredded', 'dropped')"
    [row] = there.installation.control(count)
    limit = "UPDATE control.organisation SET limits = jsonb_build_object('tenants', %s::int) WHERE id = %s"
    there.installation.control(limit, row.n + 1, there.partner.id)
    yield row.n + 1
    there.installation.control("UPDATE control.organisation SET limits = NULL WHERE id = %s", there.partner.id)


def receive(there: Site, here: Site, path: Path, **said: Any) -> Tenant:
    return there.receive(path, here, said=said).tenant


def entry(site: Site, tenant: Tenant) -> Any:
    return site.installation.control("SELECT * FROM control.tenant WHERE id = %s", tenant.id)[0]


def in_cell(site: Site, tenant: Tenant) -> Any:
    return site.installation.cell("SELECT * FROM cell.tenant WHERE id = %s", tenant.id)[0]


def external_id(site: Site, tenant: Tenant) -> str:
    return str(entry(site, tenant).external_id)


class TestPlan:
    def test_is_the_one_that_is_said_and_narrower_limits_stay(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path]
    ):
        tenant, path = bundle
        receive(there, here, path, plan="gold")
        found = entry(there, tenant)
        assert (found.plan_key, found.limits, found.service_package) == ("gold", {"members": 5}, "silver")
        told = in_cell(there, tenant)
        assert (told.weight, told.limits) == (3, {"members": 5, "onboardings": 50})

    def test_is_none_where_none_is_said(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        receive(there, here, path)
        assert (entry(there, tenant).plan_key, entry(there, tenant).limits) == (None, entry(here, tenant).limits)
        assert (in_cell(there, tenant).weight, in_cell(there, tenant).limits) == (1, entry(here, tenant).limits)

    def test_and_region_must_be_there(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        with pytest.raises(PlanUnknown, match="platinum"):
            receive(there, here, path, plan="platinum")
        with pytest.raises(NoRoom):
            receive(there, here, path, region="moon")
        assert_untouched(there, tenant)

    def test_stays_the_one_it_was_begun_with(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        with pytest.raises(Killed):
            there.receive(path, here, said={"plan": "gold"}, progress=dying(1))
        there.installation.control(
            "INSERT INTO control.plan SELECT 'blue', name, weight, limits, made_at FROM control.plan"
        )
        with pytest.raises(RequestDiffers):
            receive(there, here, path, plan="blue")
        receive(there, here, path)
        assert entry(there, tenant).plan_key == "gold"

    def test_changed_while_it_arrives_reaches_the_cell(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        with pytest.raises(Killed):
            there.receive(path, here, progress=dying(1))
        runtime = there.runtime
        runtime.services[Front] = Front(scheme="http", port=None, cookie_id="x")
        update_tenant(
            runtime,
            staff(there.partner),
            tenant.id,
            TenantPatch(plan="gold", limits=None),
            versions=frozenset({"*"}),
            trace_id="changed",
        )
        receive(there, here, path)
        tell_all(runtime, seconds=0)
        assert (in_cell(there, tenant).weight, in_cell(there, tenant).limits["onboardings"]) == (3, 50)
        assert not entry(there, tenant).behind


class TestQuota:
    def test_is_kept_and_nothing_is_left_of_what_it_refuses(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path], quota: int, tmp_path: Path
    ):
        _tenant, path = bundle
        other = here.customer()
        here.export(other, tmp_path / "y", there)
        receive(there, here, path)
        with pytest.raises(QuotaReached):
            receive(there, here, tmp_path / "y")
        assert_untouched(there, other)

    def test_counts_an_import_that_has_not_arrived(
        self, here: Site, there: Site, bundle: tuple[Tenant, Path], quota: int, tmp_path: Path
    ):
        _tenant, path = bundle
        other = here.customer()
        here.export(other, tmp_path / "y", there)
        with pytest.raises(Killed):
            there.receive(path, here, progress=dying(1))
        with pytest.raises(QuotaReached):
            receive(there, here, tmp_path / "y")
        receive(there, here, path)  # it was counted when it began


class TestExternalId:
    def test_is_the_bundles_where_it_is_free(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        receive(there, here, path)
        assert external_id(there, tenant) == external_id(here, tenant)

    def test_is_none_where_the_bundles_is_taken(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        taken(there, external_id(here, tenant))
        receive(there, here, path)
        assert entry(there, tenant).external_id is None

    def test_that_is_said_and_taken_is_refused(self, here: Site, there: Site, bundle: tuple[Tenant, Path]):
        tenant, path = bundle
        name = f"taken-{new_id().hex[-8:]}"
        taken(there, name)
        with pytest.raises(ExternalIdTaken, match=name):
            receive(there, here, path, external_id=name)
        assert_untouched(there, tenant)
        receive(there, here, path, external_id=f"{name}-2")
        assert external_id(there, tenant) == f"{name}-2"


def taken(site: Site, name: str) -> None:
    request = TenantRequest(site.partner.id, kind="customer", name="Other", key=new_id().hex, external_id=name)
    create_tenant(site.runtime, person(), request, trace_id="made")


def assert_untouched(site: Site, tenant: Tenant) -> None:
    """Neither a line, nor a place, nor a key."""
    assert not site.installation.control("SELECT 1 FROM control.tenant WHERE id = %s", tenant.id)
    assert not site.installation.cell("SELECT 1 FROM cell.tenant WHERE id = %s", tenant.id)
    assert tenant.id not in site.runtime.service(Keyring).wrapping.states()
    assert KeyState.ACTIVE in site.runtime.service(Keyring).wrapping.states().values()
