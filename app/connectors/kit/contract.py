"""What passes between a job and the kit: a call and its report. And what a connector's folder must hold."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Literal

import jsonschema_rs

from app.connectors.kit.consistency import read_manifest
from app.connectors.kit.manifest import Action, Manifest, ManifestWrong
from app.connectors.kit.settings import NOBODY_SET, ConnectionConfig, faults_of
from app.kernel.outcomes import Outcome
from app.vault.secret import Secret

CONNECTION: Final = "connection"  # the fixture that says how the connection is set


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionCall:
    """One attempt of a run.

    `idempotency_key` is the run's and the same in every attempt. `attempt` counts from 1. `earlier_unknown` says that
    an earlier attempt was begun and no report with `certain` was stored: the worker died, or the peer fell silent.
    `unknown_for` is how long ago the first such attempt began: a peer remembers a key only for so long.
    `connection` is what budgets and failures are counted by; without it nothing is. `about` is the onboarding that it
    is for: a pilot is of some. `stopped` is asked before every request after the first: True, and no more is sent.
    `sandbox`: the tenant is one, so only a stand-in is called. `auth`: which way the connection signs in, and its plain
    fields for it. `renew`: gives other secrets after the peer has refused these, or says how the attempt ends.
    """

    provider: str
    action: str
    input: Mapping[str, Any]  # Any: JSON, checked against the manifest
    idempotency_key: str
    secrets: Mapping[str, Secret]
    auth: Mapping[str, str] = field(default_factory=dict)
    renew: Renew | None = field(default=None, repr=False)
    attempt: int = 1
    earlier_unknown: bool = False
    sandbox: bool = False
    unknown_for: timedelta = timedelta()
    connection: str = ""
    about: str = ""
    config: ConnectionConfig = NOBODY_SET
    stopped: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """How an attempt went; all of it may be stored.

    `certain` is False where the peer may have done something that we do not know of. `code` is a stable word for it,
    `excerpt` the start of the peer's error answer with secrets blotted out: hostile text, for people who look closer.
    `put_off`: nothing was sent, because a budget is spent or the peer fails for all; it counts as no attempt.
    """

    outcome: Outcome
    code: str
    certain: bool = True
    sent: bool = False
    status: int | None = None
    elapsed: float = 0.0
    put_off: bool = False
    excerpt: str = field(default="", repr=False)

    def __str__(self) -> str:
        """For authors of connectors: the word and the status first, then what follows and why."""
        status = f"status {self.status}" if self.status else "an answer" if self.sent else "nothing sent"
        known = "" if self.certain else ", not known whether it was done"
        why = getattr(self.outcome, "reason", "")
        return f"{self.code} ({status}{known}): {type(self.outcome).__name__}{f', {why}' if why else ''}"


# Other secrets for a call whose first were refused, or the report that ends the attempt.
Renew = Callable[[], Mapping[str, Secret] | CallReport]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a call proves itself with: part of every `ActionCall` of one connection."""

    secrets: Mapping[str, Secret] = field(repr=False)
    auth: Mapping[str, str] = field(default_factory=dict)
    renew: Renew | None = field(default=None, repr=False)
    connection: str = ""
    config: ConnectionConfig = NOBODY_SET


@dataclass(frozen=True)
class Place:
    """One value that an action takes, as a person can give it."""

    name: str
    label: str
    type: Literal["text", "integer", "boolean", "select"]
    required: bool
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Connector:
    """A provider's folder, read and checked."""

    manifest: Manifest
    folder: Path
    inputs: Mapping[str, jsonschema_rs.Validator]
    outputs: Mapping[str, jsonschema_rs.Validator]

    def action(self, name: str) -> Action | None:
        """The action of that name."""
        return self.manifest.actions.get(name)

    def places(self, action: str) -> dict[str, Place]:
        """What an action takes, by name; its secrets are not among it."""
        schema = self.manifest.actions[action].input
        needed = schema.get("required", ())
        return {
            name: _place(name, each, required=name in needed)
            for name, each in schema.get("properties", {}).items()
            if not each.get("writeOnly")
        }

    def unfit(self, action: str, given: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What an action cannot be called with: the name of each value, or "", and why."""
        return [("/".join(str(part) for part in wrong.instance_path), wrong.message[:200])
                for wrong in self.inputs[action].iter_errors(dict(given))]  # fmt: skip

    def example(self) -> ConnectionConfig:
        """A connection as the fixtures were recorded with; of most connectors it is one that nobody set."""
        path = self.folder / "fixtures" / f"{CONNECTION}.json"
        document = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return ConnectionConfig.read({"level": "write", **document})

    def fixture(self, action: str) -> dict[str, Any]:
        """The recorded exchange of an action: `input`, and `output` as the runner reports it."""
        found: dict[str, Any] = json.loads((self.folder / "fixtures" / f"{action}.json").read_text(encoding="utf-8"))
        return found


def read_connector(folder: Path) -> Connector:
    """Read a provider's folder and hold it to the contract. Raises ManifestWrong."""
    connector = read_unrecorded(folder)
    for file, place, said in faults_of_fixtures(connector):
        raise ManifestWrong(f"{folder}: {file}: {place or '/'}: {said}")
    return connector


def read_unrecorded(folder: Path) -> Connector:
    """The same without its recorded exchanges: somebody is about to record them. Raises ManifestWrong."""
    if not (folder / "manifest.yaml").is_file():
        raise ManifestWrong(f"{folder}: there is no connector: manifest.yaml is missing")
    manifest = read_manifest(folder / "manifest.yaml")
    if manifest.provider != folder.name:
        raise ManifestWrong(f"{folder}: the provider is called {manifest.provider}, the folder is not")
    for needed in ("stand_in.py", "README.md", "__init__.py"):
        if not (folder / needed).is_file():
            raise ManifestWrong(f"{folder}: {needed} is missing")
    return Connector(
        manifest=manifest,
        folder=folder,
        inputs={name: _validator(folder, name, action.input) for name, action in manifest.actions.items()},
        outputs={name: _validator(folder, name, action.output) for name, action in manifest.actions.items()},
    )


def faults_of_fixtures(connector: Connector, *only: str) -> Iterator[tuple[str, str, str]]:
    """Each file of `fixtures`, or each of those, that is missing or does not fit; where in it, and why."""
    for name in only or (CONNECTION, *connector.manifest.actions):
        fault = _fault_of_connection(connector) if name == CONNECTION else _fault_of_fixture(connector, name)
        if fault:
            yield f"fixtures/{name}.json", *fault


def _place(name: str, schema: Mapping[str, Any], *, required: bool) -> Place:
    label = str(schema.get("title") or name.replace("_", " ").capitalize())
    if "enum" in schema:
        return Place(name, label, "select", required, tuple(str(each) for each in schema["enum"]))
    kinds: dict[str, Literal["integer", "boolean"]] = {"integer": "integer", "boolean": "boolean"}
    return Place(name, label, kinds.get(str(schema.get("type")), "text"), required)


def _validator(folder: Path, action: str, schema: dict[str, Any]) -> jsonschema_rs.Validator:
    try:
        jsonschema_rs.meta.validate(schema)
        return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    except (jsonschema_rs.ValidationError, ValueError) as error:
        raise ManifestWrong(f"{folder}: /actions/{action}: {error}") from error


def _fault_of_connection(connector: Connector) -> tuple[str, str] | None:
    try:
        jsonschema_rs.meta.validate(connector.manifest.config)
        faults = faults_of(connector, connector.example())
    except (OSError, ValueError, jsonschema_rs.ValidationError) as error:
        return "", _first_line(error)
    if faults and not (connector.folder / "fixtures" / f"{CONNECTION}.json").is_file():
        return "", 'is missing: write {"settings": {…}} with what `config` of the manifest requires'
    return faults[0] if faults else None


def _fault_of_fixture(connector: Connector, action: str) -> tuple[str, str] | None:
    try:
        fixture = connector.fixture(action)
        for side, schemas in (("input", connector.inputs), ("output", connector.outputs)):
            for wrong in schemas[action].iter_errors(fixture[side]):
                return "/" + "/".join(str(part) for part in (side, *wrong.instance_path)), wrong.message[:200]
    except FileNotFoundError:
        return "", f"is missing: `slipway connectors record {connector.folder} {action} --input JSON` writes it"
    except (KeyError, TypeError):
        return "", 'must be {"input": …, "output": …}'
    except (OSError, ValueError) as error:
        return "", _first_line(error)
    return None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
