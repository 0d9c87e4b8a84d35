"""What cards, facets and the search know of a package: computed from it, never told by its publisher."""

from __future__ import annotations

from typing import Any

from app.flow.definition import Definition
from app.templates.overlay import Effective
from app.templates.preview import facts_of, timeline_of

_ONBOARDING = "onboarding"
_DRAWN = frozenset({"stage", "milestone", "gate"})
_BARS = 16


def listing_facts(effective: Effective, definition: Definition) -> dict[str, Any]:
    """Titles in every language, whom it is for, how large it is and what it needs."""
    document = effective.document
    needs = facts_of(definition, lambda text: next(iter(text.values()), ""))
    timeline = timeline_of(definition, lambda _text: "")
    return {
        "title": definition.title,
        "description": document.get("description", {}),
        "default_locale": document["default_locale"],
        "locales": list(document["locales"]),
        "audience": document["audience"],
        "lifecycle": document.get("lifecycle", _ONBOARDING),
        "counts": needs["counts"],
        "systems": needs["systems"],
        "people": len(needs["people"]),
        "days": timeline["days"],
        "picture": _picture(timeline),
        "adapted": len(effective.overlays),
    }


def _picture(timeline: dict[str, Any]) -> list[dict[str, Any]]:
    """The plan as small as a card: one bar for each stage and milestone, in the colours of whoever looks."""
    drawn = [row for row in timeline["rows"] if row["kind"] in _DRAWN][:_BARS]
    return [{name: row[name] for name in ("kind", "side", "x", "width")} for row in drawn]


def search_text(facts: dict[str, Any], template_id: str, publisher: str) -> str:
    """All that a search looks through, in lower case."""
    said = [*facts.get("title", {}).values(), *facts.get("description", {}).values(), *facts.get("systems", ())]
    return " ".join([*said, facts.get("audience", ""), facts.get("lifecycle", ""), template_id, publisher]).casefold()
