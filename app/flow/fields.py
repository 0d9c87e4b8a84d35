"""Typed fields of forms, inputs and packets: what a value must be, and the sentence that says why it is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from app.kernel.errors import Invalid

Value = str | int | bool | None
Kind = Literal[
    "text", "long_text", "email", "url", "phone", "integer", "decimal", "select", "choices", "boolean", "date", "list",
    "files",
]  # fmt: skip
Text = dict[str, str]  # language → sentence

LONGEST_TEXT = 500
LONGEST_LONG_TEXT = 10_000
MOST_ENTRIES = 100
LONGEST_ENTRY = 200
LARGEST_INTEGER = 2**53 - 1
_DECIMAL = re.compile(r"-?\d{1,15}(\.\d{1,6})?", re.ASCII)
_PHONE = re.compile(r"\+?[0-9][0-9 ()/.-]{3,28}[0-9]", re.ASCII)
MOST_FILES = 20  # in one place; a schema says so too
_FILE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EMAIL = re.compile(r"[^@\s,;<>\"]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251})\.[A-Za-z]{2,63}")


class AnswersRefused(Invalid):
    """One or more values do not fit their fields; `errors` lists the places."""


class Condition(Protocol):
    """What decides whether a question is asked: a compiled criterion, which this module does not know."""

    def holds(self, facts: Any, /) -> bool:
        """Whether it is the value `true`."""


class Option(Struct, frozen=True, kw_only=True):
    """One choice of a select field."""

    id: str
    label: Text


class Field(Struct, frozen=True, kw_only=True):
    """One typed place for a value."""

    id: str
    label: Text
    type: Kind = "text"
    required: bool = False
    help: Text = {}
    options: tuple[Option, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    default: Value = None
    personal: bool = False
    when: Condition | None = None  # of a question: asked only while it is true
    accept: tuple[str, ...] = ()  # of files: the kinds that are taken, by their names in `file_kinds`
    max_mb: int = 0  # of files: the largest one, in MiB


def is_given(value: Value) -> bool:
    """Whether a value says anything: blank text does not; `false` and 0 do."""
    return value is not None and (not isinstance(value, str) or bool(value.strip()))


def check_answers(fields: Iterable[Field], answers: Mapping[str, Value], *, at: str = "answers") -> dict[str, Value]:
    """The given answers, trimmed, in the fields' order. Raises AnswersRefused with one place per wrong value."""
    known = {field.id: field for field in fields}
    errors = [(f"/{at}/{name}", "There is no such field.") for name in answers if name not in known]
    kept: dict[str, Value] = {}
    for field in known.values():
        value = answers.get(field.id, field.default)
        value = value.strip() if isinstance(value, str) else value
        reason = _refusal(field, value)
        if reason:
            errors.append((f"/{at}/{field.id}", reason))
        elif is_given(value):
            kept[field.id] = value
    if errors:
        raise AnswersRefused(f"{len(errors)} of the values cannot be used: {errors[0][1]}", errors=errors)
    return kept


def check_value(field: Field, value: Value) -> str | None:
    """Why a given value does not fit its field, or None. A missing value fits here; `required` is judged elsewhere."""
    return _CHECKS[field.type](field, value) if is_given(value) else None


def _refusal(field: Field, value: Value) -> str | None:
    if not is_given(value):
        return "This is needed." if field.required else None
    return check_value(field, value)


def _check_text(field: Field, value: Value) -> str | None:
    longest = LONGEST_LONG_TEXT if field.type == "long_text" else LONGEST_TEXT
    if not isinstance(value, str):
        return "This must be text."
    if "\x00" in value:
        return "This holds a character that cannot be stored."
    return f"This is longer than {longest} characters." if len(value) > longest else None


def entries_of(value: object) -> list[str]:
    """The entries of a list: one a line, blank ones and doubled ones left out."""
    lines = [line.strip() for line in value.splitlines()] if isinstance(value, str) else []
    return list(dict.fromkeys(line for line in lines if line))


def _check_list(field: Field, value: Value) -> str | None:
    if not isinstance(value, str) or "\x00" in value:
        return _check_text(field, value)
    entries = entries_of(value)
    if len(entries) > MOST_ENTRIES:
        return f"These are more than {MOST_ENTRIES} lines."
    return "A line is longer than 200 characters." if any(len(entry) > LONGEST_ENTRY for entry in entries) else None


def _check_files(field: Field, value: Value) -> str | None:
    """References alone, one a line: what the files are called and hold stands elsewhere."""
    lines = entries_of(value)
    if not isinstance(value, str) or not all(_FILE_ID.fullmatch(line) for line in lines):
        return "These are not files that were handed over here."
    if len(lines) < (field.minimum or 0):
        return f"At least {field.minimum} files are needed."
    most = MOST_FILES if field.maximum is None else field.maximum
    return f"At most {most} files are taken." if len(lines) > most else None


def _check_email(field: Field, value: Value) -> str | None:
    if isinstance(value, str) and _EMAIL.fullmatch(value) and ".." not in value:
        return _check_text(field, value)
    return "This is not an e-mail address such as name@example.org."


def _check_integer(field: Field, value: Value) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "This must be a whole number."
    low = field.minimum if field.minimum is not None else -LARGEST_INTEGER
    high = field.maximum if field.maximum is not None else LARGEST_INTEGER
    return None if low <= value <= high else f"This must be between {low} and {high}."


def _check_decimal(field: Field, value: Value) -> str | None:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return "This must be a number such as 12.50."
    low, high, number = field.minimum, field.maximum, Decimal(value)
    if (low is None or number >= low) and (high is None or number <= high):
        return None
    return f"This must be between {low} and {high}." if high is not None else f"This must be {low} or more."


def _check_url(field: Field, value: Value) -> str | None:
    wrong = "This is not a web address such as https://example.org."
    if not isinstance(value, str) or any(letter.isspace() for letter in value):
        return wrong
    try:
        parts = urlsplit(value)
        fits = parts.scheme in {"https", "http"} and "." in (parts.hostname or "") and parts.username is None
    except ValueError:
        return wrong
    return _check_text(field, value) if fits else wrong


def _check_phone(_field: Field, value: Value) -> str | None:
    fits = isinstance(value, str) and _PHONE.fullmatch(value)
    return None if fits else "This is not a phone number such as +49 30 123456."


def _check_choices(field: Field, value: Value) -> str | None:
    choices = [option.id for option in field.options]
    wrong = [entry for entry in entries_of(value) if entry not in choices]
    if isinstance(value, str) and not wrong:
        return None
    return f"This must be some of: {', '.join(choices)}."


def _check_select(field: Field, value: Value) -> str | None:
    choices = [option.id for option in field.options]
    return None if value in choices else f"This must be one of: {', '.join(choices)}."


def _check_boolean(_field: Field, value: Value) -> str | None:
    return None if isinstance(value, bool) else "This must be yes or no."


def _check_date(_field: Field, value: Value) -> str | None:
    wrong = "This must be a date such as 2026-01-31."
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        return wrong
    try:
        date.fromisoformat(value)
    except ValueError:
        return wrong
    return None


_CHECKS = {
    "text": _check_text,
    "long_text": _check_text,
    "list": _check_list,
    "files": _check_files,
    "email": _check_email,
    "url": _check_url,
    "phone": _check_phone,
    "integer": _check_integer,
    "decimal": _check_decimal,
    "choices": _check_choices,
    "select": _check_select,
    "boolean": _check_boolean,
    "date": _check_date,
}


def as_criterion_value(field: Field, value: Value) -> object:
    """The value as CEL sees it: a date is a timestamp at midnight UTC, several are a list, the rest is itself.

    Of files it is how many there are.
    """
    if field.type in {"list", "choices"}:
        return entries_of(value)
    if field.type == "files":
        return len(entries_of(value))
    if field.type == "decimal" and isinstance(value, str):
        return float(value)
    if field.type == "date" and isinstance(value, str):
        return datetime.combine(date.fromisoformat(value), datetime.min.time(), tzinfo=UTC)
    return value
