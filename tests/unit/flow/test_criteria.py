"""Criteria: what is refused when compiled, and that nothing but `true` holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cel_expr_python import cel

from app.flow.criteria import CriterionFailed, CriterionRefused, Vocabulary

WORDS = Vocabulary(
    {
        "task.kickoff.done": cel.Type.BOOL,
        "inputs.region": cel.Type.STRING,
        "inputs.region.given": cel.Type.BOOL,
        "answers.kickoff.people": cel.Type.INT,
        "inputs.start": cel.Type.TIMESTAMP,
    }
)


class TestCompiling:
    @pytest.mark.parametrize(
        ("source", "line", "column"),
        [
            ("task.kikoff.done", 1, 12),
            ("task.kickoff.done &&\n  inputs.regio == 'eu'", 2, 9),
            ("inputs.region == 3", 1, 15),
            ("answers.kickoff.people > 'a'", 1, 24),
            ("task.kickoff", 1, 5),
            ("true &&", 1, 8),
        ],
    )
    def test_refuses_what_does_not_type_check_with_its_place(self, source, line, column):
        with pytest.raises(CriterionRefused) as refused:
            WORDS.condition(source, "here")
        assert (refused.value.line, refused.value.column) == (line, column)

    def test_refuses_a_condition_that_is_not_true_or_false(self):
        with pytest.raises(CriterionRefused, match="string"):
            WORDS.condition("inputs.region", "here")

    def test_refuses_an_input_that_is_a_map(self):
        with pytest.raises(CriterionRefused, match="map"):
            WORDS.mapping("{'a': 1}", "here")

    def test_refuses_a_huge_expression(self):
        with pytest.raises(CriterionRefused, match="characters"):
            WORDS.condition(" || ".join(["true"] * 1000), "here")

    def test_reads_only_the_names_in_the_expression(self):
        criterion = WORDS.condition("inputs.region.given && inputs.region == 'eu'", "here")
        assert criterion.names == ("inputs.region", "inputs.region.given")


class TestHolding:
    @pytest.mark.parametrize("value", ["eu", "true"])
    def test_is_true_only_for_the_value_true(self, value):
        assert WORDS.condition("inputs.region == 'eu'", "here").holds({"inputs.region": value}) is (value == "eu")

    def test_fails_with_its_place_on_a_missing_value(self):
        with pytest.raises(CriterionFailed, match=r"stages\.x: inputs\.region has no value yet"):
            WORDS.condition("inputs.region == 'eu'", "stages.x").holds({})

    def test_fails_with_its_place_on_a_division_by_zero(self):
        with pytest.raises(CriterionFailed, match="divide by zero"):
            WORDS.condition("10 / answers.kickoff.people > 1", "here").holds({"answers.kickoff.people": 0})

    def test_never_takes_an_error_for_an_open_gate(self):
        for source in ("inputs.region.matches('(')", "inputs.start.getFullYear('Nowhere/Land') > 0"):
            facts = {"inputs.region": "x", "inputs.start": datetime(2026, 1, 1, tzinfo=UTC)}
            with pytest.raises(CriterionFailed):
                WORDS.condition(source, "here").holds(facts)

    def test_needs_no_value_that_cannot_matter(self):
        assert WORDS.condition("!inputs.region.given || inputs.region == 'eu'", "here").holds(
            {"inputs.region.given": False}
        )
