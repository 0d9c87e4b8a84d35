"""Filters (RFC 7644 3.4.2.2) as SQL, as far as columns go. The grammar and what a filter means are `scim2-models`'.

What no column holds is not guessed at: the condition then lets through at least what fits, says that it is not exact,
and `ScimFilter.match` decides in memory over a bounded number of rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize
from uuid import UUID

from scim2_models import ScimFilter
from scim2_models.path import (
    AttributeBinding,
    Comparison,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
    coerce_value,
)
from sqlalchemy import ColumnElement, Text, and_, cast, false, func, not_, or_, select, true

from app.identity.scim.models import DirectoryUser, StaffGroup, StaffGroupMember
from app.identity.scim.rules import comparable, is_storable

Condition = ColumnElement[bool]
_PLAIN = re.compile(r"[A-Za-z0-9@._+-]+")
_ORDERS = {"gt": "__gt__", "ge": "__ge__", "lt": "__lt__", "le": "__le__"}
_PARTS = {"co": "contains", "sw": "startswith", "ew": "endswith"}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A condition in SQL. Not exact: it lets through all that fit, and maybe more."""

    condition: Condition
    exact: bool


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the attributes of one kind of resource are kept: by their names in the models."""

    texts: dict[str, tuple[Any, Any]]  # attribute: column, and how a value of the filter is brought to its form
    times: dict[str, Any]
    id: Any
    active: Any = None
    document: Any = None
    members: Any = None
    kept: frozenset[str] = field(default_factory=frozenset)  # attributes that are in no document


def _folded(text: str) -> str:
    return normalize("NFC", text)


USERS = Columns(
    texts={"user_name": (DirectoryUser.user_key, comparable), "external_id": (DirectoryUser.external_id, _folded)},
    times={"created": DirectoryUser.made_at, "last_modified": DirectoryUser.changed_at},
    id=DirectoryUser.id,
    active=DirectoryUser.active,
    document=DirectoryUser.document,
    kept=frozenset({"groups", "meta", "schemas"}),
)
GROUPS = Columns(
    texts={"display_name": (StaffGroup.name_key, comparable), "external_id": (StaffGroup.external_id, _folded)},
    times={"created": StaffGroup.made_at, "last_modified": StaffGroup.changed_at},
    id=StaffGroup.id,
    members=StaffGroup.id,
)
_ANYTHING = Compiled(true(), exact=False)


def compile_filter(asked: ScimFilter[Any], columns: Columns) -> Compiled:
    """The filter over these columns; it is bound to one model. Raises InvalidFilterException."""
    return _Compiler(asked, columns).visit(asked.ast)


class _Compiler(FilterVisitor[Compiled]):
    """Walks the filter's tree; each node becomes a condition that is never null, so that `not` means what it says."""

    def __init__(self, asked: ScimFilter[Any], columns: Columns) -> None:
        self._asked = asked
        self._columns = columns

    def visit_comparison(self, node: Comparison) -> Compiled:
        bound = self._asked.resolve_comparison(node.attr_path, strict=False)
        if bound is None:
            return _ANYTHING
        value, word = coerce_value(bound, node.value, node.op), str(node.op.value)
        if isinstance(value, str) and not is_storable(value):
            return _exact(true() if word == "ne" else false())  # no text of ours holds such signs
        condition = self._by_column(bound.field_name, bound.sub_field_name, word, value)
        return self._near(bound, word, value) if condition is None else _exact(condition)

    def _by_column(self, name: str, inner: str | None, word: str, value: Any) -> Condition | None:
        """The comparison where a column holds the attribute; None where none does."""
        columns, found = self._columns, None
        if name == "id":
            found = _identity(columns.id, word, value)
        elif name == "active" and columns.active is not None:
            found = _valued(columns.active, word, value)
        elif name in columns.texts and inner is None:
            column, brought = columns.texts[name]
            found = _valued(column, word, None if value is None else brought(str(value)))
        elif name == "meta" and inner in columns.times:
            found = _valued(columns.times[inner], word, value)
        elif name == "members" and inner == "value" and word == "eq":
            found = _has_member(columns, value)
        return found

    def visit_present(self, node: Present) -> Compiled:
        bound, columns = self._asked.resolve(node.attr_path, strict=False), self._columns
        if bound is None or bound.sub_field_name is not None:
            return _ANYTHING
        if bound.field_name in columns.texts:
            column = columns.texts[bound.field_name][0]
            return _exact(and_(column.is_not(None), column != ""))
        if bound.field_name == "id" or (bound.field_name == "active" and columns.active is not None):
            return _exact(true())
        return _ANYTHING

    def visit_not(self, node: Not) -> Compiled:
        inner = self.visit(node.expr)
        return _exact(not_(inner.condition)) if inner.exact else _ANYTHING

    def visit_logical_expr(self, node: LogicalExpr) -> Compiled:
        terms = [self.visit(term) for term in node.terms]
        join = and_ if node.op == LogicalOperator.and_ else or_
        return Compiled(join(*(term.condition for term in terms)), exact=all(term.exact for term in terms))

    def visit_value_path(self, node: ValuePath) -> Compiled:
        inner, named = node.val_filter, node.attr_path.attr.lower()
        if not (self._columns.members is not None and named == "members" and isinstance(inner, Comparison)):
            return self._within(node)
        if inner.op.value == "eq" and inner.attr_path.attr.lower() == "value":
            return _exact(_has_member(self._columns, inner.value))
        return _ANYTHING

    def _within(self, node: ValuePath) -> Compiled:
        """Of `emails[type eq "work" and value eq "x"]`: whatever is compared must stand somewhere in the document."""
        bound, terms = self._asked.resolve(node.attr_path, strict=False), (node.val_filter,)
        if isinstance(node.val_filter, LogicalExpr):
            terms = node.val_filter.terms if node.val_filter.op == LogicalOperator.and_ else ()  # type: ignore[assignment]  # a longer tuple
        near = [self._near(bound, str(t.op.value), t.value) for t in terms if bound and isinstance(t, Comparison)]
        return Compiled(and_(true(), *(each.condition for each in near)), exact=False)

    def _near(self, bound: AttributeBinding, word: str, value: object) -> Compiled:
        """An equal text of plain signs stands in the document whatever its case; so most rows need no second look."""
        document = self._columns.document
        plain = isinstance(value, str) and _PLAIN.fullmatch(value) and word == "eq"
        if document is None or not plain or bound.field_name in self._columns.kept:
            return _ANYTHING
        return Compiled(func.lower(cast(document, Text)).contains(str(value).lower(), autoescape=True), exact=False)


def _exact(condition: Condition) -> Compiled:
    return Compiled(condition, exact=True)


def _valued(column: Any, word: str, value: Any) -> Condition:
    """One comparison with a column that may be null."""
    if value is None:
        absent: dict[str, Condition] = {"eq": column.is_(None), "ne": column.is_not(None)}
        return absent.get(word, false())
    if word == "eq":
        same: Condition = func.coalesce(column == value, false())
        return same
    if word == "ne":
        different: Condition = column.is_distinct_from(value)
        return different
    if word in _PARTS:
        partly: Condition = func.coalesce(getattr(column, _PARTS[word])(value, autoescape=True), false())
        return partly
    ordered = column.collate("C") if isinstance(value, str) else column  # by code point, as the library compares
    compared: Condition = func.coalesce(getattr(ordered, _ORDERS[word])(value), false())
    return compared


def _identity(column: Any, word: str, value: Any) -> Condition:
    if word in {"eq", "ne"}:
        known = _uuid(value)
        same: Condition = column == known if known else false()
        return same if word == "eq" else not_(same)
    return _valued(cast(column, Text), word, value)


def _has_member(columns: Columns, value: Any) -> Condition:
    known = _uuid(value)
    if known is None or columns.members is None:
        return false()
    return select(1).where(StaffGroupMember.group_id == columns.members, StaffGroupMember.user_id == known).exists()


def _uuid(value: Any) -> UUID | None:
    """The id, if it is written as we write ids: they are compared by their letters."""
    try:
        found = UUID(value)
    except (ValueError, TypeError, AttributeError):
        return None
    return found if str(found) == value else None
