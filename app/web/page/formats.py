"""Dates, durations and numbers as the reader writes them: the filters of pages and mails."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal, TypeVar

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit

# Whose clock the page under way is written for. Set by `rendering.render` around one page and by nobody else: macros
# that a page imports do not see the page's own variables.
ZONE: ContextVar[tzinfo] = ContextVar("zone", default=UTC)

_Unit = Literal["day", "hour", "minute", "second"]
_At = TypeVar("_At", date, datetime)
_BYTES = ("byte", "kilobyte", "megabyte", "gigabyte")
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_NEVER = 1e9  # a unit is not told as so many of the next larger one


@dataclass(frozen=True, slots=True)
class Formats:
    """The filters of one locale."""

    locale: Locale

    def day(self, at: date | datetime) -> str:
        """Weekday, day and month: `Thu 12 Mar`."""
        return format_skeleton("MMMEd", _local(at), locale=self.locale)

    def full_day(self, at: date | datetime | str) -> str:
        """Day, month and year: `12 Mar 2026`; of a day that a document holds, too, as `2026-03-12`."""
        at = date.fromisoformat(at) if isinstance(at, str) else at
        # Figures alone can be read from either end where words run from the right.
        length = "medium" if self.locale.text_direction == "ltr" else "long"
        return format_date(_local(at), length, locale=self.locale)

    def time(self, at: datetime) -> str:
        """Hour and minute: `14:05`."""
        return format_time(_local(at), "short", locale=self.locale)

    def moment(self, at: datetime) -> str:
        """Date and time: `12 Mar 2026, 14:05`."""
        return f"{self.full_day(at)}, {self.time(at)}"

    def relative(self, at: datetime, now: datetime) -> str:
        """How long ago or from now, in its largest unit: `3 days ago`, `in 2 hours`."""
        return format_timedelta(at - now, add_direction=True, threshold=1.1, locale=self.locale)

    def duration(self, length: timedelta | float) -> str:
        """How long, in at most two units, smaller ones dropped; a plain number is seconds: `2 days 4 hours`."""
        seconds = length.total_seconds() if isinstance(length, timedelta) else length
        whole = int(abs(seconds))
        parts: list[tuple[int, _Unit]] = [
            (whole // _DAY, "day"),
            (whole % _DAY // _HOUR, "hour"),
            (whole % _HOUR // _MINUTE, "minute"),
            (whole % _MINUTE, "second"),
        ]
        first = next((i for i, (count, _) in enumerate(parts) if count), len(parts) - 1)
        shown = [(count, unit) for count, unit in parts[first : first + 2] if count] or [parts[-1]]
        sign = "−" if seconds < 0 else ""  # noqa: RUF001 - a real minus sign, as numbers are set in print
        units = (
            format_timedelta(timedelta(**{f"{unit}s": n}), unit, threshold=_NEVER, locale=self.locale)
            for n, unit in shown
        )
        return sign + " ".join(unbroken(unit) for unit in units)

    def number(self, value: float) -> str:
        """With the locale's separators: `1,234.5`."""
        return format_decimal(value, locale=self.locale)

    def bytes(self, size: int) -> str:
        """How large a file is, in the unit that says most: `1.2 MB`."""
        step = next((index for index in range(len(_BYTES) - 1) if size < 1000 ** (index + 1)), len(_BYTES) - 1)
        shown = round(size / 1000**step, 1 if step else 0)
        return unbroken(format_unit(shown, f"digital-{_BYTES[step]}", "short", locale=self.locale))

    def percent(self, share: float) -> str:
        """A share of one as whole percent: `52%`."""
        return format_percent(share, locale=self.locale)

    def said(self, text: str | Mapping[str, str]) -> str:
        """A text that a template holds in several languages: the reader's, else English, else whichever there is."""
        if isinstance(text, str):
            return text
        return text.get(self.locale.language) or text.get("en") or next(iter(text.values()), "")

    def filters(self) -> dict[str, Callable[..., str]]:
        """By the names that pages use."""
        names = ("day", "time", "relative", "duration", "number", "percent", "bytes", "said")
        return {name: getattr(self, name) for name in names} | {
            "date": self.full_day,
            "datetime": self.moment,
            "initials": initials,
            "machine": machine,
            "unbroken": unbroken,
        }


def initials(name: str) -> str:
    """Up to two first letters of a name: what stands in the circle where there is no photo."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def unbroken(text: str) -> str:
    """The text kept on one line: a number with its unit, a day with its month."""
    return text.replace(" ", "\u00a0")


def machine(at: date | datetime) -> str:
    """For `<time datetime>`: ISO 8601."""
    return at.isoformat()


def _local(at: _At) -> _At:
    return at.astimezone(ZONE.get()) if isinstance(at, datetime) else at
