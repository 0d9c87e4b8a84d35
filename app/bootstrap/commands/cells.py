"""`slipway cells`: adding a cell to an installation, opening and closing it, and what there is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from app.kernel.errors import Invalid
from app.settings import Settings, cell_variable
from tenants.cells import CLOSED, OPEN, CellLoad, read_cells
from tenants.engines import Databases
from tenants.schema.install import NewCell, add_cell, read_installation, set_cell_state
from tenants.sessions import DatabaseAway, lookup_session
from tenants.slots import count_free


class CellHasNoAddress(Invalid):
    """The settings hold no URL of the cell."""


def run_cells(arguments: Sequence[str], settings: Settings) -> int:
    """Do what is asked and say what there is afterwards. Returns the exit code."""
    chosen = _parser().parse_args(arguments)
    match chosen.action:
        case "add":
            _add(settings, chosen)
        case "open" | "close":
            state = OPEN if chosen.action == "open" else CLOSED
            set_cell_state(settings.control_url, chosen.name, state)
    for line in _table(settings):
        print(line)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway cells", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="every cell: where, for whom, how full")
    add = actions.add_parser("add", help="make a cell; again, to change whom it takes")
    add.add_argument("name", help="lower case letters and digits; its URL is in SLIPWAY_CELL_<NAME>_URL")
    add.add_argument("--region", help="tenants that ask for this region come here")
    add.add_argument("--plan", action="append", dest="plans", help="only tenants of this plan; may be given again")
    add.add_argument("--capacity", type=_positive, help="the most tenants it takes")
    for action, means in (("close", "take no new tenants; those it has stay"), ("open", "take new tenants again")):
        actions.add_parser(action, help=means).add_argument("name")
    return parser


def _positive(raw: str) -> int:
    number = int(raw)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _add(settings: Settings, chosen: argparse.Namespace) -> None:
    url = settings.cell_urls.get(chosen.name)
    if url is None:
        raise CellHasNoAddress(f"Set {cell_variable(chosen.name)} to the URL of an empty database first.")
    cell = NewCell(chosen.name, region=chosen.region, plans=chosen.plans, capacity=chosen.capacity)
    add_cell(control_url=settings.control_url, url=url, cell=cell, gateways=settings.gateways)
    print(f"The cell {cell.name} stands. Restart the programs with {cell_variable(cell.name)}: tenants go there then.")


def _table(settings: Settings) -> list[str]:
    standing = read_installation(settings.control_url)
    known = {name: url for name, url in settings.cell_urls.items() if name in standing.cells}
    databases = Databases(
        control_url=settings.control_url, cell_urls=known, key=standing.key, gateways=standing.gateways
    )
    try:
        with lookup_session(databases, actor="cells") as (session, _now):
            cells = read_cells(session)
        rows = [("CELL", "STATE", "REGION", "PLANS", "TENANTS", "FREE"), *(_row(databases, cell) for cell in cells)]
    finally:
        databases.close()
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(databases: Databases, cell: CellLoad) -> tuple[str, ...]:
    held = f"{cell.tenants}" if cell.capacity is None else f"{cell.tenants} of {cell.capacity}"
    plans = "all" if cell.plans is None else ", ".join(cell.plans)
    return (cell.name, cell.state, cell.region or "-", plans, held, _free(databases, cell.name))


def _free(databases: Databases, name: str) -> str:
    """Places made ahead, or why they cannot be counted."""
    if name not in databases.cells:
        return f"set {cell_variable(name)}"
    try:
        return str(count_free(databases, name))
    except DatabaseAway:
        return "away"
