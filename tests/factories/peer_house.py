"""An installation on a chosen server: the product's own PostgreSQL, another maker's, or one behind PgBouncer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tenants.schema.install import install
from tenants.slots import make_slots
from tests import cluster
from tests.factories.installation import CELL, GATEWAYS, Installation, make_databases, make_runtime
from tests.factories.peers import PeerServers, PgBouncer, find_pgbouncer

OWN = "postgres 18.6"
PEERS = (OWN, "postgres 16", "pgbouncer", "postgres 18.4")


class PeerHouse(Installation):
    """An installation whose tests know where it runs. `admin_url` is that server's superuser."""

    peer = OWN
    admin_url = ""

    @property
    def pooled_elsewhere(self) -> bool:
        """Whether a connection of ours may meet another server process in each transaction."""
        return self.peer == "pgbouncer"


@contextmanager
def open_house(peer: str, folder: Path) -> Iterator[PeerHouse]:
    """A fresh installation with a few free slots on that server; what it took is stopped afterwards."""
    with ExitStack() as stack:
        if peer == OWN:
            servers = cluster.cluster()
        else:
            servers = cluster.Cluster(folder)
            servers.servers = PeerServers(folder / ".slipway", "16" if peer == "postgres 16" else "18")
            stack.enter_context(servers.servers)
        urls = through = servers.create_databases()
        stack.callback(servers.drop_databases, urls)
        if peer == "pgbouncer":
            bouncer = _bouncer(servers.servers)
            stack.callback(bouncer.stop)
            through = cluster.Databases(*(bouncer.through(url) for url in urls))
        cells = {CELL: through.cell_url}
        house = PeerHouse(urls, install(control_url=through.control_url, cell_urls=cells, gateways=GATEWAYS))
        stack.callback(house.close)
        house.peer, house.admin_url = peer, servers.servers.admin_url
        house.databases.close()
        house.databases = make_databases(through, house.key)
        house.runtime = make_runtime(house.databases, wake=house.wake)
        make_slots(house.databases, CELL, 2 * GATEWAYS)
        yield house


def _bouncer(servers: object) -> PgBouncer:
    assert isinstance(servers, PeerServers)
    assert servers.ground is not None
    bouncer = PgBouncer(servers.ground, find_pgbouncer(), servers.admin_url)
    bouncer.start()
    return bouncer
