"""What a new version of an event may change, and what its readers would stumble over."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernel.catalogue.compatible import differences

TEXT, NUMBER, WHOLE, NONE = ({"type": kind} for kind in ("string", "number", "integer", "null"))
DAY, MOMENT = {"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}
AB, A = {"enum": ["a", "b"]}, {"enum": ["a"]}
MAYBE = {"anyOf": [TEXT, NONE]}


def saying(**fields):
    return {"type": "object", "properties": fields, "required": sorted(fields)}


def listed(inside):
    return {"type": "array", "items": inside}


def mapped(inside):
    return {"type": "object", "additionalProperties": inside}


class TestDifferences:
    @pytest.mark.parametrize(
        ("before", "after"),
        [
            *((each, each) for each in (TEXT, WHOLE, DAY, AB, MAYBE, listed(TEXT), mapped(MAYBE), {})),
            *((MAYBE, TEXT), (MAYBE, NONE), (NUMBER, WHOLE), (TEXT, DAY), (AB, A), ({}, TEXT), ({}, listed(AB))),
            *((listed({}), listed(TEXT)), (listed(MAYBE), listed(TEXT)), (mapped({}), mapped(WHOLE))),
            ({"anyOf": [TEXT, WHOLE, NONE]}, {"anyOf": [NONE, TEXT]}),
        ],
    )
    def test_are_none_where_every_new_value_was_one_before(self, before, after):
        assert differences(saying(it=before), saying(it=after, more=TEXT)) == []

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            *(
                (TEXT, MAYBE),
                (TEXT, WHOLE),
                (WHOLE, NUMBER),
                (DAY, TEXT),
                (DAY, MOMENT),
                (A, AB),
                (AB, TEXT),
                (TEXT, {}),
            ),
            *((listed(TEXT), listed({})), (listed(A), listed(AB)), (listed(TEXT), TEXT), (mapped(TEXT), mapped(MAYBE))),
            (listed(TEXT), {"type": "array"}),
            (TEXT | {"pattern": "a"}, TEXT),
            (TEXT, TEXT | {"pattern": "a"}),  # narrower indeed, but nothing here knows patterns
        ],
    )
    def test_are_told_where_a_reader_could_meet_what_it_does_not_know(self, before, after):
        assert differences(saying(it=before), saying(it=after)) == ["“it” may hold what it could not hold before."]

    def test_are_told_of_what_is_gone(self):
        assert differences(saying(it=TEXT, other=TEXT), saying(other=TEXT)) == ["“it” is gone."]


def any_of(some):
    return {"anyOf": some}


LEAVES = st.sampled_from([TEXT, NUMBER, WHOLE, NONE, AB, A, {}, {"type": "boolean"}])
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: inner.map(listed) | inner.map(mapped) | st.lists(inner, min_size=1, max_size=3).map(any_of),
    max_leaves=4,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.just(0.5) | st.sampled_from(["a", "b", "c"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["x", "y"]), inner, max_size=2),
    max_leaves=4,
)


@given(SCHEMAS, SCHEMAS, VALUES)
@settings(max_examples=400, deadline=None)
def test_no_value_that_a_compatible_version_may_hold_was_none_before(before, after, value):
    if not differences(saying(it=before), saying(it=after)) and jsonschema_rs.is_valid(after, value):
        assert jsonschema_rs.is_valid(before, value)
