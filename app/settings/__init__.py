"""The settings of one installation: read once from the environment, checked at start, handed on to child programs.

Imported only by entries and `bootstrap`. The list of names that docs/configuration.md shows is `DOCUMENTED`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlsplit

from app.kernel.errors import Invalid
from app.settings.documented import DOCUMENTED, Documented
from app.settings.values import (
    NO_PROXY,
    AddressBookEntry,
    MailServer,
    address_book,
    bundle_keys,
    database_place,
    database_url,
    existing_file,
    folder,
    forward_proxy,
    is_local_name,
    is_loopback,
    mail_address,
    mail_server,
    mount_path,
    number,
    one_of,
    proxies,
    public_url,
    redis_url,
    served_address,
    vault_url,
)
from tenants.registry import FIRST_CELL

__all__ = ["DOCUMENTED", "MAIN_CELL", "BadSettings", "Documented", "Settings", "cell_variable"]
Value = TypeVar("Value")
LogFormat = Literal["text", "json"]


MAIN_CELL = FIRST_CELL
CONTROL = "SLIPWAY_CONTROL_URL"
SAME_DATABASE = (
    "names the same database as {other}. They may share a server, not a database: create another one for the cell."
)
_SIZES = ("worker_threads", "tenant_jobs", "gateways", "warm_slots")
_PACES = ("rate_scale", "queue_age", "drift_hours", "mark_days")
_CELL_VARIABLE = re.compile(r"SLIPWAY_CELL_(.+)_URL")
_CELL_NAME = re.compile(r"[A-Z][A-Z0-9]{0,19}")
OPEN_INBOX = (
    "shows every mail to whoever can reach the page and is refused when hosts other than localhost are served. "
    "Unset it, or serve http://localhost on 127.0.0.1."
)
OPEN_ADDRESS_BOOK = (
    "opens local ports to outgoing calls and is refused when hosts other than localhost are served. "
    "Unset it, or serve http://localhost on 127.0.0.1."
)

VAULT_UNOPENED = (
    "is not set. The vault at SLIPWAY_TRANSIT_URL lets nobody in without a token: name the file that holds it."
)


def cell_variable(name: str) -> str:
    """The setting that holds the URL of the cell of that name."""
    return "SLIPWAY_CELL_URL" if name == MAIN_CELL else f"SLIPWAY_CELL_{name.upper()}_URL"


class BadSettings(Invalid):
    """The environment holds settings that cannot be used; `errors` has one (variable, sentence) for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that may differ between two installations. URLs that may hold a password stay out of the repr."""

    control_url: str = field(repr=False)
    cell_url: str = field(repr=False)
    more_cells: Mapping[str, str] = field(repr=False)  # name → URL, beside the first
    redis_url: str = field(repr=False)
    keyring: Path
    worker_keyring: Path
    keyring_backup_days: int
    transit_url: str | None
    transit_mount: str
    transit_token_file: Path | None
    transit_ca_file: Path | None
    http_port: int
    http_host: str
    http_socket: int | None
    public_url: str
    smtp_url: str = field(repr=False)
    mail_from: str
    inbox: Path | None
    address_book: tuple[AddressBookEntry, ...]
    egress_proxy: str | None = field(repr=False)
    worker_threads: int
    tenant_jobs: int
    gateways: int
    warm_slots: int
    bundles: Path
    bundle_mib: int
    bundle_hours: int
    bundle_recipients: tuple[str, ...]
    files: Path
    file_mib: int
    rate_scale: int
    queue_age: int
    drift_hours: int
    mark_days: int
    trusted_proxies: tuple[str, ...]
    log_format: LogFormat

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Read and check every setting. Raises BadSettings that lists all that is wrong, not only the first."""
        read = _Reader(environ)
        port = read("SLIPWAY_HTTP_PORT", number(1, 65535))
        public = read("SLIPWAY_PUBLIC_URL", public_url, default=f"http://localhost:{port or 8000}")
        sender = f"no-reply@{urlsplit(public or 'http://localhost').hostname}"
        values: dict[str, object] = {
            "control_url": read("SLIPWAY_CONTROL_URL", database_url),
            "cell_url": read("SLIPWAY_CELL_URL", database_url),
            "more_cells": read.cells(),
            "redis_url": read("SLIPWAY_REDIS_URL", redis_url),
            **_key_store(read),
            "http_port": port,
            "http_host": read("SLIPWAY_HTTP_HOST", served_address),
            "http_socket": read("SLIPWAY_HTTP_SOCKET", lambda raw: number(3, 1 << 20)(raw) if raw else None),
            "public_url": public,
            "smtp_url": read("SLIPWAY_SMTP_URL", lambda raw: mail_server(raw) and raw),
            "mail_from": read("SLIPWAY_MAIL_FROM", mail_address, default=sender),
            "inbox": read("SLIPWAY_INBOX", lambda raw: folder(raw) if raw else None),
            "address_book": read("SLIPWAY_ADDRESS_BOOK", address_book),
            "egress_proxy": read("SLIPWAY_EGRESS_PROXY", lambda raw: forward_proxy(raw) if raw else None),
            "worker_threads": read("SLIPWAY_WORKER_THREADS", number(1, 256)),
            "tenant_jobs": read("SLIPWAY_TENANT_JOBS", number(1, 10_000)),
            "gateways": read("SLIPWAY_GATEWAYS", number(1, 32)),
            "warm_slots": read("SLIPWAY_WARM_SLOTS", number(1, 1000)),
            **_senders(read),
            "log_format": read("SLIPWAY_LOG_FORMAT", one_of("text", "json")),
        }
        read.raise_errors()
        settings = cls(**values)  # type: ignore[arg-type]  # each parser above gives its field's type or has complained
        settings.check()
        return settings

    @staticmethod
    def address_to_serve(environ: Mapping[str, str]) -> tuple[str, int]:
        """Host and port alone, for whoever must bind before the rest can be known. Raises BadSettings."""
        read = _Reader(environ)
        host, port = read("SLIPWAY_HTTP_HOST", served_address), read("SLIPWAY_HTTP_PORT", number(1, 65535))
        read.raise_errors()
        return host or "127.0.0.1", port or 8000

    def check(self) -> None:
        """Refuse values that are fine alone but not together. Raises BadSettings."""
        errors: list[tuple[str, str]] = []
        taken = {database_place(self.control_url): CONTROL}
        for name, url in self.cell_urls.items():
            place, variable = database_place(url), cell_variable(name)
            if place in taken:
                errors.append((variable, SAME_DATABASE.format(other=taken[place])))
            taken[place] = variable
        if self.inbox and not self.serves_only_localhost:
            errors.append(("SLIPWAY_INBOX", OPEN_INBOX))
        if self.address_book and not self.serves_only_localhost:
            errors.append(("SLIPWAY_ADDRESS_BOOK", OPEN_ADDRESS_BOOK))
        if self.transit_url and not self.transit_token_file:
            errors.append(("SLIPWAY_TRANSIT_TOKEN_FILE", VAULT_UNOPENED))
        _raise(errors)

    @property
    def cell_urls(self) -> dict[str, str]:
        """Every cell this program has an address for, by name; the first one is `main`."""
        return {MAIN_CELL: self.cell_url, **self.more_cells}

    @property
    def public_host(self) -> str:
        """The platform's own host name, without port."""
        return urlsplit(self.public_url).hostname or "localhost"

    @property
    def serves_only_localhost(self) -> bool:
        """Whether nobody outside this machine is meant to reach the web program."""
        return is_local_name(self.public_host) and is_loopback(self.http_host)

    @property
    def smtp(self) -> MailServer:
        """Where mail goes, taken apart."""
        return mail_server(self.smtp_url)

    def environment(self) -> dict[str, str]:
        """The variables that make `from_environment` give these settings again, every default spelled out."""
        return {
            "SLIPWAY_CONTROL_URL": self.control_url,
            **{cell_variable(name): url for name, url in self.cell_urls.items()},
            "SLIPWAY_REDIS_URL": self.redis_url,
            "SLIPWAY_KEYRING": str(self.keyring),
            "SLIPWAY_WORKER_KEYRING": str(self.worker_keyring),
            "SLIPWAY_KEYRING_BACKUP_DAYS": str(self.keyring_backup_days),
            "SLIPWAY_TRANSIT_URL": self.transit_url or "",
            "SLIPWAY_TRANSIT_MOUNT": self.transit_mount,
            "SLIPWAY_TRANSIT_TOKEN_FILE": str(self.transit_token_file or ""),
            "SLIPWAY_TRANSIT_CA_FILE": str(self.transit_ca_file or ""),
            "SLIPWAY_HTTP_PORT": str(self.http_port),
            "SLIPWAY_HTTP_HOST": self.http_host,
            "SLIPWAY_HTTP_SOCKET": "" if self.http_socket is None else str(self.http_socket),
            "SLIPWAY_PUBLIC_URL": self.public_url,
            "SLIPWAY_SMTP_URL": self.smtp_url,
            "SLIPWAY_MAIL_FROM": self.mail_from,
            "SLIPWAY_INBOX": "" if self.inbox is None else str(self.inbox),
            "SLIPWAY_ADDRESS_BOOK": ",".join(str(entry) for entry in self.address_book),
            "SLIPWAY_EGRESS_PROXY": self.egress_proxy or "",
            **{f"SLIPWAY_{name.upper()}": str(getattr(self, name)) for name in _SIZES},
            "SLIPWAY_BUNDLES": str(self.bundles),
            **{f"SLIPWAY_{name.upper()}": str(getattr(self, name)) for name in ("bundle_mib", "bundle_hours")},
            "SLIPWAY_BUNDLE_RECIPIENTS": ",".join(self.bundle_recipients),
            **{f"SLIPWAY_{name.upper()}": str(getattr(self, name)) for name in ("files", "file_mib")},
            **{f"SLIPWAY_{name.upper()}": str(getattr(self, name)) for name in _PACES},
            "SLIPWAY_TRUSTED_PROXIES": ",".join(self.trusted_proxies) or NO_PROXY,
            "SLIPWAY_LOG_FORMAT": self.log_format,
        }


class _Reader:
    """Reads variables one by one and remembers what was wrong with each, without ever repeating a secret value."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._errors: list[tuple[str, str]] = []
        self._defaults = {entry.name: entry.default for entry in DOCUMENTED}

    def __call__(self, name: str, parse: Callable[[str], Value], *, default: str | None = None) -> Value | None:
        fallback = self._defaults[name] if default is None else default
        raw = self._environ.get(name, "").strip() or fallback
        if raw is None:
            self._errors.append((name, "is not set. Set it, or run `slipway demo`, which brings its own servers."))
            return None
        try:
            return parse(raw)
        except ValueError as error:
            self._errors.append((name, str(error)))
            return None

    def cells(self) -> dict[str, str]:
        """The URLs of further cells, by the name in their variable."""
        found: dict[str, str] = {}
        for variable in sorted(self._environ):
            match = _CELL_VARIABLE.fullmatch(variable)
            if match is None or not self._environ[variable].strip():
                continue
            if not _CELL_NAME.fullmatch(match[1]) or match[1].lower() == MAIN_CELL:
                self._errors.append((variable, "names a cell that cannot be: use letters and digits, at most 20."))
            elif (url := self(variable, database_url, default="")) is not None:
                found[match[1].lower()] = url
        return found

    def raise_errors(self) -> None:
        _raise(self._errors)


def _key_store(read: _Reader) -> dict[str, object]:
    keyring = read("SLIPWAY_KEYRING", folder)
    return {
        "keyring": keyring,
        "worker_keyring": read("SLIPWAY_WORKER_KEYRING", folder, default=f"{keyring}-worker"),
        **_bundles(read, default=f"{keyring}-bundles"),
        "files": read("SLIPWAY_FILES", folder, default=f"{keyring}-files"),
        "file_mib": read("SLIPWAY_FILE_MIB", number(1, 1024)),
        "keyring_backup_days": read("SLIPWAY_KEYRING_BACKUP_DAYS", number(0, 3650)),
        "transit_url": read("SLIPWAY_TRANSIT_URL", lambda raw: vault_url(raw) if raw else None),
        "transit_mount": read("SLIPWAY_TRANSIT_MOUNT", mount_path),
        "transit_token_file": read("SLIPWAY_TRANSIT_TOKEN_FILE", lambda raw: existing_file(raw) if raw else None),
        "transit_ca_file": read("SLIPWAY_TRANSIT_CA_FILE", lambda raw: existing_file(raw) if raw else None),
    }


def _senders(read: _Reader) -> dict[str, object]:
    return {
        "rate_scale": read("SLIPWAY_RATE_SCALE", number(1, 1000)),
        "queue_age": read("SLIPWAY_QUEUE_AGE", number(0, 86_400)),
        "drift_hours": read("SLIPWAY_DRIFT_HOURS", number(0, 720)),
        "mark_days": read("SLIPWAY_MARK_DAYS", number(31, 3650)),
        "trusted_proxies": read("SLIPWAY_TRUSTED_PROXIES", proxies),
    }


def _bundles(read: _Reader, *, default: str) -> dict[str, object]:
    return {
        "bundles": read("SLIPWAY_BUNDLES", folder, default=default),
        "bundle_mib": read("SLIPWAY_BUNDLE_MIB", number(1, 1 << 20)),
        "bundle_hours": read("SLIPWAY_BUNDLE_HOURS", number(1, 8760)),
        "bundle_recipients": read("SLIPWAY_BUNDLE_RECIPIENTS", bundle_keys),
    }


def _raise(errors: list[tuple[str, str]]) -> None:
    if errors:
        lines = "\n".join(f"  {name} {sentence}" for name, sentence in errors)
        raise BadSettings(f"Slipway cannot start with these settings:\n{lines}", errors=errors)
