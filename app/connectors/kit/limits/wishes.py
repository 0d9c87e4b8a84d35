"""For how long a peer wants no more requests, by the headers that are in use. They are hints: nonsense is no wish."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from app.connectors.kit.exchange import LONGEST_RETRY_AFTER, retry_after

_COUNTED: Final = ("x-ratelimit-requests", "x-ratelimit-complexity")  # as Linear counts: queries, and what they cost
_REMAINING: Final = ("x-ratelimit-remaining", "ratelimit-remaining", "x-rate-limit-remaining")
_RESET: Final = ("x-ratelimit-reset", "ratelimit-reset", "x-rate-limit-reset")
# `"burst";r=0;t=12, "day";r=17;t=900` (draft-ietf-httpapi-ratelimit-headers), and the older `remaining=0, reset=12`.
_ITEM: Final = re.compile(r"(?:^|[;,]\s*)(r|t|remaining|reset)\s*=\s*([0-9]{1,9})(?=\s*(?:[;,]|$))")
_EPOCH: Final = 100_000_000  # a reset beyond it is a point in time, in seconds since 1970
_EPOCH_MS: Final = 100_000_000_000  # and beyond this one in milliseconds
_MOST: Final = 1000  # letters of a header that are read
_UNTIMED: Final = 1.0


def wished_pause(status: int, headers: Mapping[str, str]) -> float:
    """Seconds to send no more; 0 where the peer has no such wish. At most 24 hours."""
    if status in {429, 503} and headers.get("retry-after"):
        return retry_after(headers, timedelta()).total_seconds()
    spent = [seconds for remaining, seconds in _standard(headers.get("ratelimit", "")) if remaining == 0]
    remaining = _number(headers, _REMAINING)
    if remaining == 0:
        spent.append(_reset(headers, _RESET))
    counted = [name for name in _COUNTED if _number(headers, (f"{name}-remaining",)) == 0]
    spent += [_reset(headers, (f"{name}-reset",)) for name in counted]
    longest = max(spent, default=0.0)
    return min(longest, LONGEST_RETRY_AFTER.total_seconds())


def _standard(header: str) -> list[tuple[int, float]]:
    """(remaining, seconds) of each policy in a RateLimit header."""
    policies = [header] if "remaining" in header[:_MOST] else header[:_MOST].split(",")
    found: list[tuple[int, float]] = []
    for policy in policies:
        told = {name[0] if name in {"r", "t"} else {"remaining": "r", "reset": "t"}[name]: int(value)
                for name, value in _ITEM.findall(policy)}  # fmt: skip
        if "r" in told:
            found.append((told["r"], float(told.get("t", _UNTIMED))))
    return found


def _number(headers: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    for name in names:
        text = headers.get(name, "").strip().split(".")[0]
        if text.isdecimal() and text.isascii():
            return int(text[:15])
    return None


def _reset(headers: Mapping[str, str], names: tuple[str, ...]) -> float:
    told = _number(headers, names)
    if told is None:
        return _UNTIMED
    if told < _EPOCH:
        return float(told)
    try:
        now = parsedate_to_datetime(headers.get("date", "")).timestamp()  # the peer's own clock
    except (TypeError, ValueError):
        return _UNTIMED
    return max((told / 1000 if told > _EPOCH_MS else told) - now, 0.0)
