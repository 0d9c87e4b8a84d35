"""The worker process: Dramatiq's threads in our own process, so that no grandchild can outlive it."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import dramatiq
import structlog

from app.bootstrap.wiring import Running
from app.kernel.queue.broker import IDLE, QUEUES, make_actor, make_broker, worker_name
from app.kernel.queue.dispatcher import release_worker

log = structlog.get_logger(__name__)
_LAST_CALL = 3_500  # milliseconds a running job may still take; then its lease brings it back


def run_worker(running: Running) -> int:
    """Run jobs until SIGTERM or SIGINT. Former leases of this worker's name are freed first: it was dead until now."""
    settings, runtime = running.settings, running.runtime
    stopped = threading.Event()
    broker = make_broker(settings.redis_url)
    name = worker_name(running.root)
    for cell in runtime.databases.cells:
        release_worker(runtime.databases, cell, name)
    for queue in QUEUES:
        broker.declare_actor(make_actor(broker, runtime, queue=queue, worker=name))
    worker = dramatiq.Worker(broker, worker_threads=settings.worker_threads, worker_timeout=IDLE)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    worker.start()
    log.info("worker.started", threads=settings.worker_threads, name=name)
    stopped.wait()
    worker.stop(timeout=_LAST_CALL)
    broker.close()
    running.close()
    return 0
