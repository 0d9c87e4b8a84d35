"""What the names of a criterion can be, as few values as tell all cases apart; and whether it is true for any of them.

Only what is compared plainly is decided: a criterion that computes, or looks into texts or lists, is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from math import prod
from typing import Any

from app.flow.criteria import PART, REFERENCE, Criterion, CriterionFailed
from app.flow.fields import LARGEST_INTEGER, MOST_ENTRIES
from app.templates.linting.criteria import TEXT

MOST_CASES = 4_096
Case = dict[str, object]  # declared names with their values; one without a value is not in it
_KEYWORDS = frozenset({"true", "false", "in"})
_STATES = frozenset({"stage", "milestone", "task", "gate"})
_TOKENS = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*|\d+|==|!=|<=|>=|&&|\|\||[<>!?:(),\[\]]|\s+")
_SIZE = re.compile(r"\bsize\(\s*([A-Za-z_][\w.]*)\s*\)|([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)\.size\(\s*\)")
_MOMENT = re.compile(r"\btimestamp\(\s*(\x00\d+)\s*\)")
_ORDERED = 2  # so many numbers can be told apart by the values beside each literal


class Undecided(Exception):
    """What a criterion can be is not known here."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a document declares. `fields` are as they are written, by the name that criteria use.

    `states` says in which states an item may be: done, skipped, not_needed, or none of them ("").
    """

    fields: Mapping[str, Mapping[str, Any]]
    states: Callable[[str], tuple[str, ...]]


def never_holds(criterion: Criterion, known: Known) -> bool:
    """Whether it is true in no case, all of which were tried. False where that cannot be said."""
    try:
        cases = [list(each) for each in _domains(criterion, known)]
    except Undecided:
        return False
    if prod(len(each) for each in cases) > MOST_CASES:
        return False
    return not any(_is_true(criterion, case) for case in product(*cases))


def _is_true(criterion: Criterion, case: Iterable[Case]) -> bool:
    facts: Case = {}
    for each in case:
        facts |= each
    try:
        return criterion.holds(facts)
    except (CriterionFailed, RuntimeError):  # the second: what the engine stops itself
        return False


def _domains(criterion: Criterion, known: Known) -> Iterator[list[Case]]:
    """The values of each thing that a criterion reads. Raises Undecided."""
    literals = _Literals(criterion.source)
    bases = {_subject(name) for name in criterion.names}
    kinds = {base: known.fields[base]["type"] for base in bases if base in known.fields}
    literals.check(bases, kinds)
    literals.texts += [  # a text may be compared with a choice
        str(option["id"])
        for base, kind in kinds.items()
        if kind == "select"
        for option in known.fields[base]["options"]
    ]
    for base in sorted(bases):
        if base.partition(".")[0] in _STATES:
            yield [_of_state(base, state) for state in known.states(base)]
        elif base in {PART, REFERENCE}:
            yield [{base: text} for text in literals.words(1)]
        elif base in kinds:
            yield [_of_value(base, value) for value in [*literals.values(known.fields, base, kinds), None]]
        else:
            raise Undecided


def _subject(name: str) -> str:
    """What a name is about: an item, or a field."""
    if name.partition(".")[0] in _STATES:
        return name.rpartition(".")[0]
    return name.removesuffix(".given") if name.count(".") > 1 else name


def _of_state(base: str, state: str) -> Case:
    done = state == "done"
    return {
        f"{base}.done": done,
        f"{base}.passed": done,
        f"{base}.skipped": state == "skipped",
        f"{base}.settled": bool(state),
    }


def _of_value(base: str, value: object) -> Case:
    return {f"{base}.given": False} if value is None else {base: value, f"{base}.given": True}


class _Literals:
    """What a criterion compares with. Raises Undecided for one that does more than compare."""

    def __init__(self, source: str) -> None:
        self.texts: list[str] = []
        bare = TEXT.sub(self._text, source)
        self.sized = {one or other for one, other in _SIZE.findall(bare)}
        self.bare = _SIZE.sub(" 0 ", bare)
        self.days = [self._day(found[1]) for found in _MOMENT.finditer(self.bare)]
        plain = _MOMENT.sub(" 0 ", self.bare)
        self.names = re.findall(r"[A-Za-z_][\w.]*", re.sub(r"\x00\d+", " ", plain))
        if _TOKENS.sub("", re.sub(r"\x00\d+", " ", plain)):
            raise Undecided
        self.numbers = [int(each) for each in re.findall(r"(?<![\w.\x00])\d+", plain)]
        self.orders = bool(re.search(r"[<>]", plain))

    def check(self, bases: set[str], kinds: Mapping[str, str]) -> None:
        """Raises Undecided when these names are read in a way that is not understood here."""
        texts = [base for base, kind in kinds.items() if kind in {"text", "long_text", "email", "select"}]
        numbers = [base for base, kind in kinds.items() if kind in {"integer", "date"}]
        lists = {base for base, kind in kinds.items() if kind == "list"}
        unknown = [name for name in self.names if name not in _KEYWORDS and _subject(name) not in bases]
        if unknown or self.sized - lists or lists & set(self.names):
            raise Undecided
        if (self.orders and texts) or len(numbers) + len(self.sized) > _ORDERED:
            raise Undecided

    def values(self, fields: Mapping[str, Mapping[str, Any]], base: str, kinds: Mapping[str, str]) -> list[object]:
        """What a field can be, so far as these literals tell it apart. Raises Undecided."""
        field, kind = fields[base], kinds[base]
        if kind == "boolean":
            return [True, False]
        if kind == "select":
            return [option["id"] for option in field["options"]]
        if kind in {"text", "long_text", "email"}:
            return list(self.words(len(kinds)))
        numbers = [fields[each] for each in kinds if kinds[each] == "integer"]
        if kind == "integer":
            return list(self._numbers(numbers, field))
        if kind == "date":
            return list(self._moments())
        if kind == "list":
            return [["x"] * size for size in self._numbers(numbers, {"minimum": 1, "maximum": MOST_ENTRIES})]
        raise Undecided

    def words(self, others: int) -> list[str]:
        """Every text that is compared with, and so many others."""
        return [*self.texts, *(f"something else {number}" for number in range(others))]

    def _numbers(self, fields: list[Mapping[str, Any]], field: Mapping[str, Any]) -> list[int]:
        low, high = field.get("minimum", -LARGEST_INTEGER), field.get("maximum", LARGEST_INTEGER)
        bounds = [each[word] for each in fields for word in ("minimum", "maximum") if word in each]
        found = {low, high, *self._around(low, high)}
        bounds += [1, MOST_ENTRIES] if self.sized else []
        found |= {near for each in bounds for near in (each - 1, each, each + 1)}
        return sorted((each for each in found if low <= each <= high), key=abs)

    def _around(self, low: int, high: int) -> Iterator[int]:
        for each in {0, *self.numbers}:  # zero: a minus before a number is refused above, its size is not
            yield from (near for near in (each - 1, each, each + 1) if low <= near <= high)

    def _moments(self) -> list[datetime]:
        days = [day + timedelta(days=more) for day in self.days for more in (-1, 0, 1)]
        found = {*days, date(1970, 1, 2), date(2199, 12, 30)}
        return [datetime.combine(day, datetime.min.time(), tzinfo=UTC) for day in sorted(found)]

    def _text(self, found: re.Match[str]) -> str:
        """A number stands for a text, so that nothing in it is taken for a name. Raises Undecided."""
        word = found[1][1:-1]
        if "\\" in word or found.group() != found[1]:
            raise Undecided
        self.texts.append(word)
        return f"\x00{len(self.texts) - 1}"

    def _day(self, token: str) -> date:
        try:
            return datetime.fromisoformat(self.texts[int(token[1:])]).date()
        except ValueError:
            raise Undecided from None
