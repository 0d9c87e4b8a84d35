"""Which tools there are: lint, test, record, sandbox, diff. None needs a database."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from app.bootstrap.commands.connectors import calling, reading


def run_connectors(arguments: Sequence[str]) -> int:
    """Run one tool. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="slipway connectors", description="The tools of connector authors.")
    actions: argparse._SubParsersAction[Any] = parser.add_subparsers(dest="action", required=True)
    for tool in (reading, calling):
        tool.add_parsers(actions)
    chosen = parser.parse_args(arguments)
    code: int = chosen.run(chosen)
    return code
