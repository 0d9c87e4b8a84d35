"""A partner whose customers have secrets, and what one looks at to know that none of them is lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from app.bootstrap.seeding import seeder
from app.connectors.operations import ConnectionSetting, add_connection
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.keyring import Keyring
from app.vault.operations import open_door_secrets, put_connection_secret, put_door_secret, take_connection_secrets
from app.vault.operations.rotation import ask_rotation
from app.vault.rules import DoorPurpose, Program
from app.vault.secret import Secret
from tenants.engines import InstallationKey
from tenants.tenant import Tenant
from tests.canaries.marks import marked
from tests.cluster import Databases
from tests.factories.installation import make_databases, person
from tests.factories.main_job import MainJob, open_main_job
from tests.fixtures.installation import _cloned

_numbers = count(1)
DOOR = DoorPurpose.WEBHOOK_VERIFICATION


@dataclass
class Place:
    """One customer, a connection with secrets and a door with one."""

    shop: MainJob
    runtime: Runtime
    tenant: Tenant
    connection: UUID
    values: dict[str, str]

    @property
    def keyring(self) -> Keyring:
        """What a worker has."""
        return self.runtime.service(Keyring)

    def put(self, values: dict[str, str]) -> None:
        """Set secrets of the connection."""
        with open_work(self.runtime, self.tenant, self.shop.lead, trace_id="put") as work:
            for field, value in values.items():
                put_connection_secret(work, connection_id=self.connection, field=field, value=Secret(value))

    def opened(self) -> dict[str, str]:
        """Every secret of the connection, as a worker's run opens them, and the door's as the web program does."""
        web = replace(self.keyring, program=Program.WEB, worker_private=None)
        with open_work(self.runtime, self.tenant, person(), trace_id="open") as work:
            sealed = take_connection_secrets(work, connection_id=self.connection, run_id=self.connection)
            [door] = open_door_secrets(work, web, purpose=DOOR)
        found = {field: value.reveal() for field, value in sealed.open(self.keyring).items()}
        return found | {"door": door.reveal()}

    @contextmanager
    def elsewhere(self) -> Iterator[Place]:
        """The same customer as another process sees it, with connections of its own."""
        databases = make_databases(self.shop.installation.urls, self.shop.installation.key)
        try:
            yield replace(self, runtime=replace(self.runtime, databases=databases))
        finally:
            databases.close()

    def rotate(self, *, wrapping: bool = True, keys: bool = True) -> None:
        """Ask for it, as the operator's command does."""
        with self.shop.installation.work(self.tenant, trace_id="rotate") as work:
            ask_rotation(work, self.keyring, wrapping=wrapping, keys=keys)

    def versions(self) -> list[Any]:
        """(kind, key version) of every sealed row."""
        query = "SELECT DISTINCT kind, key_version FROM {}.secret ORDER BY kind, key_version"
        return [tuple(row) for row in self.shop.installation.rows(self.tenant, query)]

    def trail(self) -> list[str]:
        """What was written down about keys, oldest first."""
        query = "SELECT action, body FROM {}.trail WHERE action LIKE 'vault.keys.%%' ORDER BY id"
        rows = self.shop.installation.rows(self.tenant, query)
        return [f"{row.action.removeprefix('vault.keys.')} {row.body.get('key', '')}".strip() for row in rows]


def make_place(shop: MainJob, runtime: Runtime | None = None, *, secrets: int = 5) -> Place:
    """A new customer with secrets; `runtime` where its keys are kept elsewhere."""
    runtime, number = runtime or shop.runtime, next(_numbers)
    request = TenantRequest(shop.organisation_id, kind="customer", name=f"Customer {number}", key=f"place-{number}")
    tenant = create_tenant(runtime, shop.lead, request, trace_id="place")
    values = {f"field-{n}": marked(f"value-{number}-{n}") for n in range(secrets)}
    with shop.installation.work(tenant, shop.lead) as work:
        setting = ConnectionSetting("product_admin", "Product", {}, {k: Secret(v) for k, v in values.items()})
        connection = add_connection(work, setting)
        put_door_secret(
            work, runtime.service(Keyring), purpose=DOOR, field="client_secret", value=Secret(marked("at the door"))
        )
    return Place(shop, runtime, tenant, connection, values | {"door": marked("at the door")})


def with_keyring(shop: MainJob, keyring: Keyring) -> Runtime:
    """The same installation, whose keys somebody else keeps."""
    services = {**shop.runtime.services, Keyring: keyring, Seeder: seeder(keyring)}
    return replace(shop.runtime, services=services)


@pytest.fixture(scope="package")
def shop(
    installation_template: tuple[Databases, InstallationKey], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainJob]:
    """One partner for all of these tests: each makes customers of its own, and making a partner takes seconds."""
    with ExitStack() as stack:
        installation = stack.enter_context(_cloned(*installation_template))
        yield open_main_job(installation, tmp_path_factory.mktemp("vault-shop"), stack)


@pytest.fixture
def place(shop: MainJob) -> Place:
    """A customer with five secrets on a connection and one at a door."""
    return make_place(shop)
