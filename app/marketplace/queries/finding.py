"""Narrowing what was found: by whom it is for, lifecycle, language, publisher, length and rating. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final, get_args

from app.flow.definition import Lifecycle
from app.marketplace.queries.market import Card

Asked = Mapping[str, str]
_MONTH: Final = 22  # working days
_QUARTER: Final = 66
_GOOD: Final = 4


def length_of(days: int) -> str:
    """How long a plan is, in the words of the choice."""
    if days <= _MONTH:
        return "month"
    return "quarter" if days <= _QUARTER else "longer"


def _rating(card: Card) -> list[str]:
    return [] if card.stars is None else ["good"] if card.stars >= _GOOD else ["other"]


_VALUES: Final[dict[str, Callable[[Card], Sequence[str]]]] = {
    "audience": lambda card: [card.facts["audience"]],
    "lifecycle": lambda card: [card.facts["lifecycle"]],
    "language": lambda card: card.facts["locales"],
    "publisher": lambda card: [card.publisher or "operator"],
    "length": lambda card: [length_of(card.facts["days"])],
    "rating": _rating,
}
NAMES: Final = tuple(_VALUES)
# The choices whose values are ours; languages and publishers are whichever there are.
_KNOWN: Final[dict[str, Collection[str]]] = {
    "audience": ("msp", "saas", "erp", "integrator"),
    "lifecycle": get_args(Lifecycle),
    "length": ("month", "quarter", "longer"),
    "rating": ("good", "other"),
}


def read_choices(typed: Asked) -> dict[str, str]:
    """Every choice by its name, "" for none: a value that there is not is none."""
    asked = {name: typed.get(name, "") for name in NAMES}
    return {name: value if value in _KNOWN.get(name, (value,)) else "" for name, value in asked.items()}


def narrow(cards: Iterable[Card], asked: Asked, *, but: str = "") -> list[Card]:
    """Those that fit every choice; `but` leaves one choice out, to count what it would find."""
    chosen = {name: asked[name] for name in NAMES if asked.get(name) and name != but}
    return [card for card in cards if all(value in _VALUES[name](card) for name, value in chosen.items())]


def facets(cards: Sequence[Card], asked: Asked) -> dict[str, list[dict[str, Any]]]:
    """For each choice its values, with how many each would find beside the other choices; the most frequent first."""
    found = {}
    for name, values in _VALUES.items():
        counted = Counter(value for card in narrow(cards, asked, but=name) for value in values(card))
        if asked.get(name) and asked[name] not in counted:
            counted[asked[name]] = 0
        found[name] = [{"value": value, "count": number} for value, number in counted.most_common()]
    return found
