"""How one connection is set: its settings, what it may do, its own mappings. And where they stand in a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, get_args

import jsonschema_rs

from app.connectors.kit.answers.mapping import MOST_FIELDS, MappingWrong, compile_expression, fields_named
from app.connectors.kit.manifest import Level, Manifest
from app.kernel.errors import Invalid

if TYPE_CHECKING:
    from app.connectors.kit.contract import Connector

CONFIG: Final = "config."
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
_PLACE: Final = re.compile(r"\{\+?config\.([a-z][a-z0-9_]{1,39})\}")
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_WHOLE_HOST: Final = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_ONE_LABEL: Final = re.compile(_LABEL)
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}(\.[A-Za-z_][A-Za-z0-9_]{0,59}){0,4}")
_SIDES: Final = ("request", "answer")

# A mapping of one side of one action: the field that is made → where its value comes from.
Side = Mapping[str, str]


class SettingsUnfit(Invalid):
    """The connection's settings do not fit what its connector asks for."""


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """A connection as somebody set it; version 0 is one that nobody did."""

    version: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON, checked against the manifest
    level: Level | None = None
    mappings: Mapping[str, Mapping[str, Side]] = field(default_factory=dict)
    release: Mapping[str, Any] | None = field(
        default=None, compare=False
    )  # no part of a version: how far it is let out

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> ConnectionConfig:
        """From the stored document."""
        return cls(
            version=document.get("version", 0),
            settings=document.get("settings", {}),
            level=document.get("level"),
            mappings=document.get("mappings", {}),
            release=document.get("release"),
        )

    def document(self) -> dict[str, Any]:
        """As it is stored."""
        mappings = {action: {side: dict(told) for side, told in each.items()} for action, each in self.mappings.items()}
        return {"version": self.version, "settings": dict(self.settings), "level": self.level, "mappings": mappings}

    def allows(self, manifest: Manifest, wanted: Level) -> bool:
        """Whether an action of that level may be called."""
        return LEVELS.index(wanted) <= LEVELS.index(self.level or manifest.default_level)

    def side(self, action: str, side: str) -> Side:
        """The mapping of one side of an action; empty where nothing is renamed."""
        return self.mappings.get(action, {}).get(side, {})


NOBODY_SET: Final = ConnectionConfig()


def host_filled(template: str, settings: Mapping[str, Any]) -> str:
    """An address or host with its settings in place; each is a whole label, or the whole host. Raises SettingsUnfit."""
    scheme, separator, rest = template.rpartition("//")
    host, colon, port = rest.partition(":") if "{" not in rest.rpartition(":")[2] else (rest, "", "")
    alone = _PLACE.fullmatch(host) is not None

    def put(found: re.Match[str]) -> str:
        value = str(settings.get(found[1], ""))
        if not (_WHOLE_HOST if alone else _ONE_LABEL).fullmatch(value):
            raise SettingsUnfit(
                f"The setting {found[1]} is no {'host name' if alone else 'part of a host name'}.",
                errors=[(f"/settings/{found[1]}", "cannot stand in a web address")],
            )
        return value

    return f"{scheme}{separator}{_PLACE.sub(put, host)}{colon}{port}"


def weak_place(schema: Mapping[str, Any], name: str) -> str:
    """Why a property may not stand in a host, or an empty text."""
    told = schema.get("properties", {}).get(name, {})
    if "enum" in told:
        return ""
    pattern = str(told.get("pattern", ""))
    if not (pattern.startswith("^") and pattern.endswith("$")):
        return "stands in a host and needs a pattern from ^ to $, or an enum"
    hostile = ("a/b", "a@b", "a:1", "a?b", "a#b", "a\\b", "a b", "a%2eb", "", "evil.example/x", "ä")
    if any(re.search(pattern, each) for each in hostile):
        return "stands in a host, and its pattern lets through more than letters, digits, hyphens and dots"
    return "" if name in schema.get("required", ()) else "stands in a host and must be required"


def placeholders_of_config(*parts: object) -> set[str]:
    """The settings that these parts of a manifest name."""
    found: set[str] = set()
    for part in parts:
        if isinstance(part, str):
            found |= set(_PLACE.findall(part))
        elif isinstance(part, Mapping):
            found |= placeholders_of_config(*part, *part.values())
        elif isinstance(part, list):
            found |= placeholders_of_config(*part)
    return found


def faults_of(connector: Connector, config: ConnectionConfig) -> list[tuple[str, str]]:
    """Everything that is wrong with a connection's configuration: where, and why; empty where it can be saved."""
    schema = jsonschema_rs.Draft202012Validator(connector.manifest.config, validate_formats=True)
    found = [("/settings/" + "/".join(str(part) for part in wrong.instance_path), wrong.message[:200])
             for wrong in schema.iter_errors(dict(config.settings))]  # fmt: skip
    if config.level is not None and config.level not in LEVELS:
        found.append(("/level", f"is none of {', '.join(LEVELS)}"))
    if not found:
        try:
            host_filled(connector.manifest.address, config.settings)
        except SettingsUnfit as error:
            found += error.errors
    return found + [fault for name, sides in config.mappings.items() for fault in _of_mapping(connector, name, sides)]


def _of_mapping(connector: Connector, name: str, sides: Mapping[str, Side]) -> Iterator[tuple[str, str]]:
    action = connector.action(name)
    if action is None:
        yield f"/mappings/{name}", "there is no such action"
        return
    for side, mapping in sides.items():
        place = f"/mappings/{name}/{side}"
        ours = {"request": action.mapped.request, "answer": action.mapped.answer}.get(side, "")
        if side not in _SIDES or not ours:
            yield place, "this action's side cannot be mapped"
            continue
        schema = (action.input if side == "request" else action.output)["properties"][ours]
        yield from _of_side(place, mapping, _known_fields(schema), side)


def _of_side(place: str, mapping: Side, known: set[str], side: str) -> Iterator[tuple[str, str]]:
    if len(mapping) > MOST_FIELDS:
        yield place, f"has more than {MOST_FIELDS} fields"
    for made, expression in list(mapping.items())[:MOST_FIELDS]:
        at = f"{place}/{made}"
        if not _FIELD.fullmatch(made):
            yield at, "is no name of a field"
        try:
            compile_expression(expression)
            named = fields_named(expression)
        except MappingWrong as error:
            yield at, str(error)
            continue
        unknown = sorted((named if side == "request" else {made.split(".")[0]}) - known)
        if known and unknown:
            yield at, f"{unknown[0]} is no field of ours; there are {', '.join(sorted(known))}"


def _known_fields(schema: Mapping[str, Any]) -> set[str]:
    """Our fields by the schema of an object, or of a list of them; empty where it takes any."""
    return set(schema.get("items", schema).get("properties", {}))
