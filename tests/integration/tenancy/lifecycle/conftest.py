"""A runtime that can found, seal and shred; a partner; a customer of that partner made for each test."""

from __future__ import annotations

import pytest

from app.bootstrap.seeding import seeder
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, make_runtime, person
from tests.factories.vault.files import files_in


@pytest.fixture(scope="module")
def runtime(shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    shared_installation.own_slots()
    folder = tmp_path_factory.mktemp("keys")
    create_keyring(folder / "keys", folder / "worker-keys")
    keyring = open_keyring(Program.WORKER, folder / "keys", folder / "worker-keys")
    services = {Keyring: keyring, Seeder: seeder(keyring), **files_in(folder)}
    return make_runtime(shared_installation.databases, services=services)


@pytest.fixture(scope="module")
def partner(shared_installation: Installation) -> Partner:
    return shared_installation.partner()


@pytest.fixture
def tenant(runtime: Runtime, partner: Partner) -> Tenant:
    request = TenantRequest(partner.id, kind="customer", name="Acme", key=new_id().hex)
    return create_tenant(runtime, person(), request, trace_id="made")
