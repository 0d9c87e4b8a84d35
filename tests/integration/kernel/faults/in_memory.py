"""A broker without a server, with what the dispatcher asks of one."""

from __future__ import annotations

from collections.abc import Iterable

import dramatiq
from dramatiq.brokers.stub import StubBroker


class InMemoryBroker(StubBroker):
    """Keeps its messages in this process."""

    def enqueue_all(self, messages: Iterable[dramatiq.Message[None]]) -> int:
        """Enqueue them all. Returns how many."""
        return len([self.enqueue(message) for message in messages])
