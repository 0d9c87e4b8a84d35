"""Narrowing what was found, and counting what each further choice would find."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.marketplace.queries.finding import NAMES, facets, length_of, narrow, read_choices
from app.marketplace.queries.market import Card
from app.templates.schema import FOLDER

NOBODY = UUID(int=0)


def card(name: str, *, publisher: str = "Acme", stars: float | None = None, **facts: Any) -> Card:
    usual = {"audience": "msp", "lifecycle": "onboarding", "locales": ["en"], "days": 10}
    return Card(
        listing_id=NOBODY,
        version_id=NOBODY,
        organisation_id=NOBODY,
        publisher=publisher,
        template_id=name,
        version="1.0.0",
        visibility="public",
        state="listed",
        changelog="",
        facts=usual | facts,
        digest="",
        submitted_at=datetime(2026, 1, 1, tzinfo=UTC),
        notice=None,
        reviewed=True,
        key="",
        installs=0,
        installed=False,
        stars=stars,
        ratings=0,
    )


CARDS = [
    card("a", stars=4.5),
    card("b", audience="saas", locales=["en", "de"], days=40),
    card("c", audience="saas", publisher="", days=90, stars=2.0),
]


def names(asked: dict[str, str]) -> list[str]:
    return [each.template_id for each in narrow(CARDS, asked)]


class TestNarrow:
    def test_keeps_what_fits_every_choice(self):
        assert names({}) == ["a", "b", "c"]
        assert names({"audience": "saas", "language": "de"}) == ["b"]
        assert names({"publisher": "operator"}) == ["c"]
        assert names({"rating": "good"}) == ["a"]
        assert names({"audience": "nonsense"}) == []


class TestReadChoices:
    def test_ignores_what_is_no_value_of_a_choice(self):
        nothing = dict.fromkeys(NAMES, "")
        assert read_choices({}) == nothing
        assert read_choices(dict.fromkeys(("audience", "lifecycle", "length", "rating"), "x")) == nothing
        assert read_choices({"audience": "saas", "length": "x"}) == nothing | {"audience": "saas"}

    def test_knows_every_value_that_a_template_may_have(self):
        properties = json.loads((FOLDER / "template.schema.json").read_text())["properties"]
        for name in ("audience", "lifecycle"):
            assert [read_choices({name: value})[name] for value in properties[name]["enum"]] == properties[name]["enum"]
        for days in (1, 50, 90):
            assert read_choices({"length": length_of(days)})["length"] == length_of(days)
        for name, value in (("rating", "good"), ("rating", "other"), ("language", "de"), ("publisher", "Acme")):
            assert read_choices({name: value})[name] == value


class TestFacets:
    def test_counts_beside_the_other_choices(self):
        found = facets(CARDS, {"audience": "saas"})
        assert found["language"] == [{"value": "en", "count": 2}, {"value": "de", "count": 1}]
        assert found["audience"] == [{"value": "saas", "count": 2}, {"value": "msp", "count": 1}]

    def test_shows_a_choice_that_finds_nothing(self):
        assert {"value": "msp", "count": 0} in facets(CARDS, {"audience": "msp", "publisher": "operator"})["audience"]


class TestLength:
    def test_is_told_in_months(self):
        assert [length_of(days) for days in (22, 23, 66, 67)] == ["month", "quarter", "quarter", "longer"]
