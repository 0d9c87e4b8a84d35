"""`python -m tests.unit.flow.histories.record`: histories of the library's templates, each once; what is there stays.

A recorded history is never recorded anew: running work was decided by the code of its day, and today's code has to lead
it to the same state. Who must change that changes what running onboardings mean, and migrates them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.flow.definition import Definition
from app.flow.simulate import walk
from app.templates.library import list_shelves, open_shelf

HERE = Path(__file__).parent
RECORDED, DEFINITIONS = HERE / "recorded", HERE / "definitions"
SEEDS = (3, 11)  # one that ends at first value, one with more trouble on its way


def main() -> None:
    """Write what is not there yet."""
    for name, document, definition in _definitions():
        _write(DEFINITIONS / f"{name}.json", {"digest": definition.digest, "document": document})
        for seed in SEEDS:
            history, state = walk(definition, seed)
            entries = [{"at": entry.at.isoformat(), "event": msgspec.to_builtins(entry.event)} for entry in history]
            told = {"definition": name, "history": entries, "final": msgspec.to_builtins(state)}
            _write(RECORDED / f"{name}-{seed}.json", told)


def _definitions() -> Iterator[tuple[str, dict[str, Any], Definition]]:
    for name in list_shelves():
        shelf = open_shelf(name)
        partner = next(iter(shelf.overlays), None)
        effective = shelf.effective(partner)
        yield f"{name.replace('/', '-')}-{partner or 'base'}", dict(effective.document), effective.compile()


def _write(path: Path, told: dict[str, Any]) -> None:
    if not path.exists():
        path.write_text(json.dumps(told, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    main()
