"""Credentials that are handed over and texts that are signed: who does it, for which connector, how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.templates.document import Source
from app.templates.rules import Path, Problem, likely_fix

Items = Mapping[str, tuple[Path, Mapping[str, Any]]]


def check_handing(source: Source, items: Items) -> list[Problem]:
    """What does not fit of the tasks that hand credentials over, and of those that are signed."""
    called = {item["action"]["connector"] for _, item in items.values() if "action" in item}
    sides = {role["id"]: role["side"] for role in source.document["roles"]}
    problems: list[Problem] = []
    for path, item in items.values():
        if "credential" in item:
            problems += _of_credential(source, path, item["credential"], called)
            problems += _repeated(source, path, items)
        if "signature" in item:
            problems += _of_signature(source, path, item, sides)
    return problems


def _of_credential(source: Source, path: Path, written: Mapping[str, Any], called: set[str]) -> Iterator[Problem]:
    connector = written["connector"]
    if connector not in called and (fix := likely_fix(connector, called)):
        yield source.problem((*path, "credential", "connector"), f"No action here calls “{connector}”.", fix)
    for index, field in enumerate(written["fields"]):
        if field.get("min_length", 1) > field.get("max_length", field.get("min_length", 1)):
            place: Path = (*path, "credential", "fields", index, "max_length")
            yield source.problem(place, "No value is both as long as that and as short.", "Give it min_length or more.")


def _repeated(source: Source, path: Path, items: Items) -> Iterator[Problem]:
    """A workspace has one connection of a connector: each time would replace what was given the time before."""
    above = dict(items.values())
    if any("repeat" in above.get(path[:length], {}) for length in range(len(path), 0, -1)):
        message = "This happens several times, and each time would replace what was handed over before."
        yield source.problem((*path, "credential"), message, "Put it where it happens once.")


def _of_signature(source: Source, path: Path, item: Mapping[str, Any], sides: Mapping[str, str]) -> Iterator[Problem]:
    role, side = item["signature"].get("role"), item.get("side", sides.get(item["owner"]))
    if role in sides and sides[role] != side:
        message = f"This is the {side}'s to sign, and “{role}” is not on that side: nobody could."
        own = [name for name, of in sides.items() if of == side]
        fix = likely_fix(role, own) or "Name a role of that side, or none."
        yield source.problem((*path, "signature", "role"), message, fix)
