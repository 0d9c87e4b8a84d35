"""The outermost door: which brand answers on this host. An unknown host gets nothing, whatever the path."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast
from uuid import UUID

import structlog
from anyio.to_thread import run_sync

from app.kernel.ids import new_id
from app.web.frame import BrandView
from app.web.security import Front
from app.web.translations import mark, negotiate, translations
from tenants.sessions import DatabaseAway

if TYPE_CHECKING:  # a worker that makes links reads this module, and no web framework
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_HOST = re.compile(r"(?P<name>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)\.?(?::[0-9]{1,5})?")
_ADDRESS = re.compile(r"(?P<name>[0-9.]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
_NOTHING_HERE = mark("Nothing is served under this address.")
_AWAY = mark("This cannot be answered right now. Try again in a moment.")


@dataclass(frozen=True, slots=True)
class Site:
    """Whose pages a host serves, and in which brand."""

    host: str
    organisation_id: UUID
    kind: str  # platform | partner
    slug: str
    name: str
    brand: BrandView


class Sites(Protocol):
    """Knows the sites by host name; the partners' directory with its cache fulfils it."""

    def peek(self, host: str) -> Site | None:
        """The site if it is at hand. Never waits."""

    def find_site(self, host: str) -> Site | None:
        """The site of that host, asked of the database. Raises DatabaseAway."""


class HostGate:
    """Wraps the whole application, static files and unknown paths too: host, trace id, headers, HEAD."""

    def __init__(self, app: ASGIApp, *, sites: Sites, front: Front) -> None:
        self._app = app
        self._sites = sites
        self._headers = front.answer_headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on with its site and trace id in `state`."""
        kind: str = scope["type"]
        if kind == "http":
            await self._serve(cast("HTTPScope", scope), receive, send)
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 4404, "reason": ""})
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        trace_id = new_id().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace_id=trace_id)
        answer = _Answer(send, self._headers | {b"trace-id": trace_id.encode()}, is_head=scope["method"] == "HEAD")
        host, probe = _asked(scope)
        try:
            site = host and (self._sites.peek(host) or await run_sync(self._sites.find_site, host))
        except DatabaseAway:
            if not probe:
                await _plain(scope, answer, status=503, sentence=_AWAY, extra=[(b"retry-after", b"5")])
                return
            site = None
        if not site and not probe:
            await _plain(scope, answer, status=404, sentence=_NOTHING_HERE, extra=[])
            return
        # HEAD is GET without the body, so no door has to say so; a door that changes something is no GET.
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        inner: Any = {**scope, "method": method, "state": {"site": site or None, "trace_id": trace_id}}
        await self._app(inner, receive, answer)


def _asked(scope: HTTPScope) -> tuple[str, bool]:
    """The host name that was asked for, without port, and whether a probe asked by bare address."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    said = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
    if (address := _ADDRESS.fullmatch(said)) and _is_address(address["name"]):
        return "", scope["path"] in PROBES
    name = _HOST.fullmatch(said)
    return (name["name"] if name else ""), False


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


class _Answer:
    """Adds our headers to the start of an answer and keeps the body of a HEAD to itself."""

    def __init__(
        self, send: Callable[[Message], Awaitable[None]], headers: dict[bytes, bytes], *, is_head: bool
    ) -> None:
        self._send = send
        self._headers = headers
        self._is_head = is_head

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message["headers"])
            named = {name.lower() for name, _ in own}
            message["headers"] = own + [(n, v) for n, v in self._headers.items() if n not in named]
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        await self._send(message)


async def _plain(scope: HTTPScope, send: Send, *, status: int, sentence: str, extra: list[tuple[bytes, bytes]]) -> None:
    """A sentence without any brand, in the language that the browser asks for."""
    wished = next((value for name, value in scope["headers"] if name == b"accept-language"), b"").decode("latin-1")
    locale = negotiate(wished)
    body = translations(locale.language).gettext(sentence).encode() + b"\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-language", locale.language.encode()),
        (b"content-length", str(len(body)).encode()),
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
