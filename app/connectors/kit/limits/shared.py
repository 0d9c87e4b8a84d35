"""The gate that all workers share, in Valkey. Without Valkey each process counts for itself: no call stops for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import redis
import structlog
from prometheus_client import Counter

from app.connectors.kit.limits.gate import (
    LONGEST_OPEN,
    PROBE,
    Ended,
    LocalGate,
    Reason,
    Standing,
    Wait,
    standing,
)
from app.connectors.kit.manifest import Limits

_log = structlog.get_logger(__name__)
_TIMEOUT: Final = 0.5  # seconds; a call does not wait longer for a counter
_PAUSE: Final = 5.0  # seconds until a Valkey that was away is asked again
_PREFIX: Final = "slipway:connection:"
_REASONS: Final[dict[bytes, Reason]] = {b"budget": "budget", b"held": "held", b"open": "open"}
LOCAL: Final = Counter("slipway_connector_counted_alone", "Requests counted by one process, as Valkey was away.")

T = TypeVar("T")


class SharedGate:
    """The gate of all workers of an installation, by Valkey's clock. Safe to share between threads."""

    def __init__(self, redis_url: str, prefix: str = _PREFIX) -> None:
        self._client = redis.Redis.from_url(redis_url, socket_timeout=_TIMEOUT, socket_connect_timeout=_TIMEOUT)
        self._ask = self._client.register_script(_script("ask"))
        self._tell = self._client.register_script(_script("tell"))
        self._local = LocalGate()
        self._prefix = prefix
        self._away_until = 0.0

    def ask(self, key: str, limits: Limits) -> Wait | None:
        """Count one request in and let it pass, or say how long to wait."""
        windows = [part for window in limits.windows for part in (window.requests, round(window.seconds * 1000))]
        asked = [round(PROBE * 1000), *windows]

        def shared() -> Wait | None:
            reason, milliseconds = self._ask(keys=[self._prefix + key], args=asked)
            return Wait(_REASONS[reason], int(milliseconds) / 1000) if reason in _REASONS else None

        return self._or_alone(shared, lambda: self._local.ask(key, limits))

    def tell(self, key: str, limits: Limits, ended: Ended, hold: float = 0.0) -> bool:
        """How it ended; `hold` are seconds for which the peer wants no more. Whether the breaker has opened by it."""
        breaker = limits.breaker
        told: list[Any] = [ended, round(hold * 1000), breaker.failures, round(breaker.seconds * 1000)]

        def shared() -> bool:
            return bool(self._tell(keys=[self._prefix + key], args=[*told, round(LONGEST_OPEN * 1000)]))

        return self._or_alone(shared, lambda: self._local.tell(key, limits, ended, hold))

    def look(self, key: str) -> Standing:
        """How the connection stands now."""

        def shared() -> Standing:
            names = ["failures", "opened", "open_until", "held_until"]
            found: Any = self._client.hmget(self._prefix + key, names)
            seconds, microseconds = self._client.time()
            at = seconds + microseconds / 1e6
            failures, opened, shut, held = (float(each or 0) for each in found)
            return standing(int(failures), int(opened), shut / 1000 - at, held / 1000 - at)

        return self._or_alone(shared, lambda: self._local.look(key))

    def lift(self, key: str) -> None:
        """A person wants it called again at once."""
        names = ("failures", "opened", "open_until", "probe_until", "held_until")

        def shared() -> None:
            self._client.hdel(self._prefix + key, *names)

        self._or_alone(shared, lambda: self._local.lift(key))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _or_alone(self, shared: Callable[[], T], alone: Callable[[], T]) -> T:
        if time.monotonic() >= self._away_until:
            try:
                return shared()
            except redis.RedisError as error:
                self._away_until = time.monotonic() + _PAUSE
                _log.warning("connector.gate_alone", reason=str(error))
        LOCAL.inc()
        return alone()


def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")
