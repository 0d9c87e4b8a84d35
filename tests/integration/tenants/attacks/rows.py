"""Rows made from the models alone: a table added tomorrow is attacked without a change to any test."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import Column, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from app.kernel.ids import new_id

_VALUES: dict[type, Any] = {
    int: 1,
    bool: False,
    datetime: datetime(2026, 1, 1, tzinfo=UTC),
    timedelta: timedelta(0),
    float: 1.0,
    list: [],
}


def value_of(column: Column[Any]) -> Any:
    """Any value the column's type allows; unique where the type can be."""
    if isinstance(column.type, JSONB):
        return "{}"
    if isinstance(column.type, Text):
        return secrets.token_hex(6)
    kind = column.type.python_type
    if kind is UUID:
        return new_id()
    return secrets.token_bytes(16) if kind is bytes else _VALUES[kind]


def row_of(table: Table, **given: Any) -> dict[str, Any]:
    """Any row; what refers to something refers to nothing that exists, unless it is given."""
    return {column.name: value_of(column) for column in table.c} | {k: v for k, v in given.items() if k in table.c}


def insert(table: Table, row: dict[str, Any]) -> str:
    """The statement that adds the row."""
    composed = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(str(table.schema), table.name),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Literal, row.values())),
    )
    return composed.as_string(None)


def where(table: Table, row: dict[str, Any]) -> str:
    """The condition that names exactly this row."""
    parts = [
        sql.SQL("{} = {}").format(sql.Identifier(column.name), sql.Literal(row[column.name]))
        for column in table.primary_key
    ]
    return sql.SQL(" AND ").join(parts).as_string(None)
