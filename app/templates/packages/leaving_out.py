"""The patch that leaves parts of a template out, with what hung on them. Pure.

Whoever waited for them waits for what they waited for; their timers, controls and communications go with them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.templates.overlays.marks import REMOVE
from app.templates.packages.patches import Patch

Words = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A stage, milestone, gate or task of a document, with its path and the keys that it lies in."""

    key: str
    words: Words
    above: tuple[str, ...]
    item: Mapping[str, Any]


def parts_of(document: Mapping[str, Any]) -> dict[str, Part]:
    """Every item of a document by its key, in the plan's order."""
    return {each.key: each for each in _parts(document)}


def leave_out(patch: Patch, document: Mapping[str, Any], wanted: Collection[str]) -> None:
    """Write into the patch that these items are taken out. What the document does not have is out already."""
    parts = parts_of(document)
    gone = {key for key, part in parts.items() if key in wanted or set(part.above) & set(wanted)}
    for key in gone & set(wanted):
        if not set(parts[key].above) & gone:
            patch.change(parts[key].words, {REMOVE: True})
    _reconnect(patch, document, parts, gone)
    sent = {part.item["sends"] for key, part in parts.items() if key not in gone and "sends" in part.item}
    silent = {part.item["sends"] for key, part in parts.items() if key in gone and "sends" in part.item} - sent
    for section, names in (("timers", _hanging(document, "timers", "item", gone)), ("communications", silent)):
        for name in names:
            patch.change((section, name), {REMOVE: True})
    for name in _hanging(document, "controls", "on", gone):
        patch.change(("controls", name), {REMOVE: True})


def _hanging(document: Mapping[str, Any], section: str, word: str, gone: Collection[str]) -> list[str]:
    return [each["id"] for each in document.get(section, ()) if each.get(word) in gone]


def _reconnect(patch: Patch, document: Mapping[str, Any], parts: Mapping[str, Part], gone: Collection[str]) -> None:
    """Who waited for something that is gone waits for what that waited for."""
    stages = [f"stage.{each['id']}" for each in document["stages"]]
    before = {key: [stages[at - 1]] if at else [] for at, key in enumerate(stages)}
    waits: dict[str, list[str]] = {}
    for key, part in parts.items():
        after = [f"stage.{name}" for name in part.item["after"]] if "after" in part.item else before.get(key, [])
        waits[key] = after if key in before else list(part.item.get("depends_on", ()))
    for key, part in parts.items():
        word = "after" if key in before else "depends_on"
        if key in gone or not set(waits[key]) & set(gone) or word not in part.item:
            continue
        kept = list(dict.fromkeys(_kept(waits[key], waits, gone)))
        named = [each.removeprefix("stage.") for each in kept] if word == "after" else kept
        patch.change(part.words, {word: named if named or word == "after" else None})


def _kept(keys: list[str], waits: Mapping[str, list[str]], gone: Collection[str]) -> Iterator[str]:
    for key in keys:
        if key in gone:
            yield from _kept(waits.get(key, []), waits, gone)
        else:
            yield key


def _parts(document: Mapping[str, Any]) -> Iterator[Part]:
    for stage in document.get("stages", ()):
        words: Words = ("stages", stage["id"])
        own = f"stage.{stage['id']}"
        yield Part(own, words, (), stage)
        for gate in stage.get("gates", ()):
            yield Part(f"gate.{gate['id']}", (*words, "gates", gate["id"]), (own,), gate)
        for milestone in stage.get("milestones", ()):
            inner, key = (*words, "milestones", milestone["id"]), f"milestone.{milestone['id']}"
            yield Part(key, inner, (own,), milestone)
            for task in milestone.get("tasks", ()):
                yield Part(f"task.{task['id']}", (*inner, "tasks", task["id"]), (own, key), task)
