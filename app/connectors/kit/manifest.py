"""What a connector's manifest says, as frozen values. Read and checked here once; nothing here calls anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from app.connectors.auth.schemes import Auth, Scheme, way_of, ways_of
from app.connectors.kit import webhooks as hooks
from app.connectors.kit.graphql.documents import GraphQL, request_of
from app.kernel.errors import Invalid

Then = Literal["retry", "rate_limited", "refresh_and_retry", "fail_config", "fail_permanent", "already_done", "ignore"]
Level = Literal["read", "draft", "write"]
_NO_CONFIG = {"type": "object", "properties": {}, "additionalProperties": False}
SCHEMA = jsonschema_rs.validator_for(json.loads(Path(__file__).with_name("manifest.schema.json").read_text()))


class ManifestWrong(Invalid):
    """A manifest that cannot be trusted; the program does not start with it. The text names the file and the place."""


class SecretSlot(msgspec.Struct, frozen=True):
    """A secret that a connection needs: its name and purpose by language. `opened_by` decides how it is sealed.

    `rotate_after_days`: when its owner is reminded to change it; None for one that does not age.
    """

    label: dict[str, str]
    purpose: dict[str, str]
    opened_by: Literal["run", "door"]
    rotate_after_days: int | None = None


class Egress(msgspec.Struct, frozen=True):
    """The only hosts (and ports besides 443) that this connector may call."""

    hosts: tuple[str, ...]
    ports: frozenset[int] = frozenset()


class Window(msgspec.Struct, frozen=True):
    """At most so many requests of one connection in so many seconds."""

    requests: int
    seconds: float


class Breaker(msgspec.Struct, frozen=True):
    """After so many failures in a row a connection is left alone for so many seconds, twice as long each time."""

    failures: int = 5
    seconds: float = 30.0


class Limits(msgspec.Struct, frozen=True):
    """Budgets of one run, of one answer and of one connection."""

    max_attempts: int = 6
    max_response_bytes: int = 262_144
    windows: tuple[Window, ...] = ()
    breaker: Breaker = Breaker()


class RequestShape(msgspec.Struct, frozen=True):
    """A request as data: `{name}` stands for that field of the input, `{config.name}` for one of the connection's."""

    method: str
    path: str
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: dict[str, Any] | str | None = None  # Any: JSON of any shape
    encoding: Literal["json", "form"] = "json"


class ErrorRule(msgspec.Struct, frozen=True):
    """One line of an error table: a status, optionally what the answer holds, and what follows from it.

    `code`: that of an error of GraphQL; such a line needs no status (0: any).
    """

    then: Then
    status: int = 0
    code: str = ""
    at: str | None = None
    equals: str | int | float | bool | None = None
    one_of: tuple[str | int | float | bool, ...] = ()
    header: str | None = None
    contains: str | None = None


class Paging(msgspec.Struct, frozen=True):
    """How a list goes on, and where reading it ends whatever the peer says."""

    kind: Literal["cursor", "offset", "link", "next_url", "connection"]
    items: str
    param: str = ""
    next: str = ""
    more: str = ""
    page_info: str = ""
    size: int = 100
    max_pages: int = 10
    max_rows: int = 1000


class Mapped(msgspec.Struct, frozen=True):
    """Which field of the input, and of the output, a connection's own mapping renames; empty: none."""

    request: str = ""
    answer: str = ""


class Action(msgspec.Struct, frozen=True):
    """One thing that the outside system can do, and how safe it is to ask twice."""

    summary: str
    effect: Literal["read", "write", "destructive"]
    request: RequestShape
    idempotency: str
    on_unknown: Literal["resend", "lookup", "queue"]
    input: dict[str, Any]  # Any: a JSON Schema
    output: dict[str, Any]  # Any: a JSON Schema
    access: Level | None = None
    lookup: str = ""
    result: str = ""
    transform: str = ""
    derive: dict[str, str] = {}
    mapped: Mapped = Mapped()
    paging: Paging | None = None
    compensate: str = ""
    key_hours: float | None = None
    timeout: float = 10.0
    errors: tuple[ErrorRule, ...] = ()
    graphql: GraphQL | None = None  # then `request` is made of it

    @property
    def level(self) -> Level:
        """What a connection must be allowed for this action (REQUIREMENTS 1.9)."""
        return self.access or ("read" if self.effect == "read" else "write")

    @property
    def key_header(self) -> str | None:
        """The header that carries the idempotency key, where the peer honours one."""
        return self.idempotency.removeprefix("header:") if self.idempotency.startswith("header:") else None

    @property
    def repeatable(self) -> bool:
        """Whether a second request has no second effect: by a key, or because it names the state that it leaves."""
        return self.key_header is not None or self.idempotency == "same"

    @property
    def lookup_action(self) -> str:
        """The read action that finds out whether the effect happened, or an empty text."""
        return (
            self.idempotency.removeprefix("natural_key:")
            if self.idempotency.startswith("natural_key:")
            else self.lookup
        )


class ChangeNote(msgspec.Struct, frozen=True):
    """What a version changed, why, and what its users do about it, each by language (REQUIREMENTS 1.9, P9)."""

    version: str
    on: date
    what: dict[str, str]
    why: dict[str, str]
    do: dict[str, str]


class Deprecation(msgspec.Struct, frozen=True):
    """A connector that will be gone: announced when, gone when, and what its users move to."""

    since: date
    until: date
    instead: dict[str, str]


class Manifest(msgspec.Struct, frozen=True):
    """A connector as data."""

    provider: str
    title: str
    version: str
    address: str
    auth: Auth
    secrets: dict[str, SecretSlot]
    egress: Egress
    verify: str
    actions: dict[str, Action]
    limits: Limits = Limits()
    webhooks: hooks.Webhooks | None = None
    headers: dict[str, str] = {}
    config: dict[str, Any] = msgspec.field(default_factory=lambda: dict(_NO_CONFIG))  # Any: a JSON Schema
    default_level: Level = "read"
    transport: Literal["https", "sftp"] = "https"
    custom: bool = False
    personal: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    changes: tuple[ChangeNote, ...] = ()
    deprecated: Deprecation | None = None

    @property
    def ways(self) -> dict[str, Scheme]:
        """Every way to sign in, by name; the first is the usual one."""
        return ways_of(self.auth)

    def way(self, chosen: Mapping[str, str]) -> Scheme:
        """The way that a connection goes, by the `auth` of its config."""
        return way_of(self.auth, chosen)


def load_manifest(path: Path) -> Manifest:
    """Read `manifest.yaml` and hold it to its schema. Raises ManifestWrong with the place in the text."""
    try:
        document = YAML(typ="safe", pure=True).load(path)
        wrong = next(SCHEMA.iter_errors(document), None)
    except (YAMLError, ValueError) as error:  # ValueError: aliases that nest without end
        raise ManifestWrong(f"{path}: {error}") from error
    if wrong is not None:
        place = "/".join(str(part) for part in wrong.instance_path)
        raise ManifestWrong(f"{path}: /{place}: {wrong.message}")
    for name, action in document["actions"].items():
        if "graphql" in action:
            action["request"] = _request_of(path, name, action["graphql"])
    return msgspec.convert(document, Manifest)


def _request_of(path: Path, action: str, told: dict[str, Any]) -> dict[str, Any]:
    try:
        return request_of(told, path.parent)
    except (OSError, ValueError) as error:
        raise ManifestWrong(f"{path}: /actions/{action}/graphql/document: {told['document']} cannot be read") from error
