"""What is measured on: a PostgreSQL with fsync on and a Valkey of this run, and installations of the product."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from app.bootstrap.seeding import seeder
from app.bootstrap.wiring import declare_everything
from app.demo.servers import EmbeddedServers
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.settings import DOCUMENTED
from app.tenancy.folder import BundleFolder
from app.tenancy.operations.creation import Seeder, TenantRequest, create_tenant
from app.vault.keyring import Keyring, create_keyring, open_keyring
from app.vault.rules import Program
from tenants.schema.install import install
from tenants.tenant import Tenant
from tests.benchmarks.measure import say
from tests.cluster import Cluster
from tests.factories.installation import GATEWAYS, Installation
from tests.factories.main_job import MainJob, open_main_job
from tests.factories.vault.files import files_in

# A server as docs/configuration.md advises, not one for a laptop: it holds the pages of a thousand workspaces at work.
SERVER = {"shared_buffers": "2GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}


class DurableCluster(Cluster):
    """The tests' cluster, except that a commit is on the disk when it returns, and that it has memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.servers = EmbeddedServers(folder / ".slipway", fsync=True, settings=SERVER)


@dataclass(frozen=True)
class Ground:
    """The servers and a folder of one run. Every group has an installation of its own."""

    cluster: DurableCluster
    folder: Path

    @contextmanager
    def installation(self, *, gateways: int = GATEWAYS) -> Iterator[Installation]:
        """An installation whose new tenants get their keys and default delegation, with an empty pool."""
        urls = self.cluster.create_databases()
        key = install(control_url=urls.control_url, cell_urls={"main": urls.cell_url}, gateways=gateways)
        one = Installation(urls, key, gateways=gateways)
        place = Path(tempfile.mkdtemp(dir=self.folder))
        create_keyring(place / "keys", place / "worker-keys")
        keyring = open_keyring(Program.WORKER, place / "keys", place / "worker-keys")
        bundles = BundleFolder(place / "bundles", 1 << 20, timedelta(hours=1), frozenset())
        services = {Keyring: keyring, Seeder: seeder(keyring), BundleFolder: bundles, **files_in(place)}
        one.runtime = replace(one.runtime, services=services)
        try:
            yield one
        finally:
            one.close()
            self.cluster.drop_databases(urls)

    @contextmanager
    def main_job(self) -> Iterator[MainJob]:
        """A partner with its template, its CRM and its product, ready to sell."""
        with self.installation() as installation, ExitStack() as stack:
            yield open_main_job(installation, Path(tempfile.mkdtemp(dir=self.folder)), stack)


@contextmanager
def opened() -> Iterator[Ground]:
    """Start the servers in a temporary folder; everything is gone afterwards."""
    declare_everything()
    folder = Path(tempfile.mkdtemp(prefix="slipway-bench-"))
    cluster = DurableCluster(folder)
    say("starting PostgreSQL (fsync on) and Valkey")
    try:
        cluster.servers.start()
        yield Ground(cluster, folder)
    finally:
        cluster.servers.stop()
        shutil.rmtree(folder)


def default_of(setting: str) -> int:
    """What an installation has where nobody has set it."""
    return int(next(entry.default for entry in DOCUMENTED if entry.name == setting and entry.default))


def new_tenant(installation: Installation, organisation_id: UUID, actor: Actor, name: str = "Acme") -> Tenant:
    """One tenant through the product's own operation."""
    request = TenantRequest(organisation_id, kind="customer", name=name, key=new_id().hex)
    return create_tenant(installation.runtime, actor, request, trace_id="bench")
