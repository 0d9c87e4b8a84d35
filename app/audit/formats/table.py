"""The trail as CSV (RFC 4180) that a spreadsheet opens without running anything: no cell begins like a formula."""

from __future__ import annotations

import csv
import io
import json
from typing import Final

from app.kernel.trail import Entry as TrailEntry

COLUMNS: Final = (
    *("place", "at", "action", "actor_kind", "actor_id", "actor_name", "on_behalf_of", "subject_kind", "subject_id"),
    *("onboarding_id", "reason", "trace_id", "body", "leaf_hash", "id"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_head() -> bytes:
    """The first line, after the mark by which spreadsheets know UTF-8."""
    return b"\xef\xbb\xbf" + _line(list(COLUMNS))


def csv_line(place: int, entry: TrailEntry) -> bytes:
    """One entry. Erased values are empty."""
    said = {"place": place, "at": entry.at.isoformat(), "body": json.dumps(entry.body, ensure_ascii=False)}
    return _line([guarded(said.get(name, getattr(entry, name, None))) for name in COLUMNS])


def guarded(value: object) -> str:
    """A cell's text. What a spreadsheet would take for a formula gets an apostrophe before it (OWASP).

    Leading blanks are looked through: spreadsheets drop them when they read.
    """
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def _line(cells: list[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return written.getvalue().encode()
