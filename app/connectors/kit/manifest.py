"""What a connector's manifest says, as frozen values. Read and checked here once; nothing here calls anybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import jsonschema_rs
import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from app.connectors.auth.schemes import Auth, AuthorizationCode, Scheme, absolute, way_of, ways_of
from app.connectors.kit import webhooks as hooks
from app.kernel.errors import Invalid

Then = Literal["retry", "rate_limited", "refresh_and_retry", "fail_config", "fail_permanent", "already_done", "ignore"]
_SCHEMA = jsonschema_rs.validator_for(json.loads(Path(__file__).with_name("manifest.schema.json").read_text()))


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


class Limits(msgspec.Struct, frozen=True):
    """Budgets of one run and of one answer."""

    max_attempts: int = 6
    max_response_bytes: int = 262_144


class RequestShape(msgspec.Struct, frozen=True):
    """A request as data: `{name}` stands for that field of the input."""

    method: str
    path: str
    query: dict[str, str] = {}
    body: dict[str, Any] | None = None  # Any: JSON of any shape


class ErrorRule(msgspec.Struct, frozen=True):
    """One line of an error table: a status, optionally a value at a JSON Pointer, and what follows from it."""

    status: int
    then: Then
    at: str | None = None
    equals: str | int | float | bool | None = None


class Action(msgspec.Struct, frozen=True):
    """One thing that the outside system can do, and how safe it is to ask twice."""

    summary: str
    effect: Literal["read", "write", "destructive"]
    request: RequestShape
    idempotency: str
    on_unknown: Literal["resend", "lookup", "queue"]
    input: dict[str, Any]  # Any: a JSON Schema
    output: dict[str, Any]  # Any: a JSON Schema
    lookup: str = ""
    result: str = ""
    timeout: float = 10.0
    errors: tuple[ErrorRule, ...] = ()

    @property
    def key_header(self) -> str | None:
        """The header that carries the idempotency key, where the peer honours one."""
        return self.idempotency.removeprefix("header:") if self.idempotency.startswith("header:") else None

    @property
    def lookup_action(self) -> str:
        """The read action that finds out whether the effect happened, or an empty text."""
        return (
            self.idempotency.removeprefix("natural_key:")
            if self.idempotency.startswith("natural_key:")
            else self.lookup
        )


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

    @property
    def ways(self) -> dict[str, Scheme]:
        """Every way to sign in, by name; the first is the usual one."""
        return ways_of(self.auth)

    def way(self, chosen: Mapping[str, str]) -> Scheme:
        """The way that a connection goes, by the `auth` of its config."""
        return way_of(self.auth, chosen)


def read_manifest(path: Path) -> Manifest:
    """Read and check `manifest.yaml`. Raises ManifestWrong with the place in the text."""
    try:
        document = YAML(typ="safe", pure=True).load(path)
        wrong = next(_SCHEMA.iter_errors(document), None)
    except (YAMLError, ValueError) as error:  # ValueError: aliases that nest without end
        raise ManifestWrong(f"{path}: {error}") from error
    if wrong is not None:
        place = "/".join(str(part) for part in wrong.instance_path)
        raise ManifestWrong(f"{path}: /{place}: {wrong.message}")
    manifest = msgspec.convert(document, Manifest)
    for place, sentence in _contradictions(manifest):
        raise ManifestWrong(f"{path}: /{place}: {sentence}")
    return manifest


def _contradictions(manifest: Manifest) -> list[tuple[str, str]]:
    """What the schema cannot say: names that lead nowhere and promises that the strategy does not keep."""
    found: list[tuple[str, str]] = []
    address = urlsplit(manifest.address)
    if address.hostname not in manifest.egress.hosts:
        found.append(("address", "its host is not among egress.hosts"))
    if address.port not in {None, 443, *manifest.egress.ports}:
        found.append(("address", "its port is not among egress.ports"))
    found += _auth_contradictions(manifest)
    verify = manifest.actions.get(manifest.verify)
    if verify is None or verify.effect != "read" or verify.input.get("required"):
        found.append(("verify", "must name a read action without required input"))
    if manifest.webhooks:
        found += [(f"webhooks/{at}", said) for at, said in hooks.contradictions(manifest.webhooks, manifest.secrets)]
    for name, action in manifest.actions.items():
        found += [(f"actions/{name}", sentence) for sentence in _action_contradictions(manifest, action)]
    return found


def _auth_contradictions(manifest: Manifest) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    ways = manifest.auth if isinstance(manifest.auth, tuple) else (manifest.auth,)
    if len(manifest.ways) != len(ways):
        found.append(("auth", "two ways have one name"))
    for way in ways:
        where = f"auth/{way.way}" if way.way else "auth"
        for slot in way.slots:
            if (kept := manifest.secrets.get(slot)) is None:
                found.append((where, f"the secret {slot} is not among secrets"))
            elif kept.opened_by != "run":
                found.append((where, f"the secret {slot} must be opened by a run"))
        for place, url in way.urls.items():
            called = urlsplit(absolute(manifest.address, url))
            if place != "authorize_url" and called.hostname not in manifest.egress.hosts:
                found.append((f"{where}/{place}", "its host is not among egress.hosts"))
            elif called.port not in {None, 443, *manifest.egress.ports}:
                found.append((f"{where}/{place}", "its port is not among egress.ports"))
        if isinstance(way, AuthorizationCode) and (way.client_auth == "none") == bool(way.client_secret):
            found.append((where, "a client_secret and client_auth: none exclude each other"))
    return found


def _action_contradictions(manifest: Manifest, action: Action) -> list[str]:
    found: list[str] = []
    if action.on_unknown == "resend" and action.effect != "read" and action.key_header is None:
        found.append("resend needs an idempotency header: a second request would be a second effect")
    if action.lookup_action:
        lookup = manifest.actions.get(action.lookup_action)
        if lookup is None or lookup.effect != "read":
            found.append("its lookup must name a read action")
        elif not set(lookup.input.get("required", [])) <= set(action.input["properties"]):
            found.append("its lookup needs input that this action does not have")
    elif action.on_unknown == "lookup":
        found.append("on_unknown: lookup needs a lookup")
    undeclared = placeholders(action.request) - set(action.input["properties"])
    found += [f"the request names {{{field}}}, which is no field of the input" for field in sorted(undeclared)]
    return found


def placeholders(part: object) -> set[str]:
    """The input fields that a request, or a part of it, names."""
    if isinstance(part, RequestShape):
        return placeholders(part.path.split("/")) | placeholders(part.query) | placeholders(part.body)
    if isinstance(part, dict):
        return set[str]().union(*(placeholders(value) for value in part.values()))
    if isinstance(part, list):
        return set[str]().union(*(placeholders(value) for value in part))
    is_field = isinstance(part, str) and part.startswith("{") and part.endswith("}")
    return {str(part)[1:-1]} if is_field else set()
