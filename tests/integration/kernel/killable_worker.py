"""A worker as a process of its own, for tests that kill it: frees what its predecessor held, then runs jobs."""

from __future__ import annotations

import logging
import sys
import threading

from dramatiq import Worker

from app.kernel.queue.broker import QUEUES, make_actor, make_broker
from app.kernel.queue.dispatcher import release_worker
from tenants.schema.install import read_key
from tests import cluster
from tests.factories.installation import CELL, make_databases, make_runtime
from tests.integration.kernel import work_to_do  # registers the jobs

assert work_to_do.__doc__
NAME = "tests-worker"


def main(control_url: str, cell_url: str, redis_url: str) -> None:
    """Run until killed."""
    logging.disable()
    databases = make_databases(cluster.Databases(control_url, cell_url), read_key(control_url))
    release_worker(databases, CELL, NAME)
    broker = make_broker(redis_url)
    runtime = make_runtime(databases)
    for queue in QUEUES:
        make_actor(broker, runtime, queue=queue, worker=NAME)
    Worker(broker, worker_threads=2, worker_timeout=100).start()
    print("ready", flush=True)  # noqa: T201 - its parent waits for this
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
