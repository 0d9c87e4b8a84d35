"""Which tools there are. Each module adds its own parsers and says which function runs them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from app.bootstrap.commands.templates import checking, drawing, merging, packing, schemas, simulating
from app.templates.rules import TemplateRefused

_TOOLS = (checking, simulating, drawing, merging, packing, schemas)


def run_templates(arguments: Sequence[str]) -> int:
    """Run one tool. Returns the exit code; what is wrong with a template goes to standard error, one problem a line."""
    chosen = _parser().parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except TemplateRefused as trouble:
        for problem in trouble.problems:
            print(problem, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway templates", description="The tools of template authors.")
    actions: argparse._SubParsersAction[Any] = parser.add_subparsers(dest="action", required=True)
    for tool in _TOOLS:
        tool.add_parsers(actions)
    return parser
