"""The wake-up line over Valkey: published after commit, heard by dispatchers and streams. A lost hint costs a poll."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import redis
import structlog

PREFIX = "slipway:"
log = structlog.get_logger(__name__)


class ValkeyWake:
    """Publishes topics; a broken line is logged and forgotten."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)

    def publish(self, topics: Iterable[str]) -> None:
        """Publish every topic in one round trip. Never raises: the poll is the safety net."""
        try:
            pipeline = self._client.pipeline(transaction=False)
            for topic in topics:
                pipeline.publish(PREFIX + topic, "")
            pipeline.execute()
        except redis.RedisError as error:
            log.warning("wake.line_down", reason=str(error))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


class Doorbell:
    """Waits for a topic, at most a while: `wait` returns at the first ring or when the time is up.

    `heard`, where given, is called from the listening thread at each ring, and whenever the line is up (again): what
    was said before that, nobody has heard.
    """

    def __init__(self, redis_url: str, topic: str, heard: Callable[[], None] | None = None) -> None:
        self._heard = heard
        self._rung = threading.Event()
        self._stop = threading.Event()
        self._client = redis.Redis.from_url(redis_url, socket_timeout=None, socket_connect_timeout=2)
        self._topic = PREFIX + topic
        self._thread = threading.Thread(target=self._listen, name=f"doorbell-{topic}", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Return at the next ring, or after `seconds`. Rings in between are one."""
        self._rung.wait(seconds)
        self._rung.clear()

    def ring(self) -> None:
        """Ring from inside the process."""
        self._rung.set()

    def close(self) -> None:
        """Stop listening."""
        self._stop.set()
        self.ring()
        self._thread.join(timeout=3)
        self._client.close()

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as line:  # type: ignore[no-untyped-call]  # redis
                    line.subscribe(self._topic)
                    self._call_heard()
                    while not self._stop.is_set():
                        if line.get_message(timeout=1.0):
                            self._rung.set()
                            self._call_heard()
            except redis.RedisError:
                self._stop.wait(1.0)  # the poll carries on meanwhile

    def _call_heard(self) -> None:
        if self._heard is not None:
            self._heard()
