"""A forward proxy of the operator as the way out: CONNECT to the vetted address, never to a name."""

from __future__ import annotations

import base64
import re
import socket
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

_MOST_BYTES: Final = 16_384  # of the proxy's answer to CONNECT; more is no proxy
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: |\r\n)")
_OK: Final = b"200"


class ProxyRefused(OSError):
    """The proxy would not open a way to this address, or is none. Nothing was sent to the peer."""


@dataclass(frozen=True, slots=True)
class ForwardProxy:
    """Where the operator's proxy is; it is trusted like a database, so it may well be on a private address.

    An object is a dial: it opens a connection to (address, port) through the proxy. The address is one that the guard
    has vetted: a name would be looked up a second time, over there, and could lead elsewhere.
    """

    host: str
    port: int
    credentials: str = field(default="", repr=False)  # user:password

    @classmethod
    def parse(cls, text: str) -> ForwardProxy:
        """Read `http://[user:password@]host:port`. Raises ValueError with a sentence that repeats no secret."""
        parts = urlsplit(text)
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must be a URL like http://proxy.internal:3128.")
        try:
            port = parts.port
        except ValueError:
            raise ValueError("names a port that does not exist.") from None
        if not port:
            raise ValueError("must name the port of the proxy, as in http://proxy.internal:3128.")
        if (parts.username is None) != (parts.password is None):
            raise ValueError("must name user and password together, or neither.")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if ":" in user or not f"{user}{password}".isprintable():
            raise ValueError("holds a user name or password that no proxy can be told.")
        return cls(parts.hostname, port, f"{user}:{password}" if parts.username is not None else "")

    def __call__(self, address: tuple[str, int], seconds: float) -> socket.socket:
        """A connection to this numeric address. Raises OSError; `seconds` are for all of it."""
        ends = time.monotonic() + seconds
        sock = socket.create_connection((self.host, self.port), timeout=seconds)
        try:
            sock.settimeout(max(ends - time.monotonic(), 0.001))
            sock.sendall(self._request(address))
            self._require_open(_head(sock, ends))
        except OSError:
            sock.close()
            raise
        return sock

    def _request(self, address: tuple[str, int]) -> bytes:
        place = f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}"]
        if self.credentials:
            lines.append("Proxy-Authorization: Basic " + base64.b64encode(self.credentials.encode()).decode())
        return "\r\n".join([*lines, "", ""]).encode("ascii")

    @staticmethod
    def _require_open(head: bytes) -> None:
        found = _STATUS.match(head)
        if found is None or found[1] != _OK:
            status = found[1].decode() if found else "no HTTP"
            raise ProxyRefused(f"the forward proxy answered {status}")


def _head(sock: socket.socket, ends: float) -> bytes:
    """The proxy's answer up to the empty line, and not a byte of what the peer says after it."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        left = ends - time.monotonic()
        if left <= 0 or len(head) > _MOST_BYTES:
            raise ProxyRefused("the forward proxy gave no answer")
        sock.settimeout(left)
        # Looked at first, then taken up to where the head ends: the peer may speak at once, as SSH servers do.
        seen = sock.recv(4096, socket.MSG_PEEK)
        if not seen:
            raise ProxyRefused("the forward proxy hung up")
        ends_at = (head + seen).find(b"\r\n\r\n")
        wanted = len(seen) if ends_at < 0 else ends_at + 4 - len(head)
        head += sock.recv(max(wanted, 1))
    return head
