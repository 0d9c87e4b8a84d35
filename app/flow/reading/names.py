"""Every name that criteria of a document may use, with its type."""

from __future__ import annotations

from cel_expr_python import cel

from app.flow.criteria import PART, REFERENCE, declare_fields
from app.flow.reading.plain import Document, as_written, read_fields, read_slots, with_implicit


def declared_names(document: Document) -> dict[str, cel.Type]:
    """Every name a criterion of this document may use, with its type."""
    names = declare_fields("inputs", read_fields(document.get("inputs", ()), as_written))
    names[REFERENCE] = cel.Type.STRING
    names |= declare_fields("packet", read_fields(document["handoff"]["fields"], as_written))
    for stage in document["stages"]:
        names |= _states("stage", stage["id"], "done")
        for gate in stage.get("gates", ()):
            names |= _states("gate", gate["id"], "passed")
        for milestone in stage["milestones"]:
            names |= _states("milestone", milestone["id"], "done")
            for task in milestone["tasks"]:
                names |= _of_task(task)
            if "repeat" in milestone or any("repeat" in task for task in milestone["tasks"]):
                names[PART] = cel.Type.STRING
    return names


def _states(kind: str, name: str, finished: str) -> dict[str, cel.Type]:
    return dict.fromkeys((f"{kind}.{name}.{word}" for word in (finished, "skipped", "settled")), cel.Type.BOOL)


def _of_task(task: Document) -> dict[str, cel.Type]:
    names = _states("task", task["id"], "done")
    if "credential" in task:
        handed = (each["id"] for each in task["credential"]["fields"])
        return names | {f"answers.{task['id']}.{field}.given": cel.Type.BOOL for field in handed}
    asked = with_implicit(task, read_fields(task.get("fields", ()), as_written))
    names |= declare_fields(f"answers.{task['id']}", (*read_slots(task, as_written), *asked))
    outputs = task.get("action", {}).get("outputs", ())
    return names | declare_fields(f"results.{task['id']}", read_fields(outputs, as_written))
