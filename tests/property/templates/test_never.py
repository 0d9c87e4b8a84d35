"""No false alarm: what is said to be true in no case is false for any values that fields and items can have."""

from __future__ import annotations

from typing import Any

from cel_expr_python import cel
from hypothesis import given, settings
from hypothesis import strategies as st

from app.flow.criteria import LIST, CriterionFailed, Vocabulary
from app.templates.linting.domains import Known, never_holds

FIELDS: dict[str, dict[str, Any]] = {
    "inputs.seats": {"type": "integer", "minimum": 7, "maximum": 40},
    "inputs.sites": {"type": "integer"},
    "inputs.plan": {"type": "select", "options": [{"id": "team"}, {"id": "starter"}]},
    "inputs.note": {"type": "text"},
    "inputs.other": {"type": "text"},
    "inputs.ok": {"type": "boolean"},
    "inputs.names": {"type": "list"},
}
TYPES = {"integer": cel.Type.INT, "select": cel.Type.STRING, "text": cel.Type.STRING, "boolean": cel.Type.BOOL}
WORDS = ("done", "skipped", "settled")
NAMES = {name: TYPES.get(field["type"], LIST) for name, field in FIELDS.items()}
NAMES |= {f"{name}.given": cel.Type.BOOL for name in FIELDS} | {f"task.a.{word}": cel.Type.BOOL for word in WORDS}
VOCABULARY = Vocabulary(NAMES)
KNOWN = Known(FIELDS, lambda _name: ("done", "skipped", ""))

numbers = st.integers(0, 45).map(str)
signs = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
words = st.sampled_from(["'team'", "'starter'", "'a'", "'b'", "inputs.note", "inputs.other", "inputs.plan"])
counts = st.one_of(numbers, st.sampled_from(["inputs.seats", "inputs.sites", "size(inputs.names)"]))
atoms = st.one_of(
    st.tuples(counts, signs, counts).map(" ".join),
    st.tuples(words, st.sampled_from(["==", "!="]), words).map(" ".join),
    st.sampled_from([name for name in NAMES if NAMES[name] == cel.Type.BOOL]),
)
criteria = st.recursive(
    atoms,
    lambda below: st.one_of(
        below.map(lambda one: f"!({one})"),
        st.tuples(below, st.sampled_from([" && ", " || "]), below).map(lambda all_: f"({''.join(all_)})"),
        st.tuples(below, below, below).map(lambda three: f"({three[0]} ? {three[1]} : {three[2]})"),
    ),
    max_leaves=6,
)
texts = st.sampled_from(["team", "starter", "a", "b", "c", "anything"])
VALUES = {
    "inputs.seats": st.integers(7, 40),
    "inputs.sites": st.integers(-50, 100),
    "inputs.plan": st.sampled_from(["team", "starter"]),
    "inputs.note": texts,
    "inputs.other": texts,
    "inputs.ok": st.booleans(),
    "inputs.names": st.lists(texts, min_size=1, max_size=60),
}


@st.composite
def cases(draw: st.DrawFn) -> dict[str, object]:
    """What an onboarding may hold."""
    facts: dict[str, object] = {}
    for name, strategy in VALUES.items():
        value = draw(st.one_of(st.none(), strategy))
        facts |= {f"{name}.given": value is not None} | ({} if value is None else {name: value})
    state = draw(st.sampled_from(["done", "skipped", ""]))
    facts |= {"task.a.done": state == "done", "task.a.skipped": state == "skipped", "task.a.settled": bool(state)}
    return facts


class TestNeverHolds:
    def test_knows_that_a_number_and_a_size_may_meet(self):
        criterion = VOCABULARY.condition("size(inputs.names) == inputs.seats", "here")
        assert not never_holds(criterion, KNOWN)

    def test_knows_that_a_text_and_a_choice_may_be_the_same(self):
        criterion = VOCABULARY.condition("inputs.note == inputs.plan", "here")
        assert not never_holds(criterion, KNOWN)

    @settings(max_examples=60, deadline=None)
    @given(criteria, st.lists(cases(), min_size=25, max_size=25))
    def test_is_right_wherever_it_says_so(self, source, tried):
        criterion = VOCABULARY.condition(source, "here")
        if not never_holds(criterion, KNOWN):
            return
        for facts in tried:
            try:
                assert not criterion.holds(facts), facts
            except CriterionFailed:
                continue
