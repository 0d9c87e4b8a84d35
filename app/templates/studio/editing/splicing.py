"""Exchanges the words of a YAML text that a changed document says otherwise; every other character stays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.templates.merging.layout import indents, spelled, spelled_in_a_row
from app.templates.overlays.tree import same
from app.templates.studio.editing.lists import Rows, aligned, are_elements, rows_of

_WIDE = 100  # characters of a value that still goes on the line of its name
_DASH = re.compile(r"( *)- +")
_REST = re.compile(r"[ \t]*(#[^\n]*)?")


class NoPlace(Exception):
    """A change has no place of its own in the text."""


def spliced(text: str, before: dict[str, Any], after: dict[str, Any]) -> str:
    """The text with every change at its place. Raises NoPlace."""
    work = _Splicing(text)
    work.mapping(YAML(typ="safe", pure=True).compose(text), before, after, flow=False)
    return work.applied()


class _Splicing:
    """Gathers what is exchanged: from, to, by which words."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.indents = indents(text)
        self.splices: list[tuple[int, int, str]] = []

    def applied(self) -> str:
        """Raises NoPlace where two changes meet."""
        pieces, at = [], 0
        for start, end, words in sorted(self.splices, key=lambda each: each[:2]):
            if start < at:
                raise NoPlace
            pieces += [self.text[at:start], words]
            at = end
        return "".join([*pieces, self.text[at:]])

    def put(self, start: int, end: int, words: str) -> None:
        self.splices.append((start, end, words))

    def mapping(self, node: Node, before: dict[str, Any], after: dict[str, Any], *, flow: bool) -> None:
        if not isinstance(node, MappingNode):
            raise NoPlace
        flow = flow or bool(node.flow_style)
        pairs = [(key, value) for key, value in node.value]
        if not set(before) & set(after):
            raise NoPlace
        for index, (key, value) in enumerate(pairs):
            name = key.value
            if name not in after:
                self.take_out([(one, other) for one, other in pairs], index, flow=flow)
            elif not same(before[name], after[name]):
                self.pair(key, value, (before[name], after[name]), flow=flow)
        for name, follows in _fresh(before, after):
            self.add_name(pairs, follows, name, after[name], flow=flow)

    def pair(self, key: Node, value: Node, change: tuple[Any, Any], *, flow: bool) -> None:
        before, after = change
        if isinstance(before, dict) and isinstance(after, dict) and set(before) & set(after):
            self.mapping(value, before, after, flow=flow)
        elif are_elements(before) and are_elements(after) and isinstance(value, SequenceNode):
            self.elements(value, before, after, flow=flow)
        else:
            start = self.text.index(":", key.end_mark.index) + 1
            words = f" {spelled_in_a_row(after)}" if flow else self.valued(after, key.start_mark.column)
            self.put(start, self.end(value), words)

    def add_name(
        self, pairs: list[tuple[Node, Node]], follows: str | None, name: str, value: Any, *, flow: bool
    ) -> None:
        behind = next((one for key, one in pairs if key.value == follows), None)
        first = pairs[0][0].start_mark
        if flow:
            said = f"{spelled_in_a_row(name)}: {spelled_in_a_row(value)}"
            at = self.end(behind) if behind else first.index
            self.put(at, at, f", {said}" if behind else f"{said}, ")
            return
        said = f"{spelled_in_a_row(name)}:{self.valued(value, first.column)}"
        margin = " " * first.column
        at = self.line_end(self.end(behind)) if behind else first.index
        self.put(at, at, f"\n{margin}{said}" if behind else f"{said}\n{margin}")

    def elements(self, node: SequenceNode, before: list[Any], after: list[Any], *, flow: bool) -> None:
        flow = flow or bool(node.flow_style)
        nodes, was = list(node.value), aligned(before, after)
        wanted = [index for index in was if index is not None]
        if not wanted:
            raise NoPlace
        if wanted != sorted(wanted):
            if len(wanted) != len(nodes):
                raise NoPlace
            self.reorder(nodes, [nodes[index] for index in wanted], flow=flow)
        for index in set(range(len(nodes))) - set(wanted):
            self.take_out([(each, each) for each in nodes], index, flow=flow)
        behind = None
        for number, value in zip(was, after, strict=True):
            if number is None:
                self.add_element(nodes, behind, value, flow=flow)
                continue
            behind = nodes[number]
            if not same(before[number], value):
                self.one(behind, before[number], value, flow=flow)

    def one(self, node: Node, before: Any, after: Any, *, flow: bool) -> None:
        if not (isinstance(before, dict) and isinstance(after, dict)):
            raise NoPlace
        self.mapping(node, before, after, flow=flow)

    def reorder(self, old: list[Node], new: list[Node], *, flow: bool) -> None:
        """Each place gets the words of the element that comes there, with the comments right above it."""
        rows = {id(each): self.span(each, flow=flow) for each in old}
        for here, there in zip(old, new, strict=True):
            if here is not there:
                start, end = rows[id(there)]
                self.put(*rows[id(here)], self.text[start:end])

    def span(self, node: Node, *, flow: bool) -> tuple[int, int]:
        if flow:
            return node.start_mark.index, self.end(node)
        rows = self.rows(node)
        return rows.comments, rows.end

    def add_element(self, nodes: list[Node], behind: Node | None, value: Any, *, flow: bool) -> None:
        if flow:
            at = self.end(behind) if behind else nodes[0].start_mark.index
            said = spelled_in_a_row(value)
            self.put(at, at, f", {said}" if behind else f"{said}, ")
            return
        rows = self.rows(behind or nodes[0])
        margin = " " * rows.column
        in_rows = all(isinstance(each, MappingNode) and each.flow_style for each in nodes)
        lines = spelled(value, *self.indents).splitlines()
        if in_rows and len(row := spelled_in_a_row(value)) <= _WIDE:
            lines = [row]
        said = "\n".join(margin + ("  " if number else "- ") + line for number, line in enumerate(lines))
        at = rows.end if behind else rows.comments
        self.put(at, at, f"\n{said}" if behind else f"{said}\n")

    def take_out(self, parts: list[tuple[Node, Node]], index: int, *, flow: bool) -> None:
        start, value = parts[index]
        if flow:
            following = parts[index + 1][0].start_mark.index if index + 1 < len(parts) else None
            if following is not None:
                self.put(start.start_mark.index, following, "")
            else:
                self.put(self.end(parts[index - 1][1]), self.end(value), "")
            return
        begin = self.text.rfind("\n", 0, start.start_mark.index) + 1
        before = self.text[begin : start.start_mark.index]
        if before.strip() and not (start is value and _DASH.fullmatch(before)):
            raise NoPlace
        self.put(begin, min(self.line_end(self.end(value)) + 1, len(self.text)), "")

    def rows(self, node: Node) -> Rows:
        found = rows_of(self.text, node.start_mark.index, self.line_end(self.end(node)))
        if found is None:
            raise NoPlace
        return found

    def valued(self, value: Any, column: int) -> str:
        """What stands behind the colon of a name that begins in that column."""
        short = spelled_in_a_row(value)
        if not isinstance(value, dict | list) or (len(short) <= _WIDE and not _holds_elements(value)):
            return f" {short}"
        lines = spelled({"k": value}, *self.indents).splitlines()[1:]
        return "".join(f"\n{' ' * column}{line}" for line in lines) if lines else f" {short}"

    def end(self, node: Node) -> int:
        """Where the last word of a value ends: what follows it, a comment above all, is none of it."""
        if isinstance(node, ScalarNode) and node.style not in {"|", ">"}:
            return int(node.end_mark.index)
        if isinstance(node, MappingNode | SequenceNode):
            if node.flow_style or not node.value:
                return int(node.end_mark.index)
            last = node.value[-1]
            return self.end(last[1] if isinstance(last, tuple) else last)
        return len(self.text[: node.end_mark.index].rstrip())

    def line_end(self, at: int) -> int:
        """The end of a line, of which only a comment is left. Raises NoPlace."""
        rest = _REST.match(self.text, at)
        end = rest.end() if rest else at
        if end < len(self.text) and self.text[end] != "\n":
            raise NoPlace
        return end


def _fresh(before: dict[str, Any], after: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Each name that is new, with the one that was there already and comes before it."""
    follows = None
    for name in after:
        if name in before:
            follows = name
        else:
            yield name, follows


def _holds_elements(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(each, dict | list) for each in value)
    return any(_holds_elements(each) for each in value.values() if isinstance(each, dict | list))
