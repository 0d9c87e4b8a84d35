"""`slipway doctor`: names what is wrong and the mend, as a table. Changes nothing."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from app.demo.checks import keys, machine, servers
from app.demo.checks.consistency import consistency
from app.demo.checks.finding import Finding, Patient

Check = Callable[[Patient], Finding]

MACHINE: tuple[Check, ...] = (
    machine.python,
    machine.binaries,
    machine.account,
    machine.folder,
    machine.sockets,
    machine.lock,
    machine.port,
    machine.settings,
    machine.node,
    machine.chromium,
)
EMBEDDED_ONLY = (machine.binaries, machine.account, machine.sockets)


def run_doctor(args: list[str]) -> int:
    """Print every finding; 1 when something required is wrong, else 0. `--cell URL` looks at that database alone."""
    chosen = _parse(args)
    patient = Patient(chosen.folder.absolute(), os.environ)
    findings = list(servers.database("cell", chosen.cell) if chosen.cell else examine(patient))
    print(table(findings, width=shutil.get_terminal_size((120, 24)).columns, colour=_colour()))
    return int(any(finding.required and not finding.ok for finding in findings))


def examine(patient: Patient) -> Iterator[Finding]:
    """Every check, machine first. What only embedded servers need is left out where none of them is used."""
    own = all(patient.environ.get(name) for name in (servers.CONTROL, servers.CELL, servers.REDIS))
    for check in MACHINE:
        if not (own and check in EMBEDDED_ONLY):
            yield check(patient)
    yield from servers.databases(patient)
    yield servers.fleet(patient)
    yield servers.queue(patient)
    yield servers.dispatching(patient)
    yield keys.keys(patient)
    yield from consistency(patient)


def table(findings: Iterable[Finding], *, width: int, colour: bool) -> str:
    """Mark, name, what was found; the mend below it where something is wrong."""
    rows = list(findings)
    names = max(len(finding.name) for finding in rows)
    indent = " " * (names + 10)
    lines = []
    for finding in rows:
        mark, paint = ("ok", 32) if finding.ok else ("WRONG", 31) if finding.required else ("note", 33)
        shown = f"\x1b[{paint}m{mark:<6}\x1b[0m" if colour else f"{mark:<6}"
        text = textwrap.wrap(finding.found, max(40, width - len(indent))) or [""]
        lines.append(f"  {shown}{finding.name:<{names}}  {text[0]}")
        lines += [indent + line for line in text[1:]]
        if not finding.ok and finding.mend:
            lines += [indent + line for line in textwrap.wrap(f"→ {finding.mend}", max(40, width - len(indent)))]
    return "\n".join(lines)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def _parse(args: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="slipway doctor", description="Name what is wrong here, and the mend.")
    parser.add_argument("--folder", type=Path, default=Path(".slipway"), help="the runtime folder (.slipway)")
    parser.add_argument("--cell", metavar="URL", help="look at one database that is to become a cell")
    return parser.parse_args(args)
