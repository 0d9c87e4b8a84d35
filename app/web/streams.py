"""Live pages: one listener on the wake-up line a process, many streams. A ring means "look again", it carries nothing.

A stream starts with the current state, so that a reconnect loses no news; it ends at shutdown by itself. Streams are
async and hold no session: what they send is read in a thread, under the reader's own scope, each time anew.
"""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import redis
import structlog
from anyio import to_thread

from app.kernel.queue.wake import PREFIX

log = structlog.get_logger(__name__)
PING = 15.0  # seconds between signs of life
BREATH = 0.1  # seconds in which further rings count as one


class SignedOut(Exception):
    """The reader may not look any more."""


class Streams:
    """The listeners of this process, by topic."""

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(redis_url, socket_timeout=None, socket_connect_timeout=2)
        self._lock = threading.Lock()
        self._listeners: dict[str, set[_Listener]] = defaultdict(set)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen; called once when the process serves."""
        self._thread = threading.Thread(target=self._listen, name="live", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every stream and stop listening. Safe to call from a signal handler, and twice."""
        self._stop.set()
        for listener in self._everyone():
            listener.ring()

    async def listen(self, topic: str, read: Callable[[], str]) -> AsyncIterator[str]:
        """The stream of a topic: what `read` gives now, and again after every ring, as server-sent events.

        `read` runs in a thread and opens its own unit of work; SignedOut from it ends the stream with a closing event.
        """
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners[topic].add(listener)
        try:
            while not self._stop.is_set():
                try:
                    yield as_event(await to_thread.run_sync(read))
                except SignedOut:
                    yield "event: signed-out\ndata:\n\n"
                    return
                while not self._stop.is_set() and not await listener.rung(PING):
                    yield ": still here\n\n"
                await asyncio.sleep(BREATH)
                listener.clear()
        finally:
            with self._lock:
                self._listeners[topic].discard(listener)

    def _everyone(self) -> list[_Listener]:
        with self._lock:
            return [listener for group in self._listeners.values() for listener in group]

    def _listen(self) -> None:
        while not self._stop.is_set():
            try:
                with self._client.pubsub(ignore_subscribe_messages=True) as line:  # type: ignore[no-untyped-call]  # redis
                    line.psubscribe(f"{PREFIX}live:*")
                    for listener in self._everyone():
                        listener.ring()  # what was missed while the line was down
                    while not self._stop.is_set():
                        if message := line.get_message(timeout=1.0):
                            self._ring(message["channel"].decode().removeprefix(PREFIX))
            except redis.RedisError as error:
                log.warning("live.line_down", reason=str(error))
                self._stop.wait(1.0)

    def _ring(self, topic: str) -> None:
        with self._lock:
            group = list(self._listeners.get(topic, ()))
        for listener in group:
            listener.ring()


class _Listener:
    """One stream's bell."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """Ring from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._bell.set)
        except RuntimeError:
            log.debug("live.loop_gone")  # the loop has ended; so has the stream

    def clear(self) -> None:
        """Forget rings so far."""
        self._bell.clear()

    async def rung(self, seconds: float) -> bool:
        """Wait for a ring, at most so long."""
        try:
            await asyncio.wait_for(self._bell.wait(), seconds)
        except TimeoutError:
            return False
        return True


def as_event(text: str) -> str:
    """A fragment as one server-sent event: every line of it is a data line."""
    return "".join(f"data: {line}\n" for line in text.splitlines() or [""]) + "\n"
