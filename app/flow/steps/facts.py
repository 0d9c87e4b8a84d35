"""What criteria read, looked up by declared name when asked for: inputs, packet, answers, results, states of items."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from app.flow.criteria import PART, REFERENCE
from app.flow.definition import Definition, Item
from app.flow.fields import Value, as_criterion_value, is_given
from app.flow.parts.unfolding import instance_key
from app.flow.state import SETTLED, ItemState


class Holder(Protocol):
    """Whatever carries an onboarding's values: a state, or a draft of one."""

    @property
    def reference(self) -> str:
        """Its name for outside systems."""

    @property
    def inputs(self) -> Mapping[str, Value]:
        """Its inputs."""

    @property
    def packet(self) -> Mapping[str, Value]:
        """Its packet."""

    @property
    def items(self) -> Mapping[str, ItemState]:
        """Its items by key."""


_NAMES = frozenset({REFERENCE, PART})


class Facts:
    """The declared names of one onboarding with their values now; a name without a value is None."""

    __slots__ = ("_definition", "_holder", "_inside")

    def __init__(self, definition: Definition, holder: Holder, inside: Item | None = None) -> None:
        self._definition, self._holder, self._inside = definition, holder, inside

    def of(self, item: Item) -> Facts:
        """As criteria of this item see them: in one of several, names of its part mean this one."""
        return self if item.number is None else Facts(self._definition, self._holder, item)

    def get(self, name: str) -> object:
        """The value of a declared name as CEL sees it, or None."""
        kind, owner, word = _parts(name)
        holder = self._holder
        if name in _NAMES:
            return (holder.reference or None) if name == REFERENCE else (self._inside.part if self._inside else None)
        if kind in {"inputs", "packet"}:
            values = holder.inputs if kind == "inputs" else holder.packet
            return self._value(f"{kind}.{owner}", values.get(owner), given=word == "given")
        if kind in {"answers", "results"}:
            field, _, given = word.partition(".")
            item = holder.items.get(self._own(f"task.{owner}"))
            found = (item.answers if kind == "answers" else item.result) if item else {}
            return self._value(f"{kind}.{owner}.{field}", found.get(field), given=bool(given))
        named = holder.items.get(self._own(f"{kind}.{owner}"))
        return None if named is None else _is(named, word)  # None: in a repeated part, and asked for from outside

    def _own(self, key: str) -> str:
        if self._inside is None:
            return key
        own = instance_key(key, self._inside.number or 0)
        item = self._definition.items.get(own)
        return own if item is not None and item.group == self._inside.group else key

    def _value(self, name: str, value: Value, *, given: bool) -> object:
        if given:
            return is_given(value)
        field = self._definition.fields.get(name)
        return as_criterion_value(field, value) if field and is_given(value) else None


@lru_cache(maxsize=8192)
def _parts(name: str) -> tuple[str, str, str]:
    kind, _, rest = name.partition(".")
    owner, _, word = rest.partition(".")
    return kind, owner, word


def _is(item: ItemState, word: str) -> bool:
    if word == "settled":
        return item.state in SETTLED
    return item.state == ("skipped" if word == "skipped" else "done")
