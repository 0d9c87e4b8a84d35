"""What tasks of the kind file ask for: places whose rules can be kept, and files of nothing else (DESIGN 7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.templates.document import Source
from app.templates.rules import Path, Problem

Items = Mapping[str, tuple[Path, Mapping[str, Any]]]


def check_files(source: Source, items: Items) -> list[Problem]:
    """Tasks that ask for files and say nothing of them, or say it where nobody asks; rules that nobody can keep."""
    problems: list[Problem] = []
    for path, item in items.values():
        slots = item.get("files", ())
        if item.get("kind") == "file" and not slots:
            problems.append(source.problem(path, "A file task needs files.", "Add files: with an id, label, accept."))
        if slots and item.get("kind") != "file":
            message = "Only a task of the kind file asks for files."
            problems.append(source.problem((*path, "files"), message, "Set kind: file, or leave files: out."))
        problems += _shared(source, path, item)
        for index, slot in enumerate(slots):
            problems += _slot(source, (*path, "files", index), slot)
    return problems


def _shared(source: Source, path: Path, item: Mapping[str, Any]) -> Iterator[Problem]:
    """A place and a question of one task are both read as `answers.<task>.<id>`."""
    asked = {field["id"] for field in item.get("fields", ()) if "include" not in field}
    for index, slot in enumerate(item.get("files", ())):
        if slot["id"] in asked:
            message = f"A question of this task is called “{slot['id']}” too; criteria could not tell them apart."
            yield source.problem((*path, "files", index, "id"), message, "Give one of them another id.")


def _slot(source: Source, path: Path, slot: Mapping[str, Any]) -> Iterator[Problem]:
    least = slot.get("at_least", 1)
    most = slot.get("at_most", max(1, least))
    if least > most:
        message = f"At least {least} and at most {most} files: nobody can hand that over."
        yield source.problem((*path, "at_most"), message, f"Set at_most to {least} or more.")
