"""Narrowing what was found, and counting what each further choice would find."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from app.marketplace.pages.finding import facets, length_of, narrow
from app.marketplace.queries.market import Card

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
