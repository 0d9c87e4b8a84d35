"""A plain Dramatiq chain, as the library's guide writes it: a pipeline over one actor, the library's own settings.

`python -m tests.benchmarks.killed.chain_worker REDIS_URL PORT TOKEN` is its worker.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from typing import Any

import dramatiq
import httpx2
from dramatiq.brokers.redis import RedisBroker

THREADS = 4


def make_call(broker: RedisBroker, port: str, token: str) -> dramatiq.Actor[..., None]:
    """The actor: one call with a key that is the same whenever it is made."""

    def call(name: str) -> None:
        body = {"external_id": name, "name": "Step", "plan": "team"}
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": name}
        url = f"http://127.0.0.1:{port}/v1/workspaces"
        httpx2.post(url, json=body, headers=headers, trust_env=False).raise_for_status()

    return dramatiq.actor(broker=broker)(call)


def begin(call: dramatiq.Actor[..., None], broker: RedisBroker, flows: Iterable[list[str]]) -> None:
    """Send each flow's first message; it carries the rest of its pipeline."""
    for steps in flows:
        messages: list[Any] = [call.message_with_options(args=(step,), pipe_ignore=True) for step in steps]
        dramatiq.pipeline(messages, broker=broker).run()


def main(redis_url: str, port: str, token: str) -> None:
    """Work until killed."""
    broker = RedisBroker(url=redis_url)
    make_call(broker, port, token)
    dramatiq.Worker(broker, worker_threads=THREADS).start()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
