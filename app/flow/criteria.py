"""Conditions in CEL: compiled against declared names, evaluated so that only `true` opens a gate.

Every name is declared by its full dotted form (`task.kickoff.done`), never as a map: the checker looks into none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Protocol

from cel_expr_python import cel

from app.flow.fields import Field
from app.kernel.errors import Invalid

TYPES = {
    "text": cel.Type.STRING,
    "long_text": cel.Type.STRING,
    "email": cel.Type.STRING,
    "url": cel.Type.STRING,
    "phone": cel.Type.STRING,
    "select": cel.Type.STRING,
    "decimal": cel.Type.DOUBLE,
    "integer": cel.Type.INT,
    "files": cel.Type.INT,  # how many there are
    "boolean": cel.Type.BOOL,
    "date": cel.Type.TIMESTAMP,
}
LIST = cel.Type.List(cel.Type.STRING)  # what criteria see of a field of several; no connector takes one
SEVERAL = frozenset({"list", "choices"})
PART = "part.name"  # the name of an instance, inside of a repeated part
REFERENCE = "onboarding.reference"  # the one name that every template has
LONGEST_SOURCE = 2_000
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


class Readable(Protocol):
    """Where a criterion's names get their values; None for a name without one."""

    def get(self, name: str, /) -> object:
        """The value of a declared name."""


class CriterionRefused(Invalid):
    """An expression that does not type-check. `line` and `column` count from 1 inside the expression."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line, self.column = line, column


class CriterionFailed(Exception):  # not a SlipwayError: it never reaches a person as such
    """An expression that could not be evaluated on this state: an exception with a place, never an open gate."""

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place}: {reason}")
        self.place, self.reason = place, reason


class Criterion:
    """One compiled expression. `names` are the declared names it reads, so that only those are handed to it."""

    __slots__ = ("_expression", "names", "place", "source")

    def __init__(self, source: str, place: str, expression: cel.Expression, names: tuple[str, ...]) -> None:
        self.source, self.place, self.names = source, place, names
        self._expression = expression

    def __repr__(self) -> str:
        return f"Criterion({self.source!r} at {self.place})"

    def holds(self, facts: Readable) -> bool:
        """Whether it is the value `true`. Raises CriterionFailed when it cannot be evaluated."""
        return self.value(facts) is True

    def value(self, facts: Readable) -> object:
        """What it evaluates to, as a plain Python value. Raises CriterionFailed."""
        known = {name: value for name in self.names if (value := facts.get(name)) is not None}
        try:
            answer = self._expression.eval(data=known)
        except RuntimeError as trouble:  # the engine's own bound: lists inside of lists take too many steps
            raise CriterionFailed(self.place, str(trouble).splitlines()[0]) from None
        if answer.type() in (cel.Type.ERROR, cel.Type.UNKNOWN):  # CEL types have no hash
            raise CriterionFailed(self.place, _reason(str(answer.value())))
        return answer.plain_value()


class Vocabulary:
    """The names that criteria of one template may use, with their types."""

    def __init__(self, names: Mapping[str, cel.Type]) -> None:
        self.names = dict(names)
        self._env = cel.NewEnv(variables=self.names)

    def condition(self, source: str, place: str) -> Criterion:
        """Compile an expression that must be true or false. Raises CriterionRefused."""
        criterion, kind = self._compile(source, place)
        if kind != cel.Type.BOOL:
            raise CriterionRefused(f"A condition must be true or false, this is {_words(kind)}.")
        return criterion

    def mapping(self, source: str, place: str) -> Criterion:
        """Compile an expression that yields a value a connector can take. Raises CriterionRefused."""
        criterion, kind = self._compile(source, place)
        if kind not in list(TYPES.values()):  # CEL types have no hash
            raise CriterionRefused(
                f"An action's input must be text, a number, yes or no, or a date, this is {_words(kind)}."
            )
        return criterion

    def _compile(self, source: str, place: str) -> tuple[Criterion, cel.Type]:
        if len(source) > LONGEST_SOURCE:
            raise CriterionRefused(f"A criterion may have {LONGEST_SOURCE} characters, this one has {len(source)}.")
        try:
            expression = self._env.compile(source)
        except RuntimeError as trouble:
            raise _refused(str(trouble)) from None
        return Criterion(source, place, expression, self._read_names(source)), expression.return_type()

    def _read_names(self, source: str) -> tuple[str, ...]:
        """Declared names that occur in the source. One found inside a text literal is harmless: it is only offered."""
        found: set[str] = set()
        for match in _NAME.finditer(source):
            found.update(accumulate(match.group().split("."), "{}.{}".format))  # a name may be followed by a function
        return tuple(sorted(found & self.names.keys()))


def declare_fields(prefix: str, fields: tuple[Field, ...]) -> dict[str, cel.Type]:
    """`prefix.id` with the field's type and `prefix.id.given` for each field."""
    names: dict[str, cel.Type] = {}
    for field in fields:
        names[f"{prefix}.{field.id}"] = LIST if field.type in SEVERAL else TYPES[field.type]
        names[f"{prefix}.{field.id}.given"] = cel.Type.BOOL
    return names


def _refused(text: str) -> CriterionRefused:
    found = _ERROR.search(text)
    if not found:
        return CriterionRefused(text.splitlines()[0])
    line, column, reason = found.groups()
    reason = reason.replace(" (in container '')", "")
    return CriterionRefused(reason[:300], line=int(line), column=int(column))


def _reason(text: str) -> str:
    missing = re.search(r'No value with name "([^"]+)"', text)
    return f"{missing.group(1)} has no value yet" if missing else text.partition(": ")[2] or text


def _words(kind: cel.Type) -> str:
    return str(kind.name()).lower()
