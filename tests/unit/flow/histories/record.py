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
from app.flow.events import ActionSucceeded
from app.flow.simulate import walk
from app.templates.library import list_shelves, open_shelf
from tests.unit.flow.migration.versions import add_stage_before_rollout, go_on, version, written
from tests.unit.flow.running import Run, managed_services

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
    _record_a_migration()


def _record_a_migration() -> None:
    """One history that goes on with another version of its template while a call is under way."""
    old, new = managed_services(), version(add_stage_before_rollout)
    documents = (written(lambda _same: None, old.version), written(add_stage_before_rollout, new.version))
    told = ["managed-services-before", "managed-services-after"]
    for name, definition, document in zip(told, (old, new), documents, strict=True):
        _write(DEFINITIONS / f"{name}.json", {"digest": definition.digest, "document": document})
    run = Run(definition=old)
    run.until_workspace()
    go_on(run, new)
    run.apply(ActionSucceeded(task="task.create_workspace", request=1, result={"id": "ws-1"}))
    run.complete("task.invite_admin")
    entries = [{"at": entry.at.isoformat(), "event": msgspec.to_builtins(entry.event)} for entry in run.history]
    final = {"definition": told[0], "later": told[1:], "history": entries, "final": msgspec.to_builtins(run.state)}
    _write(RECORDED / "managed-services-migrated.json", final)


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
