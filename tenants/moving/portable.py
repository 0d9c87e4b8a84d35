"""Rows that travel with a tenant, read from the metadata: a table declared later is read and written without a change.

A row is one line of JSON: an object of its columns in their order, each value PostgreSQL's own text form as a string,
SQL NULL as `null`. Text forms give every type back exactly, also those that nobody has used yet.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql

from tenants.metadata import CellRecord, TenantRecord

TENANT: Final = "tenant"
CELL: Final = "cell"
READER: Final = 7_305_022  # the advisory lock that says "this transaction only reads rows for a bundle"
_TEXTS = ("TEXT", "VARCHAR", "CHAR")
_FORMS = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "iso_8601",
    "bytea_output": "hex",
    "extra_float_digits": "1",
}


@dataclass(frozen=True, slots=True)
class Travels:
    """Which rows of a table of the cell go with their tenant, and which columns start afresh over there.

    `where` is SQL; `fresh` gives constants for columns that say how far this cell has come with the row.
    """

    where: str
    fresh: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PortableTable:
    """A table whose rows travel; `types` are the columns' types as PostgreSQL spells them."""

    group: str  # tenant | cell
    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]
    sealed: bool = False  # its rows are worth nothing without the tenant's keys
    apart: str = ""  # SQL for the rows that travel without secrets; "": all of them
    travels: Travels | None = None

    @property
    def path(self) -> str:
        """Group and name, as a bundle names it."""
        return f"{self.group}/{self.name}"


def portable_tables(tenant: MetaData | None = None, cell: MetaData | None = None) -> tuple[PortableTable, ...]:
    """Every table that travels, in the order in which their rows can be written."""
    of_tenant = (TenantRecord.metadata if tenant is None else tenant).sorted_tables
    of_cell = (CellRecord.metadata if cell is None else cell).sorted_tables
    travelling = [(table, table.info["travels"]) for table in of_cell if "travels" in table.info]
    return (
        *(_portable(TENANT, table, None) for table in of_tenant),
        *(_portable(CELL, table, travels) for table, travels in travelling),
    )


def read_rows(
    cursor: psycopg.Cursor[Any], table: PortableTable, tenant_id: UUID, *, skip: int, whole: bool = True
) -> Generator[str]:
    """The rows as lines, by the table's key, without the first `skip`; one row in memory at a time. To be closed.

    `whole`: those too that are kept apart from exports without secrets.

    In the tenant's scope, for tables of the cell in the dispatcher's. The transaction reads nothing else afterwards.
    """
    cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [READER])
    cursor.execute("SET LOCAL statement_timeout = 0")  # the writing of the bundle sets the pace
    _speak_plainly(cursor)
    query, values = _select(table, whole=whole), {"tenant": tenant_id, "skip": skip}
    found = cast("Generator[tuple[str]]", cursor.stream(query, values))
    with closing(found):  # a stream that is left open holds its connection's lock: its rollback would wait for ever
        for (line,) in found:
            yield line


def write_rows(cursor: psycopg.Cursor[Any], table: PortableTable, lines: Sequence[bytes]) -> int:
    """Insert lines that `read_rows` gave; a row that is there already stays as it is. Returns how many were new."""
    _speak_plainly(cursor)
    cursor.execute(_insert(table), ["[" + b",".join(lines).decode() + "]"])
    return cursor.rowcount


def count_rows(cursor: psycopg.Cursor[Any], table: PortableTable) -> int:
    """How many rows the table of the entered tenant holds."""
    row = cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(_name(table))).fetchone()
    return int(row[0]) if row else 0


def _portable(group: str, table: Table, travels: Travels | None) -> PortableTable:
    columns = [column for column in table.columns if column.computed is None]
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves the constructor untyped
    return PortableTable(
        group=group,
        name=str(table.name),
        columns=tuple(str(column.name) for column in columns),
        types=tuple(column.type.compile(dialect=dialect) for column in columns),
        key=tuple(str(column.name) for column in table.primary_key.columns),
        sealed=bool(table.info.get("sealed")),
        apart=str(table.info.get("apart", "")),
        travels=travels,
    )


def _speak_plainly(cursor: psycopg.Cursor[Any]) -> None:
    """One spelling of every value, whatever the server, the database or the role is set to."""
    for name, value in _FORMS.items():
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])


def _name(table: PortableTable) -> sql.Identifier:
    return sql.Identifier("cell", table.name) if table.group == CELL else sql.Identifier(table.name)


def _select(table: PortableTable, *, whole: bool) -> sql.Composed:
    fresh = table.travels.fresh if table.travels else {}
    values = [
        sql.SQL("{}::text AS {}").format(
            sql.Literal(fresh[name]) if name in fresh else sql.Identifier(name), sql.Identifier(name)
        )
        for name in table.columns
    ]
    condition = f"tenant_id = %(tenant)s AND ({table.travels.where})" if table.travels else "true"
    if table.apart and not whole:
        condition = table.apart
    return sql.SQL(
        "SELECT row_to_json(line)::text FROM (SELECT {values} FROM {table} WHERE {condition} ORDER BY {order}"
        " OFFSET %(skip)s) line"
    ).format(
        values=sql.SQL(", ").join(values),
        table=_name(table),
        condition=sql.SQL(condition),  # written beside the model, never by a user
        order=sql.SQL(", ").join(_ordered(table, name) for name in table.key),
    )


def _ordered(table: PortableTable, name: str) -> sql.Composed:
    """The same order in every database: text sorts by its bytes, whatever language the database was made for."""
    kind = table.types[table.columns.index(name)]
    plain = sql.SQL("{table}.{column}").format(table=sql.Identifier(table.name), column=sql.Identifier(name))
    return plain + sql.SQL(' COLLATE "C"') if kind.startswith(_TEXTS) else plain


def _insert(table: PortableTable) -> sql.Composed:
    names = [sql.Identifier(name) for name in table.columns]
    values = [
        sql.SQL("line.{}::{}").format(name, sql.SQL(kind))  # a type of our own models
        for name, kind in zip(names, table.types, strict=True)
    ]
    return sql.SQL(
        "INSERT INTO {table} ({names}) SELECT {values} FROM json_to_recordset(%s::json) AS line({texts})"
        " ON CONFLICT DO NOTHING"
    ).format(
        table=_name(table),
        names=sql.SQL(", ").join(names),
        values=sql.SQL(", ").join(values),
        texts=sql.SQL(", ").join(sql.SQL("{} text").format(name) for name in names),
    )
