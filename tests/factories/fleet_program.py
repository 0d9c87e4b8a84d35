"""`slipway fleet …` as a process that a test may kill, over a tree of revisions that the product does not have."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import migrations.records
from app.bootstrap.commands.fleet import run_fleet
from tenants.fleet.owner import Fleet
from tenants.fleet.tree import compile_tree
from tests.factories.installation import CELL

assert migrations.records.MODULES


def main(control_url: str, cell_url: str, folder: str, *arguments: str) -> int:
    """Run one command."""
    logging.disable()
    return run_fleet(arguments, lambda: Fleet(control_url, {CELL: cell_url}, compile_tree(Path(folder))))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
