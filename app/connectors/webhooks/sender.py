"""Sends one message to one address, and says how it went. Holds no session and stores nothing (DESIGN 3, 9)."""

from __future__ import annotations

import threading
import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from prometheus_client import Counter

from app.connectors.kit.exchange import retry_after
from app.connectors.webhooks.envelope import MEDIA_TYPE
from app.kernel.outbound.client import (
    OutboundClient,
    OutboundRequest,
    OutboundResponse,
    PeerOutcomeUnknown,
    PeerUnreachable,
)
from app.kernel.outbound.egress import EgressRefused

ATTEMPTS = Counter("slipway_webhook_attempts", "Messages sent to webhook endpoints, by how it went.", ["code"])
LIMIT: Final = 15.0  # seconds of one call, as Standard Webhooks advises
_MOST_BYTES: Final = 16_384  # of an answer; more is a peer that is up to something
_EXCERPT: Final = 500
_OF_TENANT: Final = 12  # calls of one process for one tenant, whose endpoints bear four each: the queue sees to that
_GONE: Final = 410
_THROTTLING: Final = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call went: `code` for counting, `said` for people, what the receiver wished where it asked for patience."""

    code: str
    said: str
    status: int | None = None
    ms: int = 0
    content: bytes = b""
    wished: timedelta | None = None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.code == "delivered"

    @property
    def excerpt(self) -> str:
        """The start of the answer as plain text."""
        text = self.content[: _EXCERPT * 4].decode("utf-8", "replace")
        return "".join(c if c.isprintable() else " " for c in text)[:_EXCERPT]


class Sender:
    """One for a process; safe to share between threads."""

    def __init__(self, client: OutboundClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._busy: Tally[UUID] = Tally()

    @contextmanager
    def place(self, tenant_id: UUID) -> Iterator[bool]:
        """A place among the few that call this tenant's endpoints at once; False where there is none."""
        held = (tenant_id,)
        with self._lock:
            free = self._busy[tenant_id] < _OF_TENANT
            self._busy.update(held if free else ())
        try:
            yield free
        finally:
            with self._lock:
                self._busy.subtract(held if free else ())
                self._busy = +self._busy  # of who has none in use nothing is kept

    def send(self, url: str, headers: Mapping[str, str], body: bytes, *, sandbox: bool) -> Answer:
        """Post the body. Whatever goes wrong comes back as an answer."""
        own = {"content-type": MEDIA_TYPE, "user-agent": "Webhooks/1.0"}
        request = OutboundRequest(
            method="POST",
            url=url,
            headers=own | dict(headers),
            content=body,
            timeout=LIMIT,
            max_bytes=_MOST_BYTES,
            sandbox=sandbox,
        )
        began = time.monotonic()
        answer = self._send(request)
        answer = answer if answer.ms else replace(answer, ms=round((time.monotonic() - began) * 1000))
        ATTEMPTS.labels(answer.code).inc()
        return answer

    def _send(self, request: OutboundRequest) -> Answer:
        try:
            got = self._client.send(request)
        except EgressRefused as error:
            return Answer(f"egress_{error.rule}", error.message)
        except PeerUnreachable as error:
            return Answer("unreachable", error.message)
        except PeerOutcomeUnknown as error:
            return Answer("silent" if error.reason == "timeout" else "unreadable", error.message)
        return _read(got)


def _read(got: OutboundResponse) -> Answer:
    """2xx is taken; a redirect is not followed, so it is a refusal like every other status."""
    code = "delivered" if 200 <= got.status < 300 else "gone" if got.status == _GONE else "refused"  # noqa: PLR2004  RFC 9110
    asks = got.status in _THROTTLING and "retry-after" in got.headers
    return Answer(
        code=code,
        said=f"{got.status}",
        status=got.status,
        ms=round(got.elapsed * 1000),
        content=got.content,
        wished=retry_after(got.headers, timedelta()) if asks else None,
    )
