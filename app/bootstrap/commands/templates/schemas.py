"""`slipway templates schema`: the published JSON Schemas, for editors."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from app.templates.schema import FOLDER

_NAMES = ("template", "overlay", "component", "tests", "sample", "package")


def add_parsers(actions: argparse._SubParsersAction[Any]) -> None:
    """Its parser."""
    schema = actions.add_parser("schema", help="print a JSON Schema (2020-12)")
    schema.add_argument("name", choices=_NAMES, metavar="NAME", help=", ".join(_NAMES))
    schema.set_defaults(run=run_schema)


def run_schema(chosen: argparse.Namespace) -> int:
    """Print one as it is published."""
    sys.stdout.write((FOLDER / f"{chosen.name}.schema.json").read_text("utf-8"))
    return 0
