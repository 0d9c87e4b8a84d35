"""The form of a connection's settings: its fields by the manifest, and what was typed as a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.connectors.kit.contract import Connector
from app.connectors.kit.settings import LEVELS, ConnectionConfig, Side
from app.connectors.settings.operations import SettingsView
from app.web.forms import Form
from app.web.translations import mark

SIDES: Final = {"request": mark("What is sent"), "answer": mark("What is read")}
LEVEL_WORDS: Final = {
    "read": mark("Read only"),
    "draft": mark("Read, and prepare drafts that a person releases"),
    "write": mark("Read and write"),
}
_KINDS: Final = {"integer": "integer", "boolean": "boolean"}


def fields_of(view: SettingsView, typed: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One field for each setting of the connector; its names and helps are the manifest's."""
    schema = view.connector.manifest.config
    found = []
    for name, told in schema.get("properties", {}).items():
        spec = {
            "id": f"set-{name}",
            "label": told.get("title", name),
            "type": "select" if "enum" in told else _KINDS.get(told.get("type", ""), "text"),
            "required": name in schema.get("required", ()),
            "help": told.get("description", ""),
            "options": [{"id": str(each), "label": str(each)} for each in told.get("enum", ())],
        }
        value = view.config.settings.get(name, "") if typed is None else typed.get(f"set-{name}", "")
        found.append({"spec": spec, "value": value})
    return found


def mappings_of(view: SettingsView, typed: dict[str, Any] | None) -> list[dict[str, Any]]:
    """One field for each side of an action that a connection may rename: a line for each name."""
    found = []
    for action, side in _sides(view.connector):
        place = f"map-{action}-{side}"
        told = lines_of(view.config.side(action, side)) if typed is None else typed.get(place, "")
        summary = view.connector.manifest.actions[action].summary
        spec = {"id": place, "type": "long_text", "required": False, "side": SIDES[side], "summary": summary}
        found.append({"spec": spec, "value": told})
    return found


def lines_of(side: Side) -> str:
    """A mapping as it is typed."""
    return "\n".join(f"{made} = {expression}" for made, expression in side.items())


def typed_config(connector: Connector, form: Form) -> ConnectionConfig:
    """What was typed. A setting that is left empty is not set, unless the connector asks for it."""
    schema = connector.manifest.config
    settings: dict[str, Any] = {}
    for name, told in schema.get("properties", {}).items():
        text = form.first(f"set-{name}").strip()
        if told.get("type") == "boolean":
            settings[name] = text == "true"
        elif text or name in schema.get("required", ()):
            settings[name] = int(text) if told.get("type") == "integer" and text.lstrip("-").isdecimal() else text
    mappings: dict[str, dict[str, Side]] = {}
    for action, side in _sides(connector):
        if pairs := dict(_pairs(form.first(f"map-{action}-{side}"))):
            mappings.setdefault(action, {})[side] = pairs
    level = form.first("level")
    return ConnectionConfig(
        settings=settings, level=next((each for each in LEVELS if each == level), None), mappings=mappings
    )


def field_of(place: str) -> str:
    """The field of the form that a fault belongs to: `/settings/host`, `/mappings/create_record/request/x`."""
    parts = place.strip("/").split("/")
    if parts[0] == "settings":
        return f"set-{parts[1]}" if len(parts) > 1 and parts[1] else "level"
    if parts[0] == "mappings" and len(parts) > 2:  # noqa: PLR2004  an action and its side
        return f"map-{parts[1]}-{parts[2]}"
    return parts[0]


def _sides(connector: Connector) -> Iterator[tuple[str, str]]:
    for name, action in connector.manifest.actions.items():
        yield from ((name, side) for side in SIDES if getattr(action.mapped, side))


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        made, _, expression = line.partition("=")
        if line.strip():
            yield made.strip(), expression.strip()
