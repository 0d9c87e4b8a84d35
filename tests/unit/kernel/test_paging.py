"""Cursors lead back to their row, and to no other list, tenant, filter or day."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.kernel.errors import Invalid
from app.kernel.paging import (
    LIFETIME,
    CursorExpired,
    CursorForeign,
    LimitOutOfRange,
    Listing,
    Position,
    make_cursor,
    page_limit,
    read_cursor,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = b"k" * 32
ACME, UMBRELLA = UUID(int=1), UUID(int=2)
LIST = Listing("onboardings", ACME, (("state", "active"),))
BO = Position(("2026-11-21", 7, None), UUID(int=9))

sort_values = st.none() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=40)
positions = st.builds(Position, st.lists(sort_values, max_size=4).map(tuple), st.uuids())
listings = st.builds(
    Listing,
    st.text(max_size=10),
    st.none() | st.uuids(),
    st.lists(st.tuples(st.text(), st.text()), max_size=3).map(tuple),
)
keys = st.binary(min_size=16, max_size=64)


class TestACursor:
    @given(keys, listings, positions, st.integers(0, int(LIFETIME.total_seconds())))
    def test_leads_back_to_its_row(self, key, listing, position, age):
        cursor = make_cursor(key, listing, position, now=NOW)
        assert read_cursor(key, listing, cursor, now=NOW + timedelta(seconds=age)) == position

    @given(listings, positions)
    def test_is_safe_in_an_address(self, listing, position):
        cursor = make_cursor(KEY, listing, position, now=NOW)
        assert cursor.replace("-", "").replace("_", "").isalnum()

    @given(keys, keys)
    def test_of_another_key_is_foreign(self, one, other):
        assume(one != other)
        with pytest.raises(CursorForeign):
            read_cursor(other, LIST, make_cursor(one, LIST, BO, now=NOW), now=NOW)

    @given(listings, listings)
    def test_of_another_list_is_foreign(self, one, other):
        assume((one.name, one.tenant_id, sorted(one.filters)) != (other.name, other.tenant_id, sorted(other.filters)))
        with pytest.raises(CursorForeign):
            read_cursor(KEY, other, make_cursor(KEY, one, BO, now=NOW), now=NOW)

    @pytest.mark.parametrize(
        "other",
        [
            Listing("onboardings", UMBRELLA, LIST.filters),
            Listing("onboardings", None, LIST.filters),
            Listing("onboardings", ACME, (("state", "closed"),)),
            Listing("onboardings", ACME),
            Listing("deals", ACME, LIST.filters),
            Listing("onboardings", ACME, (("stat", "eactive"),)),
        ],
    )
    def test_of_another_tenant_or_filter_is_foreign(self, other):
        with pytest.raises(CursorForeign):
            read_cursor(KEY, other, make_cursor(KEY, LIST, BO, now=NOW), now=NOW)

    def test_does_not_mind_the_order_of_filters(self):
        one = Listing("deals", ACME, (("a", "1"), ("b", "2")))
        other = Listing("deals", ACME, (("b", "2"), ("a", "1")))
        assert read_cursor(KEY, other, make_cursor(KEY, one, BO, now=NOW), now=NOW) == BO

    @given(st.data())
    def test_with_any_bit_changed_is_foreign(self, data):
        cursor = make_cursor(KEY, LIST, BO, now=NOW)
        raw = bytearray(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(CursorForeign):
            read_cursor(KEY, LIST, urlsafe_b64encode(bytes(raw)).decode().rstrip("="), now=NOW)

    @given(st.text(max_size=200) | st.just("A" * 100_000))
    def test_made_by_hand_is_foreign(self, text):
        with pytest.raises(CursorForeign):
            read_cursor(KEY, LIST, text, now=NOW)

    def test_cut_short_is_foreign(self):
        cursor = make_cursor(KEY, LIST, BO, now=NOW)
        for length in range(len(cursor)):
            with pytest.raises(CursorForeign):
                read_cursor(KEY, LIST, cursor[:length], now=NOW)

    def test_expires(self):
        cursor = make_cursor(KEY, LIST, BO, now=NOW)
        with pytest.raises(CursorExpired):
            read_cursor(KEY, LIST, cursor, now=NOW + LIFETIME + timedelta(seconds=1))

    def test_shows_nothing_of_the_filter(self):
        listing = Listing("deals", ACME, (("email", "ann@example.com"),))
        cursor = make_cursor(KEY, listing, BO, now=NOW)
        assert b"ann@" not in urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))

    def test_has_problem_types_of_its_own(self):
        slugs = {error.slug for error in (CursorExpired, CursorForeign, LimitOutOfRange)}
        assert slugs == {"cursor-expired", "cursor-foreign", "limit-out-of-range"}
        assert issubclass(CursorExpired, Invalid)


class TestPageLimit:
    @given(st.integers(1, 200))
    def test_takes_what_a_page_holds(self, asked):
        assert page_limit(asked) == asked

    @given(st.integers(max_value=0) | st.integers(min_value=201))
    def test_refuses_the_rest(self, asked):
        with pytest.raises(LimitOutOfRange):
            page_limit(asked)

    def test_has_a_usual_size(self):
        assert page_limit(None) == 50
