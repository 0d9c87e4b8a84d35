"""`slipway dispatcher drain|resume|status`: stop handing out jobs in every cell, go on, and how it stands."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Sequence

from app.bootstrap.commands.engine.opening import open_databases
from app.kernel.queue.standing import Standing, hand_out_again, read_standing, stop_handing_out
from app.settings import Settings
from tenants.engines import Databases

_LOOK = 0.2  # seconds between two looks whether anything is left


def run_dispatching(arguments: Sequence[str], settings: Settings) -> int:
    """Do what is asked and say how every cell stands. 1 where `drain --wait` has ended with jobs left."""
    chosen = _parser().parse_args(arguments)
    with open_databases(settings) as databases:
        cells = [chosen.cell] if chosen.cell else list(databases.cells)
        for cell in cells:
            if chosen.action == "drain":
                stop_handing_out(databases, cell, reason=chosen.reason)
            elif chosen.action == "resume":
                hand_out_again(databases, cell)
        waited = getattr(chosen, "wait", 0.0)
        standings = _until_empty(databases, cells, waited)
    for line in _table(standings):
        print(line)
    return int(bool(waited) and any(each.left for each in standings.values()))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway dispatcher", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    drain = actions.add_parser("drain", help="hand out no job any more; what is running ends; restarts change nothing")
    drain.add_argument("--reason", default="", help="shown by status, doctor and /readyz")
    drain.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="at most so long until nothing is left"
    )
    resume = actions.add_parser("resume", help="hand out again what has waited")
    status = actions.add_parser("status", help="whether jobs are handed out, and how many are left, waiting, how long")
    for each in (drain, resume, status):
        each.add_argument("--cell", help="this cell only")
    return parser


def _until_empty(databases: Databases, cells: Sequence[str], seconds: float) -> dict[str, Standing]:
    """How the cells stand, once nothing is left in them or the time is up."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while True:
        standings = {cell: read_standing(databases, cell) for cell in cells}
        if not any(each.left for each in standings.values()) or time.monotonic() >= end:
            return standings
        pause.wait(_LOOK)


def _table(standings: dict[str, Standing]) -> list[str]:
    rows = [("CELL", "JOBS", "LEFT", "WAITING", "OLDEST", "SINCE", "REASON")]
    for cell, each in standings.items():
        since = f"{each.since:%Y-%m-%d %H:%M:%S}Z" if each.since else "-"
        word = "drained" if each.drained else "handed out"
        counts = str(each.left), str(each.waiting), f"{each.oldest:.0f} s"
        rows.append((cell, word, *counts, since, each.reason or "-"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
