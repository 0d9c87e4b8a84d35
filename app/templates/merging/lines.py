"""Takes out of a YAML text the lines of what a document does not say any more.

A writer of trees keeps a comment with what stands before it and would take it out with that; here it stays with what
stands below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from app.templates.overlays.tree import is_keyed


def without(text: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """The text without the names and elements that are gone and have lines to themselves."""
    lines = text.splitlines(keepends=True)
    for first, end in sorted(_ranges(lines, YAML(typ="safe", pure=True).compose(text), before, after), reverse=True):
        del lines[first:end]
    return "".join(lines)


def _ranges(lines: list[str], node: Node, before: Any, after: Any) -> Iterator[tuple[int, int]]:
    """First line and the one behind the last, of everything that goes; where anything goes, something must stay."""
    parts = list(_parts(node, before, after))
    gone = [(start, value) for start, value, _, now in parts if now is None]
    in_a_row = isinstance(node, MappingNode | SequenceNode) and node.flow_style
    if gone and not in_a_row and len(gone) < len(parts):
        ranges = (_lines_of(lines, start, value) for start, value in gone)
        yield from (each for each in ranges if each)
    for _, value, was, now in parts:
        if now is not None:
            yield from _ranges(lines, value, was, now[0])


def _parts(node: Node, before: Any, after: Any) -> Iterator[tuple[Node, Node, Any, tuple[Any] | None]]:
    """Each part: where it starts, its value, what it was, and what it is now; None: it is gone."""
    if isinstance(node, MappingNode) and isinstance(before, dict) and isinstance(after, dict):
        for key, value in node.value:
            name = key.value
            yield key, value, before[name], (after[name],) if name in after else None
    elif isinstance(node, SequenceNode) and is_keyed(before) and is_keyed(after):
        now = {each["id"]: each for each in after}
        for value, was in zip(node.value, before, strict=True):
            yield value, value, was, (now[was["id"]],) if was["id"] in now else None


def _lines_of(lines: list[str], start: Node, value: Node) -> tuple[int, int] | None:
    """The lines of one part, without comments behind it; None where it shares a line."""
    first, last = start.start_mark, value.end_mark
    before = lines[first.line][: first.column].strip()
    behind = lines[last.line][last.column :].strip() if last.line < len(lines) else ""
    ends_above = last.line >= len(lines) or not lines[last.line][: last.column].strip(" -")
    if before not in ({"-"} if start is value else {""}) or (not ends_above and behind and not behind.startswith("#")):
        return None
    end = min(last.line + (not ends_above), len(lines))
    while end > first.line + 1 and _is_beside(lines[end - 1], first.column):
        end -= 1
    return first.line, end


def _is_beside(line: str, column: int) -> bool:
    """Whether a line is blank, or a comment no deeper than what goes."""
    bare = line.strip()
    return not bare or (bare.startswith("#") and line.index("#") <= column)
