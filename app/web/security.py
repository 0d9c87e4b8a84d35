"""What every answer carries, what every cookie is called, and how a request proves that it came from our own page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from uuid import UUID

from app.kernel.errors import Forbidden
from app.web.translations import mark

if TYPE_CHECKING:  # a worker that makes links reads this module, and no web framework
    from litestar.connection import ASGIConnection
    from litestar.datastructures import Cookie

    Connection = ASGIConnection[Any, Any, Any, Any]  # Litestar's own four parameters: handler, user, auth, state
else:
    Connection = Any
MAX_BODY = 1024 * 1024  # bytes; a door that takes files says its own limit

# Inline styles and scripts do not run, so what slips past escaping does nothing (anchors: strict CSP).
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# `same-origin`, not `no-referrer`: with the latter browsers send `Origin: null` with our own forms.
HEADERS = {
    b"content-security-policy": CONTENT_SECURITY_POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
}
_STRICT_TRANSPORT = b"max-age=31536000"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class NotFromHere(Forbidden):
    """A changing request whose sender cannot show that it is a page of this very host."""


@dataclass(frozen=True, slots=True)
class Front:
    """How people reach this installation: every link, cookie name and problem type is made from it.

    `inbox` is the address of the demo's mail sink, empty elsewhere; `metrics_open` shows /metrics beyond loopback.
    """

    scheme: str
    port: int | None
    cookie_id: str
    inbox: str = ""
    metrics_open: bool = False

    @classmethod
    def of(cls, public_url: str, installation_id: UUID, *, inbox: str = "", metrics_open: bool = False) -> Self:
        """From the public URL of the settings and the installation's id, whose six digits keep neighbours apart."""
        parts = urlsplit(public_url)
        port = None if parts.port == _DEFAULT_PORTS.get(parts.scheme) else parts.port
        return cls(parts.scheme, port, installation_id.hex[:6], inbox=inbox, metrics_open=metrics_open)

    def url(self, host: str, path: str) -> str:
        """The full address of a path on one of our hosts. Never made from what a request claims."""
        return f"{self.scheme}://{host}{f':{self.port}' if self.port else ''}{path}"

    def cookie_name(self, word: str) -> str:
        """`__Host-` binds the cookie to this host and to TLS (browsers take *.localhost for safe)."""
        return f"__Host-{word}-{self.cookie_id}"

    def cookie(self, word: str, value: str, *, seconds: int | None = None) -> Cookie:
        """A cookie that scripts cannot read and other sites cannot send along with a POST."""
        from litestar.datastructures import Cookie

        return Cookie(
            key=self.cookie_name(word),
            value=value,
            path="/",
            secure=True,
            httponly=True,
            samesite="lax",
            max_age=seconds,
        )

    def answer_headers(self) -> dict[bytes, bytes]:
        """The headers of every answer that does not set its own."""
        strict = {b"strict-transport-security": _STRICT_TRANSPORT} if self.scheme == "https" else {}
        return HEADERS | strict


def require_same_origin(connection: Connection) -> None:
    """Let a changing request through only from a page of this very host. Raises NotFromHere.

    Every browser of these years says `Sec-Fetch-Site` or `Origin` with a POST; who says neither brings no form of ours.
    """
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None and site != "same-origin":
        raise NotFromHere(_NOT_FROM_HERE)
    if origin is not None:
        if urlsplit(origin).netloc.lower() != connection.headers.get("host", "").lower() or "://" not in origin:
            raise NotFromHere(_NOT_FROM_HERE)
    elif site is None:
        raise NotFromHere(_NOT_FROM_HERE)


_NOT_FROM_HERE = mark("This form did not come from this site.")
