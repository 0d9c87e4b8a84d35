"""Expressions of connections: what they give, and that none does harm, however it is written."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.kit.answers.mapping import MappingWrong, compile_expression, evaluate, fields_named, rename

OURS = {"reference": "a-1", "name": "Acme", "people": [{"mail": "a@x"}, {"mail": "b@x"}], "plan": None}
# Each doubles, nests, writes out or repeats what it is given.
HOSTILE = [
    "|".join(["[@,@]"] * 50),
    "|".join(["{a:@,b:@}"] * 30),
    "[@,@]|[@,@]|[@,@]|[@,@]|[@,@]",
    "[*].[*].[*].[*].[*]",
    "map(&[@,@], people)",
    "to_string([@,@])",
    "sort_by(people, &mail)",
    "(" * 2000,
    "[" * 400,
    "a" * 301,
    "",
    " ",
    "not a thing (",
    "unknown_function(@)",
    'people[?mail == `"a@x"`' * 3,
]


class TestEvaluate:
    @pytest.mark.parametrize("text", HOSTILE)
    def test_refuses_what_is_no_expression_or_too_much(self, text):
        began = time.monotonic()
        with pytest.raises(MappingWrong):
            evaluate(text, OURS)
        assert time.monotonic() - began < 1

    def test_stops_what_works_too_long_on_a_large_value(self):
        rows = {"rows": [{"x": [1] * 100} for _ in range(2000)]}
        with pytest.raises(MappingWrong):
            evaluate("rows[*].x[*].[@,@]", rows)

    @pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # the library's word on a way to write texts
    @given(st.text(max_size=80))
    def test_never_breaks(self, text):
        with suppress(MappingWrong):
            evaluate(text, OURS)

    def test_gives_what_it_finds(self):
        assert evaluate("people[0].mail", OURS) == "a@x"
        assert evaluate("not_null(plan, name)", OURS) == "Acme"
        assert evaluate("nothing.here", OURS) is None


class TestRename:
    def test_builds_objects_within_and_leaves_out_what_is_not_there(self):
        mapping = {"no": "reference", "contact.mail": "people[0].mail", "contact.tel": "phone", "plan_code": "plan"}
        assert rename(mapping, OURS) == {"no": "a-1", "contact": {"mail": "a@x"}}
        assert rename({"m": "mail"}, OURS["people"]) == [{"m": "a@x"}, {"m": "b@x"}]

    def test_puts_nothing_into_what_is_no_object(self):
        with pytest.raises(MappingWrong, match="no object"):
            rename({"a": "name", "a.b": "name"}, OURS)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a.b.c", {"a"}),
        ("people[?mail == name].mail", {"people"}),
        ("[a, b.c]", {"a", "b"}),
        ("join(',', [x, y])", {"x", "y"}),
        ("{p: a, q: b | c}", {"a", "b"}),
        ("a || b", {"a", "b"}),
        ("`1`", set()),
    ],
)
def test_fields_that_stand_on_the_value_are_known(text, named):
    compile_expression(text)
    assert fields_named(text) == named
