"""The edges of a definition: histories that chance seldom finds, each with a name, in an order that stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Literal, TypeVar

from msgspec import Struct

from app.flow.definition import Definition
from app.flow.fields import LARGEST_INTEGER, Field

T = TypeVar("T")
Lean = Literal["", "least", "most"]
First = Literal["", "returned", "failed", "unknown"]


class Edge(Struct, frozen=True, kw_only=True):
    """One way in which everything goes to an edge; "" and None leave it to chance.

    `option` picks the n-th choice of every select. `late`: nobody acts while a clock runs. `first`: what becomes of
    every gate, or of every call, before it may go well. `left_out`: all that somebody may leave out is.
    """

    name: str
    values: Lean = ""
    option: int | None = None
    packet: Literal["", "none", "all"] = ""
    begin: datetime | None = None
    first: First = ""
    late: bool = False
    left_out: bool = False


ANY = Edge(name="")
_MOMENTS = {
    "begun on a Friday evening": datetime(2026, 3, 6, 22, 30, tzinfo=UTC),
    "begun on a Sunday": datetime(2026, 3, 8, 12, 0, tzinfo=UTC),
    "begun at the turn of the year": datetime(2026, 12, 31, 22, 59, tzinfo=UTC),
    "begun as clocks jump ahead": datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC),
    "begun as clocks fall back": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    "begun on a leap day": datetime(2028, 2, 29, 8, 0, tzinfo=UTC),
}


def edges_of(definition: Definition) -> tuple[Edge, ...]:
    """All edges of a definition."""
    choices = max((len(field.options) for field in definition.fields.values() if field.type == "select"), default=0)
    return (
        Edge(name="least of everything", values="least", packet="none"),
        Edge(name="most of everything", values="most", packet="all"),
        *(Edge(name=f"choice {number + 1} everywhere", option=number, packet="all") for number in range(choices)),
        Edge(name="nothing of the packet", packet="none"),
        Edge(name="all of the packet", packet="all"),
        Edge(name="every gate returned first", first="returned"),
        Edge(name="every action failed first", first="failed"),
        Edge(name="every action unknown first", first="unknown"),
        Edge(name="everybody late", late=True),
        Edge(name="everybody late, nothing given", late=True, packet="none", values="least"),
        Edge(name="all left out", left_out=True),
        Edge(name="all left out, late", left_out=True, late=True),
        *(Edge(name=name, begin=moment) for name, moment in _MOMENTS.items()),
    )


class Leaning(Random):
    """Chance for values that leans to an edge; what the edge does not say stays chance."""

    def __init__(self, seed: int, edge: Edge) -> None:
        super().__init__(seed)
        self.edge = edge

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]  # of sequences only, as we use it
        """The first, the last, or the n-th."""
        if self.edge.option is not None:
            return seq[self.edge.option % len(seq)]
        return {"least": seq[0], "most": seq[-1]}.get(self.edge.values) or super().choice(seq)

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """What is likely is never so at the least and always at the most."""
        if stop is None and self.edge.values:
            return start - 1 if self.edge.values == "least" else 0
        return super().randrange(start, stop, step)

    def integer(self, field: Field) -> int | None:
        """The field's own bound; None where the edge says nothing."""
        bounds = {"least": (field.minimum, -LARGEST_INTEGER), "most": (field.maximum, LARGEST_INTEGER)}
        if self.edge.values not in bounds:
            return None
        own, widest = bounds[self.edge.values]
        return widest if own is None else own
