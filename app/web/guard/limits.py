"""The one limiter of requests: so many in a while, for each actor, or for each address where nobody is signed in.

Counters are in Redis and may be lost; without Redis each process counts for itself, so that no door stands open. What
must hold whatever happens (guesses of a code, links mailed to a person) is counted in PostgreSQL by its own operation.
The library `limits` counts: a sliding window by two counters, in one round trip, without a key for each request.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import structlog
from limits import RateLimitItemPerSecond
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from app.kernel.errors import Unavailable
from app.kernel.outbound.world_clock import world_time
from app.web.translations import mark

_log = structlog.get_logger()
_TIMEOUT: Final = 0.5  # seconds; a door does not wait longer for a counter
_PAUSE: Final = 5.0  # seconds until a Redis that was away is asked again
_NETWORK_BITS: Final = 64  # of an IPv6 address: one household or one server has that many to itself


@dataclass(frozen=True, slots=True)
class Quota:
    """`amount` requests in `seconds`, counted together under `name`."""

    name: str
    amount: int
    seconds: int


# By the door of a route; a route names another one, or None, as `opt={"quota": …}`.
STRANGERS: Final = Quota("strangers", 300, 60)
PEOPLE: Final = Quota("people", 600, 60)
SOFTWARE: Final = Quota("software", 600, 60)
HOOKS: Final = Quota("hooks", 6000, 60)  # of one sender to all workspaces: big systems send from few addresses
HOOK: Final = Quota("hook", 600, 60)  # to one address
UNKNOWN_HOOKS: Final = Quota("unknown-hooks", 30, 60)  # of one sender to addresses that lead nowhere
HOOK_SAMPLES: Final = Quota("hook-samples", 12, 3600)  # of what nobody has proven, of one connection
DIRECTORIES: Final = Quota("directories", 3000, 60)  # a first synchronisation sends thousands
SIGN_IN: Final = Quota("sign-in", 60, 900)  # asked for by one address: an office behind one router fits in
BY_DOOR: Final[Mapping[str, Quota | None]] = {
    "public": STRANGERS,
    "hook": HOOKS,
    "signed_in": PEOPLE,
    "partner": PEOPLE,
    "tenant": PEOPLE,
    "machine": None,
    "directory": DIRECTORIES,
}


class TooManyRequests(Unavailable):
    """One sender has sent as many requests as it may in a while; `Retry-After` says when to go on."""

    status = 429
    retry_after = 60

    def __init__(self, standing: Standing) -> None:
        super().__init__(_TOO_MANY)
        self.retry_after = max(1, standing.reset)  # type: ignore[misc]  # of this occurrence


@dataclass(frozen=True, slots=True)
class Standing:
    """How a sender stands after a request: how many are left, and in how many seconds there are more."""

    quota: Quota
    allowed: bool
    left: int
    reset: int

    def headers(self) -> dict[str, str]:
        """As draft-ietf-httpapi-ratelimit-headers writes them (DESIGN 13)."""
        return {
            "ratelimit-policy": f'"{self.quota.name}";q={self.quota.amount};w={self.quota.seconds}',
            "ratelimit": f'"{self.quota.name}";r={self.left};t={self.reset}',
        }


class Limiter:
    """Counts requests. `scale` multiplies every amount; `key` keeps addresses unreadable in Redis."""

    def __init__(self, redis_url: str, *, scale: int = 1, key: bytes = b"") -> None:
        waits: dict[str, Any] = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT}
        shared = RedisStorage(redis_url, key_prefix="slipway:limit", wrap_exceptions=True, **waits)
        self._shared = SlidingWindowCounterRateLimiter(shared)
        self._alone = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._scale = scale
        self._key = blake2b(key, person=b"limits", digest_size=32).digest()
        self._away_until = 0.0  # monotonic seconds; a Redis that hangs is not asked at every request

    def take(self, quota: Quota, who: str) -> Standing:
        """Count one request of this sender. `who` is an actor's label or an address; only its hash is kept."""
        mine = Quota(quota.name, quota.amount * self._scale, quota.seconds)
        name = blake2b(who.encode(), key=self._key, digest_size=16).hexdigest()
        if time.monotonic() < self._away_until:
            return _count(self._alone, mine, name)
        try:
            return _count(self._shared, mine, name)
        except StorageError as error:
            _log.warning("web.limits_alone", reason=type(error.storage_error).__name__)
            self._away_until = time.monotonic() + _PAUSE
            return _count(self._alone, mine, name)


def sender_of(host: str | None) -> str:
    """The address that requests are counted by: a whole IPv4 address, the network of an IPv6 one."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _NETWORK_BITS), strict=False))
    return str(address)


def _count(strategy: SlidingWindowCounterRateLimiter, quota: Quota, name: str) -> Standing:
    item = RateLimitItemPerSecond(quota.amount, quota.seconds, namespace=quota.name)
    allowed = strategy.hit(item, name)
    stats = strategy.get_window_stats(item, name)
    reset = math.ceil(max(0.0, stats.reset_time - world_time().timestamp()))
    return Standing(quota, allowed, int(stats.remaining), reset)


_TOO_MANY = mark("There were too many requests from you in a short time. Wait a moment, then go on.")
