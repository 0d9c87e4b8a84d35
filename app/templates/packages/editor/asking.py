"""The fields that several forms of the editor have in common: texts by language, prices, lengths of time. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.templates.packages.document import INTERVALS, Text
from app.web.forms import Form
from app.web.translations import mark

Say = Callable[[str], str]
Spec = dict[str, Any]  # as `components/field.html` draws it
UNITS = {"business_hours": mark("working hours"), "business_days": mark("working days")}
INTERVAL_WORDS = {
    "once": mark("Price, once"),
    "monthly": mark("Price, a month"),
    "quarterly": mark("Price, a quarter"),
    "yearly": mark("Price, a year"),
}
_LONGEST = 2000
_DIGITS = 8
_RANGES = {"business_days": (260, 0), "business_hours": (2000, 1)}  # as the language of templates has them


class Asked:
    """One form under way: what it asks, what is said now, and what is wrong with what was typed."""

    def __init__(self, say: Say, locales: Sequence[str], form: Form | None) -> None:
        self.say, self.locales, self.form = say, tuple(locales), form
        self.values: dict[str, Any] = {}
        self.errors: dict[str, str] = {}

    def spec(self, name: str, label: str, kind: str = "text", **more: Any) -> Spec:
        """A field. `label` is said in the reader's language; `help` too."""
        help_text = self.say(more.pop("help")) if more.get("help") else ""
        return {"id": name, "label": self.say(label), "type": kind, "required": False, "help": help_text, **more}

    def text(self, name: str, label: str, said: Mapping[str, str] | None, **more: Any) -> tuple[list[Spec], Text]:
        """A text in each language of the template: its fields, and what it is now."""
        specs, found = [], dict[str, str]()
        for code in self.locales:
            key = f"{name}.{code}"
            required = bool(more.get("required")) and code == self.locales[0]
            spec = self.spec(key, label, **(more | {"required": required, "conditional": code != self.locales[0]}))
            if len(self.locales) > 1:
                spec |= {"begins": code == self.locales[0], "ends": code == self.locales[-1]}
                spec["label"] = f"{spec['label']} ({code.upper()})"
            value = self.line(key, (said or {}).get(code, ""))
            if len(value) > _LONGEST:
                self.errors[key] = self.say(mark("This is too long."))
            elif value:
                found[code] = value
            specs.append(spec)
        if more.get("required") and self.form and not found:
            self.errors[specs[0]["id"]] = self.say(mark("Fill in this field."))
        return specs, found

    def line(self, name: str, said: str) -> str:
        """One line: what was typed, else what is said already."""
        value = self.form.first(name).strip() if self.form else said
        self.values[name] = value
        return value

    def lines(self, name: str, said: Sequence[str]) -> list[str]:
        """Several, one a line."""
        text = self.line(name, "\n".join(said))
        return list(dict.fromkeys(each.strip() for each in text.splitlines() if each.strip()))

    def number(self, name: str, said: int | None, most: int, least: int = 1) -> int | None:
        """A whole number; nothing is none."""
        text = self.line(name, "" if said is None else str(said))
        if text and not (text.isdecimal() and len(text) < _DIGITS and least <= int(text) <= most):
            self.errors[name] = self.say(mark("Write a whole number that is not too large."))
            return said
        return int(text) if text else None

    def length(self, name: str, said: Mapping[str, int] | None) -> dict[str, int] | None:
        """A length of working time, by its amount and its unit."""
        unit, amount = next(iter((said or {}).items()), ("business_days", None))
        chosen = self.line(f"{name}.unit", unit)
        most, least = _RANGES.get(chosen, _RANGES["business_days"])
        found = self.number(f"{name}.amount", amount, most, least)
        return {chosen: found} if found is not None and chosen in _RANGES else None

    def length_specs(self, name: str, label: str) -> list[Spec]:
        """The two fields of a length of time."""
        options = [{"id": unit, "label": self.say(word)} for unit, word in UNITS.items()]
        unit = self.spec(f"{name}.unit", mark("Unit"), "select", options=options, required=True)
        amount = self.spec(f"{name}.amount", mark("Time"), "integer", conditional=True) | {"label": label}
        return [amount, unit]

    def prices(self, said: Sequence[Mapping[str, Any]]) -> tuple[list[Spec], list[dict[str, Any]]]:
        """What it costs, in words, for each interval."""
        specs: list[Spec] = []
        found: list[dict[str, Any]] = []
        known = {each["interval"]: each["text"] for each in said}
        for interval in INTERVALS:
            fields, text = self.text(f"price_{interval}", INTERVAL_WORDS[interval], known.get(interval))
            specs += fields
            if text:
                found.append({"interval": interval, "text": text})
        return specs, found
