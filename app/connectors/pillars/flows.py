"""The scoping map, derived: which field goes which way by which action, and which of them tell of a person."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from app.connectors.kit.answers.mapping import MappingWrong, fields_named
from app.connectors.kit.manifest import Action, Manifest
from app.connectors.kit.settings import LEVELS, ConnectionConfig

Care = Literal["plain", "personal", "sensitive"]
Way = Literal["out", "in"]
# Parts of names that tell of a person, or of what needs more care, whatever a manifest says of them.
_PERSONAL: Final = re.compile(r"mail|phone|mobile|fax|first_?name|last_?name|surname|^name$|contact|street|birth|user")
_SENSITIVE: Final = re.compile(r"iban|bic$|account_?no|passport|tax_?id|ssn|health|salary|religion|ethnic")
_MOST: Final = 400  # fields of one connection


@dataclass(frozen=True, slots=True, order=True)
class Flow:
    """One field on its way: `theirs` is what it is called over there, where the connection renames it."""

    way: Way
    action: str
    field: str
    theirs: str
    care: Care


def flows_of(manifest: Manifest, config: ConnectionConfig) -> list[Flow]:
    """Every field of every action that the connection's level allows; nothing above it can happen."""
    level = LEVELS.index(config.level or manifest.default_level)
    allowed = {name: action for name, action in manifest.actions.items() if LEVELS.index(action.level) <= level}
    found = {
        Flow(way, name, ours, theirs, care_of(manifest, ours, theirs))
        for name, action in allowed.items()
        if name != manifest.verify
        for way, ours, theirs in _fields(name, action, config)
    }
    return sorted(found)[:_MOST]


def care_of(manifest: Manifest, *names: str) -> Care:
    """How careful one has to be with a field, by the manifest and by what it is called on either side."""
    lowered = [name.lower() for name in names]
    if any(name in manifest.sensitive or _SENSITIVE.search(name) for name in lowered):
        return "sensitive"
    return "personal" if any(name in manifest.personal or _PERSONAL.search(name) for name in lowered) else "plain"


def flow_mark(flows: list[Flow]) -> str:
    """The fingerprint of a map: what people agreed to is stale when other fields flow."""
    return hashlib.sha256(json.dumps([asdict(each) for each in flows]).encode()).hexdigest()[:32]


def _fields(name: str, action: Action, config: ConnectionConfig) -> Iterator[tuple[Way, str, str]]:
    columns = [str(each.get("name", "")) for each in config.settings.get("columns", ()) if isinstance(each, Mapping)]
    if action.effect != "read":
        yield from (("out", *pair) for pair in _side(action.input, action.mapped.request, columns, _sent(name, config)))
    answer = {made: (theirs,) for made, theirs in config.side(name, "answer").items()}
    yield from (("in", *pair) for pair in _side(action.output, action.mapped.answer, columns, answer))


def _sent(name: str, config: ConnectionConfig) -> dict[str, tuple[str, ...]]:
    """Our fields with what each becomes over there; one of ours may be part of several of theirs."""
    found: dict[str, tuple[str, ...]] = {}
    for theirs, expression in config.side(name, "request").items():
        for ours in _named(expression):
            found[ours] = (*found.get(ours, ()), theirs)
    return found


def _named(expression: str) -> list[str]:
    try:
        return sorted(fields_named(expression))
    except MappingWrong:
        return [expression]


def _side(
    schema: Mapping[str, Any], mapped: str, columns: list[str], names: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, str]]:
    for name, told in schema.get("properties", {}).items():
        inner = told.get("items", told).get("properties", {}) if isinstance(told, Mapping) else {}
        if name == "rows" and columns:
            yield from ((column, column) for column in columns)
        elif name == mapped and names:
            yield from ((ours, theirs) for ours, all_theirs in names.items() for theirs in all_theirs)
        else:
            yield from ((each, each) for each in inner or [name])
