"""`slipway events`: what may happen, what each event says, and whether a new build still says what was published."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import app
from app.connectors.webhooks.asyncapi import make_asyncapi
from app.kernel.catalogue.document import make_catalogue
from app.kernel.catalogue.schemas import list_types, schema_of
from app.kernel.errors import Invalid, Missing

# Programs, and what only a demonstration does: nothing there is announced by the product.
_PROGRAMS = ("app.asgi", "app.bootstrap", "app.cli", "app.demo", "app.worker")


class NoSuchEvent(Missing):
    """Nothing of this name is ever announced."""


class NoCatalogue(Invalid):
    """The file holds no catalogue of events."""


def run_events(arguments: Sequence[str]) -> int:
    """Print what is asked for; no installation is needed. Returns the exit code. Raises EventsBroken."""
    chosen = _parser().parse_args(arguments)
    declare_events()
    if chosen.action == "list":
        for line in _table():
            print(line)
    elif chosen.action == "schema":
        print(_written(_schema(chosen.type)))
    else:
        catalogue = make_catalogue(_published(chosen.since) if chosen.since else None)
        print(_written(make_asyncapi(catalogue) if chosen.action == "asyncapi" else catalogue))
    return 0


def declare_events() -> None:
    """Import whatever may announce something: a class that nobody imported is not known."""
    for found in walk_packages(app.__path__, "app."):
        if not found.name.startswith(_PROGRAMS):
            import_module(found.name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway events", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="every type, its version and when it happens")
    schema = actions.add_parser("schema", help="the JSON Schema of what an event says")
    schema.add_argument("type", help="as `slipway events list` names it")
    for name, told in (("catalogue", "all of them as one document"), ("asyncapi", "as webhooks send them: AsyncAPI 3")):
        action = actions.add_parser(name, help=told)
        action.add_argument("--since", type=Path, metavar="FILE", help="keep its versions; refuse what breaks them")
    return parser


def _table() -> list[str]:
    types = list_types()
    width = max(len(each.type) for each in types)
    return [f"{each.type:<{width}}  {each.schema_version}  {_first_line(schema_of(each))}" for each in types]


def _first_line(schema: dict[str, Any]) -> str:
    return str(schema["description"]).partition("\n")[0]


def _schema(name: str) -> dict[str, Any]:
    known = {each.type: each for each in list_types()}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise NoSuchEvent(f"There is no event “{name}”." + (f" Did you mean “{near[0]}”?" if near else ""))
    return schema_of(known[name])


def _published(file: Path) -> dict[str, Any]:
    try:
        read = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as trouble:
        raise NoCatalogue(f"{file} cannot be read as a catalogue: {trouble}") from None
    if not isinstance(read, dict) or not isinstance(read.get("types"), dict):
        raise NoCatalogue(f"{file} is no catalogue of events; `slipway events catalogue` writes one.")
    return read


def _written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False)
