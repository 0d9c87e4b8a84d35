"""Logging of every process, and what each program counts: set up once, before anything speaks."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from contextlib import nullcontext
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from prometheus_client import Counter, Histogram

if TYPE_CHECKING:  # every program logs, and one serves
    from litestar.types import ASGIApp, Message, Receive, Scope, Send

_REDACTED = "[redacted]"
_METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie", "nonce", "signature", "api_key")
_PAIR = 2  # of a name and a value, as headers are kept
# `name=value`, `"name": "value"`, also within JSON; credentials; user and password of an address; links of ours. What
# code looks like in a traceback (`token = take(…)`) and what is shorter than any secret stays readable.
# Each with the words of which it needs one: nearly no line has any, and to look for a word costs next to nothing.
_IN_TEXT: tuple[tuple[tuple[str, ...], re.Pattern[str]], ...] = (
    (
        _SECRET_WORDS,
        re.compile(
            rf"""(?i)((?:{"|".join(_SECRET_WORDS)})\w*(?:=|\\?["']:\s*)\\?["']?)(?!\[)[\w.~+/%-]{{8,}}=*(?![\w(])"""
        ),
    ),
    (("bearer", "basic"), re.compile(r"(?i)(\b(?:bearer|basic)\s+)(?!\[)[\w.~+/-]{8,}=*")),
    (("://",), re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")),
    (("/sign-in/", "/hooks/", "/calendar/"), re.compile(r"(/(?:sign-in|hooks|calendar)/)[\w-]{20,}")),
)
_QUIET = ("alembic", "asyncio", "httpx2", "httpcore2", "casbin", "urllib3", "watchfiles")

REQUESTS = Counter("slipway_http_requests", "Answered requests.", ("method", "route", "status"))
SECONDS = Histogram("slipway_http_request_seconds", "Time to the end of the answer.", ("method", "route"))
_log = structlog.get_logger("app.web")


def configure_logging(log_format: str) -> None:
    """Text for people or JSON for collectors, on standard error; tracebacks are plain: a local may hold a secret."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _Lines(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_final(log_format)))
    root = logging.getLogger()
    root.handlers, root.level = [handler], logging.INFO
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Lines(logging.StreamHandler[TextIO]):
    """Writes a line at a time. Only the writing is one after the other: nobody waits while another words its line."""

    def handle(self, record: logging.LogRecord) -> bool:
        """Word the record and write it. Returns whether no filter was against it."""
        if not self.filter(record):
            return False
        try:
            line = self.format(record) + self.terminator
            with self.lock or nullcontext():
                self.stream.write(line)
                self.flush()
        except Exception:  # noqa: BLE001 - as every handler of the standard library: logging harms nobody
            self.handleError(record)
        return True


def _final(log_format: str) -> list[structlog.types.Processor]:
    """How a line is written. `format_exc_info` and `plain_traceback` print no local variables."""
    if log_format == "json":
        return [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
            mask,
        ]
    colours = sys.stderr.isatty()
    plain = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=structlog.dev.plain_traceback)
    return [structlog.stdlib.ProcessorFormatter.remove_processors_meta, plain, mask]


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:  # structlog's own
    """Hide values whose name says that they open something. Nobody logs them on purpose; this is for the accident."""
    for name, value in line.items():
        line[name] = _shown(name, value)
    return line


def _shown(name: object, value: Any) -> Any:
    """The value of that name as it may be logged, and within it, however deep."""
    if _opens_something(str(name)):
        return _REDACTED
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return {inner: _shown(inner, each) for inner, each in value.items()}
    if isinstance(value, list | tuple):
        inner = (_shown(value[0] if len(value) == _PAIR else "", each) for each in value)
        return list(inner) if isinstance(value, list) else tuple(inner)
    return value


@lru_cache(maxsize=4096)  # the names of what is logged are few, and asked for with every line
def _opens_something(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def mask(_logger: Any, _method: str, written: Any) -> str:
    """Hide what opens something in a line that is written: within texts, arguments and the words of an error."""
    line: str = written
    small = line.lower()
    for words, pattern in _IN_TEXT:
        if any(word in small for word in words):
            line = pattern.sub(rf"\g<1>{_REDACTED}", line)
    return line


class Metered:
    """Counts and logs every request by its route, never by its address: that may hold a link's token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and write down how it went."""
        kind: str = scope["type"]
        if kind != "http":
            await self._app(scope, receive, send)
            return
        method = str(scope.get("method"))
        method = method if method in _METHODS else "other"  # a stranger does not make up our labels
        started, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route, seconds = str(scope.get("path_template") or "unrouted"), time.perf_counter() - started
            REQUESTS.labels(method, route, str(status)).inc()
            SECONDS.labels(method, route).observe(seconds)
            _log.info("web.request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))
