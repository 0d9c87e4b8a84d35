"""Dramatiq as the window between dispatcher and worker: ids only, no retries of its own, nothing lost with it."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import dramatiq
import redis
import structlog

from app.kernel.queue.dispatcher import Dispatched
from app.kernel.queue.execution import run_jobs
from app.kernel.queue.listening import RING, ListeningBroker
from app.kernel.runtime import Runtime

# Milliseconds until a quiet queue is looked at though nobody has rung: the safety net under lost rings.
_PAUSES = {"interactive": 200, "default": 200, "bulk": 1_000}
QUEUES = tuple(_PAUSES)
IDLE = 1_000  # milliseconds a worker's thread waits for a message before it looks whether it is to end
log = structlog.get_logger(__name__)


class Sender(Protocol):
    """What brings messages to the workers."""

    def enqueue_all(self, messages: Iterable[dramatiq.Message[None]]) -> int:
        """Enqueue them all. Returns how many."""


class Broker(ListeningBroker):
    """Sends many messages over one round trip, and rings for those who take them."""

    def enqueue_all(self, messages: Iterable[dramatiq.Message[None]]) -> int:
        """Enqueue them: the first by itself, from which Dramatiq learns its server, all others over one round trip.

        Returns how many. Raises redis.RedisError, ConnectionClosed; some of them may have been sent then.
        """
        coming = iter(messages)
        sent = [self.enqueue(message) for message in islice(coming, 1)]
        with self.client.pipeline(transaction=False) as pipeline:
            writer = self.over(pipeline)
            sent += [writer.enqueue(message) for message in coming]
            pipeline.publish(RING, "")
            pipeline.execute()
        return len(sent)


def make_broker(redis_url: str) -> Broker:
    """A broker in logical database 1, its own: Dramatiq's maintenance reads all keys of the database it is in.

    `heartbeat_timeout` and `maintenance_chance` are raised: the defaults redeliver after a kill only by luck.
    """
    client = redis.Redis.from_url(with_database(redis_url, 1), socket_timeout=None, socket_connect_timeout=5)
    options = {"heartbeat_timeout": 15_000, "maintenance_chance": 50_000}
    return Broker(redis_url=redis_url, pauses=_PAUSES, client=client, **options)


def make_actor(broker: dramatiq.Broker, runtime: Runtime, *, queue: str, worker: str) -> dramatiq.Actor[Any, None]:
    """The one actor of a queue. It has no retries: policy lives in the job's row."""

    def execute(*, cell: str, tenant_id: str, job_id: str) -> None:
        run_jobs(runtime, cell=cell, tenant_id=UUID(tenant_id), job_id=UUID(job_id), worker=worker)

    options: dict[str, Any] = {"time_limit": 600_000}
    name, priority = f"jobs.{queue}", int(queue != "interactive")  # the next free thread is somebody's who looks on
    return dramatiq.Actor(execute, broker=broker, actor_name=name, queue_name=queue, priority=priority, options=options)


def send(sender: Sender, cell: str, jobs: Sequence[Dispatched]) -> int:
    """Tell the workers of dispatched jobs. A message that cannot be sent is sent again when its lease runs out."""
    if not jobs:
        return 0
    try:
        return sender.enqueue_all(_message(cell, item) for item in jobs)
    except (dramatiq.errors.BrokerConnectionError, redis.RedisError) as error:
        log.warning("dispatch.queue_away", reason=str(error))
        return 0


def _message(cell: str, item: Dispatched) -> dramatiq.Message[None]:
    queue = item.queue if item.queue in QUEUES else "default"
    return dramatiq.Message(
        queue_name=queue,
        actor_name="jobs.interactive" if item.first else f"jobs.{queue}",  # the next free thread takes it
        args=(),
        kwargs={"cell": cell, "tenant_id": str(item.tenant_id), "job_id": str(item.job_id)},
        options={},
    )


def worker_name(root: Path) -> str:
    """A name that is the same after a restart from the same folder, so that the restart can free its former leases."""
    place = hashlib.sha256(str(root).encode()).hexdigest()[:8]
    return f"{socket.gethostname()}-{place}"


def with_database(url: str, number: int) -> str:
    """The address of another logical database of the same server."""
    if url.startswith("unix://"):
        return f"{url.split('?', maxsplit=1)[0]}?db={number}"
    host, _, _path = url.partition("://")[2].partition("/")
    return f"{url.partition('://')[0]}://{host}/{number}"
