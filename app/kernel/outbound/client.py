"""The guarded HTTP client: one vetted connection per request, capped in time and size. What may be called: egress."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import httpcore2
from prometheus_client import Counter, Histogram

from app.kernel.errors import Unavailable
from app.kernel.outbound.certificates import ClientCertificate, tls_with
from app.kernel.outbound.deadline import Deadline, within
from app.kernel.outbound.egress import (
    NO_ENTRIES,
    AddressBook,
    EgressRefused,
    Place,
    Resolver,
    Vetted,
    refuse,
    require_stand_in,
    vet,
    vet_place,
)

# The library's debug lines hold the peer's headers, and a peer may echo what it was sent.
logging.getLogger("httpcore2").setLevel(logging.INFO)

# Opens a TCP connection to (address, port) within so many seconds; raises OSError.
Dial = Callable[[tuple[str, int], float], socket.socket]

REQUESTS = Counter("slipway_egress_requests", "Outgoing calls, by how they went.", ["outcome"])
SECONDS = Histogram(
    "slipway_egress_seconds",
    "How long outgoing calls took, from the look-up of the name to the last byte, by how they went.",
    ["outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?|")
# Ours to write: whoever could set them could speak to another host or smuggle a second request.
_OWN_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "upgrade", "te"}


class PeerUnreachable(Unavailable):
    """No byte of the request was sent: it is safe to try again. `reason`: what was in the way."""

    def __init__(self, message: str, reason: Literal["name", "unreachable", "tls"] = "unreachable") -> None:
        super().__init__(message)
        self.reason = reason


class PeerOutcomeUnknown(Unavailable):
    """The request was sent and no full answer came back: the peer may or may not have done it."""

    def __init__(self, message: str, reason: Literal["timeout", "broken", "garbage", "oversize"]) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundRequest:
    """One request. `timeout` is the whole time in seconds, name look-up to last byte.

    What may hold a secret never shows in a repr: headers, content, and the address with its query.

    `sandbox`: it goes to a stand-in of the address book, or nowhere.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    content: bytes = field(default=b"", repr=False)
    timeout: float = 10.0
    max_bytes: int = 1_048_576
    ports: frozenset[int] = frozenset()
    sandbox: bool = False
    client_certificate: ClientCertificate | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """A full answer, of any status. Header names are lower-case; `elapsed` is in seconds."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    elapsed: float


def resolve_name(host: str, port: int) -> list[str]:
    """Every address of a name. The final dot keeps the search domains of this machine out of it."""
    found = socket.getaddrinfo(f"{host}.", port, type=socket.SOCK_STREAM)
    return [str(answer[4][0]) for answer in found]


def dial_address(address: tuple[str, int], seconds: float) -> socket.socket:
    """A TCP connection to one numeric address. A body does not wait until its headers were received."""
    sock = socket.create_connection(address, timeout=seconds)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class _Wire(httpcore2.NetworkStream):
    """A plain or TLS socket that obeys the deadline and remembers whether a byte of the request may have left."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self.touched = False
        self.distrusted = False  # the peer's certificate, or whatever else TLS was not content with

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._sock.settimeout(self._deadline.left(httpcore2.ReadTimeout, timeout))
        try:
            return self._sock.recv(max_bytes)
        except TimeoutError as error:
            raise httpcore2.ReadTimeout from error
        except OSError as error:
            raise httpcore2.ReadError from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._sock.settimeout(self._deadline.left(httpcore2.WriteTimeout, timeout))
        self.touched = True
        try:
            self._sock.sendall(buffer)  # keeps one time limit for the whole buffer, unlike send in a loop
        except TimeoutError as error:
            raise httpcore2.WriteTimeout from error
        except OSError as error:
            raise httpcore2.WriteError from error

    def close(self) -> None:
        self._sock.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        self._sock.settimeout(self._deadline.left(httpcore2.ConnectTimeout, timeout))
        try:
            self._sock = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except OSError as error:
            self.distrusted = isinstance(error, ssl.SSLError)
            self.close()
            raise httpcore2.ConnectError from error
        return self


class _VettedBackend(httpcore2.NetworkBackend):
    """Connects to the vetted addresses, in order. The name is never looked up again: that is rebinding."""

    def __init__(self, vetted: Vetted, dial: Dial, deadline: Deadline) -> None:
        self._vetted = vetted
        self._dial = dial
        self._deadline = deadline
        self._wire: _Wire | None = None

    def connect_tcp(self, *_: Any, **__: Any) -> httpcore2.NetworkStream:  # Any: all that is asked for is ignored
        self._wire = _Wire(_dialled(self._vetted, self._dial, self._deadline), self._deadline)
        return self._wire

    @property
    def touched(self) -> bool:
        """Whether a byte of the request may have left."""
        return self._wire is not None and self._wire.touched

    @property
    def distrusted(self) -> bool:
        """Whether it was TLS that failed."""
        return self._wire is not None and self._wire.distrusted


class OutboundClient:
    """Sends requests through the egress guard. Safe to share between threads; holds no connection between calls.

    One connection per request is deliberate: each is vetted anew, and none can die between two requests, which
    would blur the line between "not sent" and "outcome unknown". Environment proxies and redirects are not followed.
    """

    def __init__(
        self,
        book: AddressBook = NO_ENTRIES,
        *,
        resolve: Resolver = resolve_name,
        dial: Dial = dial_address,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.book = book
        self._resolve = resolve
        self._dial = dial
        self._trust = tls
        self._tls = tls or httpcore2.default_ssl_context(_trust_env=False)
        self._tls.set_alpn_protocols(["http/1.1"])

    def send(self, request: OutboundRequest) -> OutboundResponse:
        """Send one request and read the whole answer, whatever its status; a redirect is an answer like any other.

        Raises EgressRefused (nothing was sent, never will be), PeerUnreachable (nothing was sent),
        PeerOutcomeUnknown (sent, no full answer).
        """
        with _measured():
            return self._send(request)

    def open(self, place: Place, *, timeout: float, sandbox: bool = False) -> socket.socket:
        """A connection to a vetted address of a host, for what does not speak HTTP. `timeout` is for all of it.

        Raises EgressRefused, PeerUnreachable: whoever gets a connection has sent nothing yet.
        """
        deadline = Deadline(timeout)
        with _measured():
            try:
                vetted = vet_place(place, book=self.book, resolve=self._resolver(deadline), sandbox=sandbox)
                return _dialled(vetted, self._way_to(vetted), deadline)
            except (OSError, UnicodeError):
                said = "The name of the peer could not be resolved. Nothing was sent."
                raise PeerUnreachable(said, "name") from None
            except (httpcore2.TimeoutException, httpcore2.NetworkError):
                raise PeerUnreachable(f"{place.host} could not be reached. Nothing was sent.") from None

    def _send(self, request: OutboundRequest) -> OutboundResponse:
        deadline = Deadline(request.timeout)
        headers = _checked_headers(request)
        vetted = self._vet(request, deadline)
        backend = _VettedBackend(vetted, self._way_to(vetted), deadline)
        host = vetted.target.host
        try:
            return self._exchange(request, headers, vetted, backend)
        except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
            if not backend.touched:
                reason: Literal["tls", "unreachable"] = "tls" if backend.distrusted else "unreachable"
                raise PeerUnreachable(f"{host} could not be reached. Nothing was sent.", reason) from None
            _outcome_unknown(host, error)

    def _resolver(self, deadline: Deadline) -> Resolver:
        return lambda host, port: within(deadline, lambda: list(self._resolve(host, port)))

    def _way_to(self, vetted: Vetted) -> Dial:
        """A stand-in is on this machine: no proxy leads there."""
        return dial_address if vetted.local else self._dial

    def _vet(self, request: OutboundRequest, deadline: Deadline) -> Vetted:
        if request.sandbox:
            require_stand_in(request.url, self.book)
        try:
            return vet(request.url, book=self.book, resolve=self._resolver(deadline), ports=request.ports)
        except (OSError, UnicodeError):
            raise PeerUnreachable("The name of the peer could not be resolved. Nothing was sent.", "name") from None

    def _exchange(
        self, request: OutboundRequest, headers: list[tuple[bytes, bytes]], vetted: Vetted, backend: _VettedBackend
    ) -> OutboundResponse:
        scheme = b"https" if vetted.tls else b"http"
        host = vetted.target.host.encode("ascii")
        url = httpcore2.URL(scheme=scheme, host=host, port=vetted.port, target=vetted.target.target)
        headers = [(b"Host", vetted.target.host_header.encode("ascii")), *headers]
        tls = self._tls if request.client_certificate is None else tls_with(request.client_certificate, self._trust)
        with httpcore2.HTTPConnection(url.origin, ssl_context=tls, network_backend=backend) as connection:
            started = time.monotonic()
            call = httpcore2.Request(request.method, url, headers=headers, content=request.content)
            answer = connection.handle_request(call)
            content = _read_capped(answer, request.max_bytes, vetted.target.host)
        return OutboundResponse(answer.status, _joined(answer.headers), content, time.monotonic() - started)


def _dialled(vetted: Vetted, dial: Dial, deadline: Deadline) -> socket.socket:
    """A connection to the first vetted address that answers; each gets its part of the time that is left."""
    remaining = len(vetted.addresses)
    for address in vetted.addresses:
        seconds = deadline.left(httpcore2.ConnectTimeout) / remaining
        remaining -= 1
        try:
            sock = dial((address, vetted.port), seconds)
        except OSError:
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise httpcore2.ConnectError("no vetted address answers")


@contextmanager
def _measured() -> Iterator[None]:
    """Count a call by how it goes, and how long it takes."""
    began, outcome = time.monotonic(), "answered"
    try:
        yield
    except EgressRefused:
        outcome = "refused"
        raise
    except (PeerUnreachable, PeerOutcomeUnknown) as error:
        outcome = error.reason
        raise
    finally:
        REQUESTS.labels(outcome).inc()
        SECONDS.labels(outcome).observe(time.monotonic() - began)


def _checked_headers(request: OutboundRequest) -> list[tuple[bytes, bytes]]:
    """The caller's headers and ours. A wrong one is named, its value never shown."""
    if not re.fullmatch(r"[A-Z]{3,10}", request.method):
        raise refuse("method")
    for name, value in request.headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise refuse("header", detail=f"the name {name!r}")
        if not _VALUE.fullmatch(value):
            raise refuse("header", detail=f"the value of {name}")
    own = {"Accept-Encoding": "identity", "Connection": "close"}
    if request.content or request.method in {"POST", "PUT", "PATCH"}:
        own["Content-Length"] = str(len(request.content))
    return [(k.encode("ascii"), v.encode("ascii")) for k, v in {**request.headers, **own}.items()]


def _read_capped(answer: httpcore2.Response, most: int, host: str) -> bytes:
    parts: list[bytes] = []
    size = 0
    for part in answer.iter_stream():
        size += len(part)
        if size > most:
            answer.close()
            raise PeerOutcomeUnknown(f"{host} answered with more than {most} bytes.", "oversize")
        parts.append(part)
    return b"".join(parts)


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _outcome_unknown(host: str, error: Exception) -> NoReturn:
    if isinstance(error, httpcore2.TimeoutException):
        raise PeerOutcomeUnknown(f"{host} did not answer in time. What it did is not known.", "timeout") from None
    if isinstance(error, httpcore2.NetworkError) or re.search("disconnected|closed connection", str(error)):
        raise PeerOutcomeUnknown(f"{host} broke off. What it did is not known.", "broken") from None
    raise PeerOutcomeUnknown(f"{host} gave an answer that is not HTTP. What it did is not known.", "garbage") from None
