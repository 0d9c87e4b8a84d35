"""What an event's body becomes on its way into the trail."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.events import Event, plain


class Colour(StrEnum):
    RED = "red"


class Painted(Event, frozen=True, kw_only=True):
    type: ClassVar[str] = "tests.wall.painted"
    subject_kind: ClassVar[str] = "wall"

    colour: Colour
    when: datetime
    by: tuple[UUID, ...] = ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class TestPlain:
    @given(json_values)
    def test_leaves_json_as_it_is(self, value):
        assert plain(value) == value

    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
            (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
            (date(2026, 1, 2), "2026-01-02"),
            (Decimal("1.10"), "1.10"),
            (Colour.RED, "red"),
            ((1, (2, 3)), [1, [2, 3]]),
            ({1: UUID(int=0)}, {"1": "00000000-0000-0000-0000-000000000000"}),
            (frozenset({"b", "a", "c"}), ["a", "b", "c"]),
            ({UUID(int=2), UUID(int=1)}, [str(UUID(int=1)), str(UUID(int=2))]),
        ],
    )
    def test_says_everything_else_in_json(self, value, expected):
        assert plain(value) == expected
        assert json.loads(json.dumps(plain(value))) == expected

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), b"bytes", object()])
    def test_refuses_what_json_cannot_say(self, value):
        with pytest.raises(TypeError, match="JSON"):
            plain({"deep": [value]})


class TestAnEvent:
    def test_has_its_own_fields_as_its_body(self):
        event = Painted(
            subject_id=UUID(int=1),
            onboarding_id=UUID(int=2),
            reason="dull",
            colour=Colour.RED,
            when=datetime(2026, 1, 2, tzinfo=UTC),
            by=(UUID(int=3),),
        )
        assert event.body() == {"colour": "red", "when": "2026-01-02T00:00:00+00:00", "by": [str(UUID(int=3))]}
