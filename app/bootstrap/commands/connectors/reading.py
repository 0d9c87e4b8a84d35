"""`slipway connectors lint` and `diff`: what is wrong with folders, and what another version means for its users."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from app.connectors.kit.consistency import read_manifest
from app.connectors.kit.registry import CATALOG
from app.connectors.trials.differences import differences, enough, made_bump, needed_bump
from app.connectors.trials.linting import flaws_of


def add_parsers(actions: argparse._SubParsersAction[Any]) -> None:
    """The parsers of both."""
    lint = actions.add_parser("lint", help="check the folders of connectors")
    lint.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="default: the whole catalogue")
    lint.set_defaults(run=run_lint)
    diff = actions.add_parser("diff", help="say which version number a changed manifest needs")
    diff.add_argument("old", type=Path, metavar="OLD", help="a manifest, or the folder of a connector")
    diff.add_argument("new", type=Path, metavar="NEW")
    diff.set_defaults(run=run_diff)


def run_lint(chosen: argparse.Namespace) -> int:
    """Print every flaw; 1 if there is one."""
    folders = chosen.folders or sorted(path.parent for path in CATALOG.glob("*/manifest.yaml"))
    flaws = [flaw for folder in folders for flaw in flaws_of(folder)]
    for flaw in flaws:
        print(flaw)
    print(f"{len(folders)} checked: {f'{len(flaws)} wrong' if flaws else 'nothing wrong'}.")
    return int(bool(flaws))


def run_diff(chosen: argparse.Namespace) -> int:
    """Print every difference and the bump; 1 for one that breaks users, or a version that says less than it must."""
    old, new = (read_manifest(path / "manifest.yaml" if path.is_dir() else path) for path in (chosen.old, chosen.new))
    found = differences(old, new)
    for each in found:
        print(f"{each.bump:<6} {each.place}: {each.said}")
    needed, made = needed_bump(found), made_bump(old, new)
    print(f"needed: {needed}; made: {made} ({old.version} to {new.version})")
    return int(needed == "major" or not enough(old, new, needed))
