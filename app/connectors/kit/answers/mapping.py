"""Transformations in JMESPath, bounded: an expression may be short and simple, its work and its result small.

JMESPath has no loops and no effects, but a pipe of `[@, @]` doubles what it stands for with every step, so the number
of such parts is bounded too, and so are the steps that one evaluation may take.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.visitor import TreeInterpreter

from app.kernel.errors import Invalid

LONGEST: Final = 300  # letters of one expression
MOST_FIELDS: Final = 60  # of one mapping
_MOST_PARTS: Final = 60
_MOST_SPREADS: Final = 4  # parts that may make more than they were given
_MOST_STEPS: Final = 50_000
_MOST_VALUES: Final = 20_000  # of a result
_SPREADING: Final = frozenset(
    {"multi_select_list", "multi_select_dict", "projection", "value_projection", "filter_projection", "flatten"}
)
# `to_string` writes out what stands there many times over, `map` and the `_by`s work for each element.
_REFUSED: Final = frozenset({"to_string", "map", "sort_by", "max_by", "min_by"})


class MappingWrong(Invalid):
    """An expression that cannot be read, is too large, or did too much; the text says which."""


class _Bounded(TreeInterpreter):  # type: ignore[misc]  # the library has no types
    """Counts its steps."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def visit(self, node: Any, *args: Any, **named: Any) -> Any:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise MappingWrong("The expression does too much for this value.")
        return super().visit(node, *args, **named)


@lru_cache(maxsize=1024)
def compile_expression(text: str) -> Any:  # Any: the library's parsed tree
    """Read an expression once. Raises MappingWrong."""
    if not text.strip() or len(text) > LONGEST:
        raise MappingWrong(f"An expression has 1 to {LONGEST} letters.")
    try:
        parsed = jmespath.compile(text).parsed
    except (JMESPathError, RecursionError) as error:
        raise MappingWrong(f"“{text[:80]}” is no JMESPath: {str(error).splitlines()[0][:160]}") from None
    parts = list(_parts(parsed))
    spreads = sum(part["type"] in _SPREADING for part in parts)
    if len(parts) > _MOST_PARTS or spreads > _MOST_SPREADS:
        raise MappingWrong(f"“{text[:80]}” is too large: {_MOST_PARTS} parts, {_MOST_SPREADS} of them lists.")
    for part in parts:
        if part["type"] == "function_expression" and part["value"] in _REFUSED:
            raise MappingWrong(f"“{text[:80]}” uses {part['value']}, which is not offered here.")
    return parsed


def evaluate(text: str, value: Any) -> Any:  # Any: JSON in, JSON out
    """The value of an expression; None where it finds nothing. Raises MappingWrong."""
    parsed = compile_expression(text)
    try:
        found = _Bounded().visit(parsed, value)
    except (JMESPathError, RecursionError, TypeError, ValueError, OverflowError) as error:
        raise MappingWrong(f"“{text[:80]}” does not work for this value: {type(error).__name__}.") from None
    _measure(found)
    return found


def rename(mapping: Mapping[str, str], value: Any) -> Any:  # Any: JSON in, JSON out
    """Build an object (or a list of them) by field → expression; `a.b` puts into an object. What is null is left out.

    Raises MappingWrong.
    """
    if isinstance(value, list):
        return [rename(mapping, each) for each in value]
    made: dict[str, Any] = {}
    for field, expression in mapping.items():
        found = evaluate(expression, value)
        if found is not None:
            _put(made, field.split("."), found)
    return made


def fields_named(text: str) -> set[str]:
    """The fields that an expression takes from the value it starts at. Raises MappingWrong."""
    return set(_first_fields(compile_expression(text)))


def _put(made: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        within = made.setdefault(part, {})
        if not isinstance(within, dict):
            raise MappingWrong(f"“{'.'.join(path)}” is put into a field that is no object.")
        made = within
    made[path[-1]] = value


def _parts(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _parts(child)


def _first_fields(node: dict[str, Any]) -> Iterator[str]:
    """Only the first of a chain stands on the value itself; the rest stand on what it gave."""
    kind, children = node["type"], [child for child in node.get("children", ()) if isinstance(child, dict)]
    if kind == "field":
        yield str(node["value"])
    elif kind in {"subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection"}:
        yield from _first_fields(children[0]) if children else ()
    else:
        for child in children:
            yield from _first_fields(child)


def _measure(value: Any) -> None:
    left = [value]
    seen = 0
    while left:
        seen += 1
        if seen > _MOST_VALUES:
            raise MappingWrong("The expression makes more than can be kept.")
        each = left.pop()
        if isinstance(each, dict):
            left += each.values()
        elif isinstance(each, list):
            left += each
