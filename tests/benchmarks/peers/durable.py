"""What DBOS needs for the same number of durable steps, in a database of its own on the same server."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from tests.benchmarks.ground import Ground
from tests.benchmarks.peers.environment import run

_PEER = Path(__file__).parent / "dbos"


def dbos_steps(ground: Ground, *, threads: int, workflows: int, steps: int) -> float:
    """Steps a second with so many threads, each of which runs its workflows one after the other."""
    urls = ground.cluster.create_databases()
    parts = conninfo_to_dict(urls.cell_url)
    url = f"postgresql+psycopg://{parts['user']}:{parts['password']}@/{parts['dbname']}?host={parts['host']}"
    folder = Path(tempfile.mkdtemp(dir=ground.folder))
    try:
        said = run(_PEER, folder, [str(threads), str(workflows), str(steps)], PEER_URL=url)
    finally:
        ground.cluster.drop_databases(urls)
    return float(json.loads(said))
