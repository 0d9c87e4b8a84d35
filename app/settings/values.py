"""How the text of one setting becomes a checked value.

Every parser raises ValueError with a sentence that goes on after the variable's name; none repeats a secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from app.kernel.outbound.egress import AddressBook, AddressBookWrong
from app.kernel.outbound.proxy import ForwardProxy

HOST_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?)*")

NO_PROXY = "none"
_BUNDLE_KEY = re.compile(r"slwb1-[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class AddressBookEntry:
    """One real address whose calls go to a port of this machine (DESIGN 9)."""

    host: str
    port: int
    local_port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}={self.local_port}"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed over. `tls` is TLS from the first byte; otherwise STARTTLS is for the sender to ask for."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None

    def __repr__(self) -> str:
        return f"MailServer(host={self.host!r}, port={self.port}, tls={self.tls}, user={self.user!r})"


def number(low: int, high: int) -> Callable[[str], int]:
    """A parser of whole numbers from `low` to `high`, both included."""

    def parse(raw: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", raw) or not low <= int(raw) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}.")
        return int(raw)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """A parser that lets only these words through."""

    def parse(raw: str) -> str:
        if raw not in words:
            raise ValueError(f"must be one of: {', '.join(words)}.")
        return raw

    return parse


def folder(raw: str) -> Path:
    """An absolute folder; it need not exist yet."""
    return Path(raw).expanduser().absolute()


def existing_file(raw: str) -> Path:
    """An absolute path of a file that is there."""
    path = folder(raw)
    if not path.is_file():
        raise ValueError(f"names {path}, which is not a file.")
    return path


def vault_url(raw: str) -> str:
    """scheme://host[:port] of a vault; plain http only on this machine: a token would be overheard."""
    parts = _split(raw.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL like https://vault.example.com:8200.")
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        raise ValueError("must end after the host and port: no user, no path, no query.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("must be https: plain http is for 127.0.0.1 only, where the token cannot be overheard.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def mount_path(raw: str) -> str:
    """Where an engine is mounted in a vault: words between single slashes."""
    path = raw.strip("/")
    if re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", path) is None:
        raise ValueError("must be the path of a mount, like transit or platform/transit.")
    return path


def database_url(raw: str) -> str:
    """A URL that psycopg understands and that names a user and a database."""
    if not raw.startswith(("postgresql://", "postgres://")):
        raise ValueError("must be a URL like postgresql://user:password@host:5432/database.")
    try:
        parts = conninfo_to_dict(raw)
    except psycopg.ProgrammingError:
        raise ValueError("is not a URL PostgreSQL understands: check for unescaped signs in the password.") from None
    for part, word in (("user", "user"), ("dbname", "database")):
        if not parts.get(part):
            raise ValueError(f"names no {word}.")
    return raw


def database_place(url: str) -> tuple[str, str, str]:
    """Server and database of a URL in one spelling: two URLs of one place compare equal."""
    parts = conninfo_to_dict(url)
    host = str(parts.get("hostaddr") or parts.get("host") or "localhost").lower()
    if is_local_name(host) or is_loopback(host):
        host = "localhost"
    return host, str(parts.get("port") or 5432), str(parts["dbname"])


def redis_url(raw: str) -> str:
    """A redis://, rediss:// or unix:// URL; a unix URL names an absolute path."""
    parts = _split(raw)
    if parts.scheme == "unix":
        if not parts.path.startswith("/") or parts.hostname:
            raise ValueError("must name an absolute path: unix:///run/valkey.sock?db=0.")
        numbers = parse_qs(parts.query).get("db", ["0"])
    elif parts.scheme in {"redis", "rediss"}:
        if not parts.hostname:
            raise ValueError("names no host: redis://host:6379/0.")
        numbers = [parts.path.strip("/") or "0"]
    else:
        raise ValueError("must start with redis://, rediss:// or unix://.")
    if not all(re.fullmatch(r"[0-9]{1,4}", n) for n in numbers):
        raise ValueError("must name the logical database by a number.")
    return raw


def served_address(raw: str) -> str:
    """An IP address or a host name to listen on."""
    try:
        return str(ipaddress.ip_address(raw))
    except ValueError:
        return _host_name(raw)


def public_url(raw: str) -> str:
    """scheme://host[:port] and nothing after it; plain http only for localhost."""
    parts = _split(raw.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be a URL like https://onboarding.example.com.")
    if parts.username is not None or parts.path or parts.query or parts.fragment:
        raise ValueError("must end after the host and port: no user, no path, no query.")
    if parts.scheme == "http" and not is_local_name(parts.hostname):
        raise ValueError("must be https: plain http is for localhost only, where sessions cannot be overheard.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def mail_server(raw: str) -> MailServer:
    """smtp://[user:password@]host[:port] or smtps://…; ports 25 and 465 when none is named."""
    parts = _split(raw)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("must be a URL like smtp://user:password@mail.example.com:587 or smtps://mail.example.com.")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("must name user and password together, or neither.")
    tls = parts.scheme == "smtps"
    user, password = (None if word is None else unquote(word) for word in (parts.username, parts.password))
    return MailServer(parts.hostname, parts.port or (465 if tls else 25), tls, user, password)


def mail_address(raw: str) -> str:
    """One bare mail address."""
    name, address = parseaddr(raw)
    local, at, domain = address.rpartition("@")
    if name or not at or not local or not domain or address != raw or re.search(r"[\s,;<>]", raw):
        raise ValueError("must be one bare mail address like no-reply@example.com.")
    return raw


def address_book(raw: str) -> tuple[AddressBookEntry, ...]:
    """host:port=localport, separated by commas, as the egress guard reads it."""
    try:
        book = AddressBook.parse(raw.lower())
    except AddressBookWrong as error:
        raise ValueError(f"cannot be used: {error}") from None
    return tuple(AddressBookEntry(host, port, local) for (host, port), local in book.entries.items())


def forward_proxy(raw: str) -> str:
    """http://[user:password@]host:port of a proxy that speaks CONNECT, as it was given."""
    ForwardProxy.parse(raw)
    return raw


def bundle_keys(raw: str) -> tuple[str, ...]:
    """Public bundle keys, separated by commas. Raises ValueError."""
    keys = tuple(key for key in (part.strip() for part in raw.split(",")) if key)
    if not all(_BUNDLE_KEY.fullmatch(key) for key in keys):
        raise ValueError("holds something else than bundle keys. `slipway tenants key` prints one over there.")
    return keys


def proxies(raw: str) -> tuple[str, ...]:
    """Addresses and networks, separated by commas; `none` for none."""
    if raw == NO_PROXY:
        return ()
    try:
        networks = [ipaddress.ip_network(part.strip(), strict=False) for part in raw.split(",") if part.strip()]
    except ValueError:
        raise ValueError("is not a list of addresses or networks such as 127.0.0.1,10.0.0.0/8.") from None
    return tuple(str(one.network_address if one.prefixlen == one.max_prefixlen else one) for one in networks)


def is_local_name(host: str) -> bool:
    """Whether a name always means this machine: localhost, its subdomains and the loopback addresses."""
    return host == "localhost" or host.endswith(".localhost") or is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether an address to listen on reaches no further than this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host_name(raw: str) -> str:
    lower = raw.lower()
    if HOST_NAME.fullmatch(lower) is None:
        raise ValueError(f"names {raw!r}, which is not a host name or an IP address.")
    return lower


class _Parts:
    """urlsplit whose late errors (a bad port, a bracket too many) come early and without the value in their text."""

    def __init__(self, raw: str) -> None:
        parts = urlsplit(raw)
        self.scheme, self.netloc, self.path = parts.scheme, parts.netloc, parts.path
        self.query, self.fragment = parts.query, parts.fragment
        self.hostname, self.port = parts.hostname, parts.port
        self.username, self.password = parts.username, parts.password


def _split(raw: str) -> _Parts:
    try:
        return _Parts(raw)
    except ValueError:
        raise ValueError("is not a URL: check host and port.") from None
