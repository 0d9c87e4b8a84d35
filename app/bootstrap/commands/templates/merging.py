"""`slipway templates diff` and `merge`: what changed between two versions; an overlay brought from one to the other.

Files are YAML. Nothing is asked of a database.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from app.kernel.errors import Missing
from app.templates.language import read_template
from app.templates.library import find_component
from app.templates.merging import Change, Conflict, Upgrade, difference, rewritten, upgrade_overlay
from app.templates.overlay import Effective, apply_overlays, read_overlay

_LONGEST = 60  # characters of a value on one line
Actions = argparse._SubParsersAction  # noqa: SLF001  # argparse has no public name for what add_subparsers returns


class FileUnreadable(Missing):
    """A file is not there or is not text."""


def add_parsers(actions: Actions[argparse.ArgumentParser]) -> None:
    """Add both commands; each sets `run`."""
    diff = actions.add_parser("diff", help="what changed between two versions of a template")
    diff.add_argument("old", type=Path, metavar="OLD")
    diff.add_argument("new", type=Path, metavar="NEW")
    diff.add_argument("--exit-code", action="store_true", help="end with 1 where something changed")
    diff.set_defaults(run=run_diff)
    merge = actions.add_parser("merge", help="bring an overlay from one version of its template to another")
    merge.add_argument("old", type=Path, metavar="OLD", help="the version it was written for")
    merge.add_argument("new", type=Path, metavar="NEW", help="the version it is wanted for")
    merge.add_argument("overlay", type=Path, metavar="OVERLAY")
    merge.add_argument(
        "--take", type=_taken, action="append", default=[], metavar="PATH=ours|theirs", help="decide one conflict"
    )
    merge.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to write it; else to standard output")
    merge.set_defaults(run=run_merge)


def run_diff(chosen: argparse.Namespace) -> int:
    """Every change by path, and counts. 1 where there is one and that was asked for.

    Raises FileUnreadable, TemplateRefused.
    """
    changes = difference(_version(chosen.old).document, _version(chosen.new).document)
    _grouped((change.path, f"{change.kind}{_values(change)}") for change in changes)
    print(_counted(Counter(change.kind for change in changes)) or "Nothing changed.")
    return int(bool(changes) and chosen.exit_code)


def run_merge(chosen: argparse.Namespace) -> int:
    """Write the overlay for the new version; 1, and nothing is written, while a conflict is open.

    Raises FileUnreadable, TemplateRefused, and what an upgrade does.
    """
    text = _text(chosen.overlay)
    overlay = read_overlay(text, str(chosen.overlay))
    upgrade = upgrade_overlay(_version(chosen.old), _version(chosen.new), overlay, dict(chosen.take))
    _say(upgrade)
    if upgrade.overlay is None:
        return 1
    made = rewritten(text, dict(upgrade.overlay.document))
    if chosen.output is None:
        print(made, end="")
    else:
        chosen.output.write_text(made, "utf-8")
    return 0


def _say(upgrade: Upgrade) -> None:
    """What was found, beside the overlay on standard output, not in it."""
    lines = [(each.path, f"{each.kind}{_sides(each)}") for each in upgrade.open]
    lines += [(path, "redundant: the new version says the same") for path in upgrade.redundant]
    _grouped(lines, sys.stderr)
    settled = len(upgrade.conflicts) - len(upgrade.open)
    counts = {
        "carried over": len(upgrade.carried),
        "redundant": len(upgrade.redundant),
        "settled": settled,
        "open": len(upgrade.open),
    }
    print(_counted(counts), file=sys.stderr)
    if upgrade.open:
        print("Decide each open one with --take PATH=ours or --take PATH=theirs.", file=sys.stderr)


def _grouped(lines: Iterable[tuple[str, str]], out: Any = None) -> None:
    """Lines of `path: what`, a blank line between what is of other parts of the document."""
    for number, (_, group) in enumerate(groupby(lines, key=lambda line: line[0].split(".")[:2])):
        if number:
            print(file=out)
        for path, words in group:
            print(f"{path}: {words}", file=out)


def _values(change: Change) -> str:
    if change.kind == "moved":
        return f" behind {change.after}" if change.after else " to the beginning"
    if change.kind == "changed":
        return f" {_short(change.before)} → {_short(change.after)}"
    return ""


def _sides(conflict: Conflict) -> str:
    before, theirs, ours = (_short(each) for each in (conflict.old, conflict.theirs, conflict.ours))
    return f"\n  {conflict.sentence}\n  before: {before}\n  theirs: {theirs}\n  ours:   {ours}"


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    said = json.dumps(value, ensure_ascii=False)
    return said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"


def _counted(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _version(path: Path) -> Effective:
    return apply_overlays(read_template(_text(path), str(path), find_component))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as trouble:
        reason = trouble.strerror if isinstance(trouble, OSError) else "it is not UTF-8 text"
        raise FileUnreadable(f"{path} cannot be read: {reason}.") from trouble


def _taken(said: str) -> tuple[str, str]:
    path, _, side = said.rpartition("=")
    if not path or side not in {"ours", "theirs"}:
        raise argparse.ArgumentTypeError(f"{said!r} does not end with =ours or =theirs")
    return path, side
