"""Which questions of a form are asked, by what has been answered before them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from app.flow.criteria import CriterionFailed, Readable
from app.flow.definition import Item
from app.flow.fields import Field, Value, as_criterion_value, is_given


def asked_of(item: Item, answers: Mapping[str, Value], facts: Readable) -> tuple[Field, ...]:
    """The questions of a task that are asked with these answers, in their order.

    A condition sees what the same form asks before it, and of that only what is asked; one that cannot be judged, as
    where an answer is still missing, asks nothing.
    """
    asked: list[Field] = []
    if all(field.when is None for field in item.fields):
        return item.fields
    typed = _Typed(f"answers.{item.id}.", facts)
    for field in item.fields:
        if _is_asked(field, typed):
            asked.append(field)
            typed.add(field, answers.get(field.id, field.default))
        else:
            typed.add(field, None)
    return tuple(asked)


def _is_asked(field: Field, facts: Readable) -> bool:
    try:
        return field.when is None or field.when.holds(facts)
    except CriterionFailed:
        return False


class _Typed:
    """Facts in which a form's own answers are what is typed now."""

    def __init__(self, prefix: str, facts: Readable) -> None:
        self._prefix, self._facts = prefix, facts
        self._values: dict[str, object] = {}

    def add(self, field: Field, value: Value) -> None:
        """The answer to one question; None where it is not asked or not answered."""
        given = is_given(value)
        self._values[f"{self._prefix}{field.id}"] = as_criterion_value(field, value) if given else None
        self._values[f"{self._prefix}{field.id}.given"] = given

    def get(self, name: str) -> object:
        """The value of a declared name."""
        return self._values[name] if name in self._values else self._facts.get(name)
