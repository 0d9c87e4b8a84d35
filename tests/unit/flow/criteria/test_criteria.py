"""Criteria: what is refused when compiled, and that nothing but `true` holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cel_expr_python import cel

from app.flow.criteria import LIST, LONGEST_SOURCE, CriterionFailed, CriterionRefused, Vocabulary

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

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("nope", "undeclared reference to 'nope'"),
            ("inputs.regio == 'eu' && task.x.y", "undeclared reference to 'inputs.regio'"),
            ("1 = 2", "Syntax error: token recognition error at: '= '"),
            ("f(" * 200, "CANCELLED: Expression recursion limit exceeded. limit: 32 [CANCELLED]"),
            ("x" * 1500, f"undeclared reference to '{'x' * 275}"),
        ],
    )
    def test_says_the_first_thing_that_is_wrong_in_one_short_line(self, source, said):
        with pytest.raises(CriterionRefused) as refused:
            WORDS.condition(source, "here")
        assert str(refused.value) == said

    def test_refuses_a_condition_that_is_not_true_or_false(self):
        with pytest.raises(CriterionRefused, match="string") as refused:
            WORDS.condition("inputs.region", "here")
        assert (refused.value.line, refused.value.column) == (1, 1)

    def test_refuses_an_input_that_is_a_map(self):
        with pytest.raises(CriterionRefused, match="map"):
            WORDS.mapping("{'a': 1}", "here")

    def test_refuses_a_huge_expression(self):
        with pytest.raises(CriterionRefused, match="characters"):
            WORDS.condition(" || ".join(["true"] * 1000), "here")

    def test_takes_the_longest_expression_and_no_longer_one(self):
        assert WORDS.condition("true".ljust(LONGEST_SOURCE), "here").holds({})
        with pytest.raises(CriterionRefused, match="2000 characters, this one has 2001"):
            WORDS.condition("true".ljust(LONGEST_SOURCE + 1), "here")

    @pytest.mark.parametrize(
        ("source", "names"),
        [
            ("inputs.region.given && inputs.region == 'eu'", ("inputs.region", "inputs.region.given")),
            ("inputs.region.startsWith('e')", ("inputs.region",)),
            ("task.kickoff.done || answers.kickoff.people > 1", ("answers.kickoff.people", "task.kickoff.done")),
        ],
    )
    def test_reads_only_the_names_in_the_expression(self, source, names):
        assert WORDS.condition(source, "here").names == names


class TestHolding:
    @pytest.mark.parametrize("value", ["eu", "true"])
    def test_is_true_only_for_the_value_true(self, value):
        assert WORDS.condition("inputs.region == 'eu'", "here").holds({"inputs.region": value}) is (value == "eu")

    def test_fails_with_its_place_on_a_missing_value(self):
        with pytest.raises(CriterionFailed, match=r"stages\.x: inputs\.region has no value yet"):
            WORDS.condition("inputs.region == 'eu'", "stages.x").holds({})

    @pytest.mark.parametrize(
        ("source", "facts", "said"),
        [
            ("10 / answers.kickoff.people > 1", {"answers.kickoff.people": 0}, "divide by zero"),
            ("[1, 2][answers.kickoff.people] > 0", {"answers.kickoff.people": 9}, "Index error: index=9 size=2"),
            (
                "inputs.region.matches('(')",
                {"inputs.region": "x"},
                "invalid regular expression: missing ): (",
            ),
        ],
    )
    def test_fails_with_its_place_and_what_happened(self, source, facts, said):
        with pytest.raises(CriterionFailed) as failed:
            WORDS.condition(source, "here").holds(facts)
        assert str(failed.value) == f"here: {said}"
        assert (failed.value.place, failed.value.reason) == ("here", said)

    def test_never_takes_an_error_for_an_open_gate(self):
        for source in ("inputs.region.matches('(')", "inputs.start.getFullYear('Nowhere/Land') > 0"):
            facts = {"inputs.region": "x", "inputs.start": datetime(2026, 1, 1, tzinfo=UTC)}
            with pytest.raises(CriterionFailed):
                WORDS.condition(source, "here").holds(facts)

    def test_needs_no_value_that_cannot_matter(self):
        assert WORDS.condition("!inputs.region.given || inputs.region == 'eu'", "here").holds(
            {"inputs.region.given": False}
        )


class TestBudget:
    def test_of_the_engine_ends_as_a_criterion_that_failed(self):
        """Lists inside of lists: 200 x 200 x 200 steps are more than the engine takes."""
        vocabulary = Vocabulary({"inputs.sites": LIST})
        source = "inputs.sites.all(a, inputs.sites.all(b, inputs.sites.all(c, a + b != c)))"
        criterion = vocabulary.condition(source, "stages.work.exit")
        with pytest.raises(CriterionFailed) as failure:
            criterion.holds({"inputs.sites": [f"Site {number}" for number in range(200)]})
        assert failure.value.place == "stages.work.exit"
