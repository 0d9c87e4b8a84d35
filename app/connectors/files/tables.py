"""CSV with a schema, in and out: typed columns, bad cells by line and column, no formula for a spreadsheet. Pure."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, Literal

import msgspec

from app.kernel.errors import Invalid

Kind = Literal["text", "integer", "decimal", "date", "boolean", "email"]
Cell = str | int | bool | None

MOST_BAD: Final = 100  # bad cells that are told one by one; all are counted
LONGEST_LINE: Final = 1 << 20  # characters
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_INTEGER: Final = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_DECIMAL: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250})\.[A-Za-z]{2,63}")
_TRUTH: Final = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class TableUnreadable(Invalid):
    """The whole file cannot be read as a table of this schema, or written as one; the text says where."""


class Column(msgspec.Struct, frozen=True):
    """One column: its heading, what stands in it, and whether every row needs it."""

    name: str
    type: Kind = "text"
    required: bool = False


class TableShape(msgspec.Struct, frozen=True, kw_only=True):
    """How a file is written. `most_rows` counts good and bad ones."""

    columns: tuple[Column, ...]
    encoding: Literal["utf-8", "iso-8859-1", "windows-1252", "utf-16"] = "utf-8"
    delimiter: Literal[",", ";", "\t", "|"] = ","
    most_rows: int = 10_000


class BadCell(msgspec.Struct, frozen=True):
    """Where a row does not fit: the line of the file (the heading is line 1), the column, and why."""

    line: int
    column: str
    problem: str


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What was read: the good rows, the first bad cells, and how many rows were good and bad."""

    rows: tuple[dict[str, Cell], ...]
    bad: tuple[BadCell, ...]
    good_count: int
    bad_count: int


def read_table(chunks: Iterable[bytes], shape: TableShape) -> Table:
    """Read a file as it comes, chunk by chunk. Rows that do not fit are told, and the good ones kept.

    Raises TableUnreadable for what is wrong with the whole: encoding, headings, quotes, too many rows.
    """
    reader = csv.reader(_lines(_decoded(chunks, shape.encoding)), delimiter=shape.delimiter, strict=True)
    try:
        return _read(reader, shape)
    except csv.Error as error:
        raise TableUnreadable(f"Line {reader.line_num} cannot be read: {error}.") from None
    except UnicodeError:
        raise TableUnreadable(f"After line {reader.line_num} the file is not {shape.encoding}.") from None


def _read(reader: Any, shape: TableShape) -> Table:  # Any: csv has no public type for it
    places = _places(next(reader, []), shape.columns)
    rows: list[dict[str, Cell]] = []
    bad: list[BadCell] = []
    bad_count = 0
    for cells in reader:
        if not cells:
            continue
        if len(rows) + bad_count >= shape.most_rows:
            raise TableUnreadable(f"The file has more than {shape.most_rows} rows.")
        row, wrong = _row(cells, places, shape.columns, reader.line_num)
        bad_count += bool(wrong)
        bad += wrong[: MOST_BAD - len(bad)]
        if not wrong:
            rows.append(row)
    return Table(rows=tuple(rows), bad=tuple(bad), good_count=len(rows), bad_count=bad_count)


def _decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[str]:
    return codecs.iterdecode(chunks, "utf-8-sig" if encoding == "utf-8" else encoding, errors="strict")


def _lines(texts: Iterable[str]) -> Iterator[str]:
    """Lines with their ends, of which none is endless. A line feed ends one, and none of Unicode's other ends."""
    rest = ""
    for text in texts:
        *whole, rest = (rest + text).split("\n")
        yield from (f"{line}\n" for line in whole)
        if len(rest) > LONGEST_LINE:
            raise TableUnreadable(f"A line is longer than {LONGEST_LINE} characters.")
    if rest:
        yield rest


def _places(heading: Sequence[str], columns: Sequence[Column]) -> dict[str, int]:
    """Where each of our columns stands in the file; others are left alone."""
    names = [name.strip() for name in heading]
    twice = {name for name in names if names.count(name) > 1} & {column.name for column in columns}
    if twice:
        raise TableUnreadable(f"The column {min(twice)!r} is there twice.")
    missing = [column.name for column in columns if column.required and column.name not in names]
    if missing:
        raise TableUnreadable(f"The file has no column {missing[0]!r}; its first line holds the names of columns.")
    return {column.name: names.index(column.name) for column in columns if column.name in names}


def _row(
    cells: Sequence[str], places: Mapping[str, int], columns: Sequence[Column], line: int
) -> tuple[dict[str, Cell], list[BadCell]]:
    row: dict[str, Cell] = {}
    wrong: list[BadCell] = []
    for column in columns:
        place = places.get(column.name)
        text = cells[place].strip() if place is not None and place < len(cells) else ""
        try:
            row[column.name] = cell_of(text, column)
        except ValueError as error:
            wrong.append(BadCell(line, column.name, str(error)))
    return row, wrong


def cell_of(text: str, column: Column) -> Cell:
    """The value of a cell by its column. Raises ValueError with a sentence that does not repeat the cell."""
    if not text:
        if column.required:
            raise ValueError("is empty")
        return None
    if not text.isprintable() and any(letter < " " and letter not in "\n\r\t" for letter in text):
        raise ValueError("holds letters that no text holds")
    return _READ[column.type](text)


def _whole(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError("is not a whole number")
    return int(text)


def _decimal(text: str) -> str:
    if not _DECIMAL.fullmatch(text):
        raise ValueError("is not a number with a point, such as 12.50")
    return text


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("is not a date such as 2026-03-01") from None


def _truth(text: str) -> bool:
    if (found := _TRUTH.get(text.lower())) is None:
        raise ValueError("is neither true nor false")
    return found


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("is not an e-mail address")
    return text


_READ: Final[dict[str, Callable[[str], Cell]]] = {
    "text": str, "integer": _whole, "decimal": _decimal, "date": _date, "boolean": _truth, "email": _email,
}  # fmt: skip


def write_table(rows: Sequence[Mapping[str, Any]], shape: TableShape) -> bytes:
    """The file of these rows: the same bytes for the same rows. Raises TableUnreadable, with the row and column.

    A text that a spreadsheet would run as a formula gets an apostrophe before it, which spreadsheets do not show.
    """
    if len(rows) > shape.most_rows:
        raise TableUnreadable(f"There are more than {shape.most_rows} rows.")
    target = io.StringIO(newline="")
    writer = csv.writer(target, delimiter=shape.delimiter, lineterminator="\r\n")
    writer.writerow(_harmless(column.name) for column in shape.columns)
    for number, row in enumerate(rows, 1):
        writer.writerow(_written(row.get(column.name), column, number) for column in shape.columns)
    try:
        return target.getvalue().encode(shape.encoding)
    except UnicodeEncodeError as error:
        raise TableUnreadable(f"{error.object[error.start]!r} cannot be written in {shape.encoding}.") from None


def _written(value: Any, column: Column, number: int) -> str:  # Any: JSON
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    try:
        cell_of(text.strip(), column)
    except ValueError as error:
        raise TableUnreadable(f"Row {number}: {column.name} {error}.") from None
    return text if column.type in {"integer", "decimal"} else _harmless(text)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
