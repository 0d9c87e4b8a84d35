"""Whether two systems say the same of a record, what is shown of it, which writes wait."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.drift.records import Drift, Hold, Place, ending_of, hold_of, settled
from app.connectors.drift.rules import (
    GONE,
    HIDDEN,
    LONGEST_SHOWN,
    MOST_FIELDS,
    Agreed,
    carries,
    find_differences,
    flat,
    is_about,
    merge,
    names_of,
    plain_of,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SALT = "salt"
HERE = UUID(int=7)


def differ(ours, theirs, **agreed):
    return find_differences(ours, theirs, salt=SALT, agreed=agreed, now=NOW)


def drift(differences, **more):
    place = Place("written", HERE, "product_admin", "run-1")
    return Drift(
        place=place, title="acme-1", salt=SALT, found_at="x", seen_at="x", differences=tuple(differences), **more
    )


class TestFindDifferences:
    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [(40, "40"), (40, 40.0), ("40.0", 40), ("24000", "24000.00"), (None, ""), (" team ", "team"), (True, "true")],
    )
    def test_takes_for_the_same_what_means_the_same(self, ours, theirs):
        assert differ({"a": ours}, {"a": theirs}) == []

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [("040", "40"), ("+49", "49"), ("team", "Team"), (1, True), ("", "team"), ("9" * 50, "9" * 51), ("NaN", "nan")],
    )
    def test_tells_apart_what_is_not(self, ours, theirs):
        [one] = differ({"a": ours}, {"a": theirs})
        assert one.state == "open"

    def test_holds_only_what_both_have_against_each_other(self):
        assert differ({"ours": 1, "both": 2}, {"theirs": 1, "both": 2}) == []

    def test_says_that_a_record_is_gone(self):
        [one] = differ({"plan": "team"}, None)
        assert (one.field, one.theirs) == ("record", GONE)

    def test_looks_at_no_secret_and_shows_nobodys_own_values(self):
        ours = {"api_key": "k1", "email": "a@b.example", "name": "Maria", "note": "ask maria@b.example", "plan": "team"}
        theirs = {"api_key": "k2", "email": "c@d.example", "name": "Ben", "note": "none", "plan": "starter"}
        found = {each.field: (each.ours, each.theirs) for each in differ(ours, theirs)}
        assert "api_key" not in found
        assert found["email"] == found["name"] == (HIDDEN, HIDDEN)
        assert found["note"] == (HIDDEN, "none")
        assert found["plan"] == ("team", "starter")
        assert "maria" not in str(found).lower()

    def test_bounds_a_huge_record(self):
        ours = {f"field_{n:05d}": "x" * 100_000 for n in range(MOST_FIELDS * 3)}
        found = differ(ours, dict.fromkeys(ours, "y" * 100_000))
        assert len(found) == MOST_FIELDS
        assert max(len(each.theirs) for each in found) == LONGEST_SHOWN + 1

    def test_holds_a_decided_field_against_the_decision(self):
        [first] = differ({"seats": 40}, {"seats": 60})
        decided = Agreed(first.seen, first.theirs)
        assert differ({"seats": 40}, {"seats": 60}, seats=decided) == []
        [back] = differ({"seats": 40}, {"seats": 40}, seats=decided)
        assert (back.ours, back.theirs) == ("60", "40"), "what we once had is now what differs"

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
    def test_finds_nothing_between_a_value_and_itself(self, value):
        assert differ({"a": value}, {"a": value}) == []
        assert plain_of(value) == plain_of(value)


class TestMerge:
    def test_keeps_the_age_of_what_is_open_and_ends_what_is_not_there_any_more(self):
        first = differ({"plan": "team", "seats": 4}, {"plan": "starter", "seats": 5})
        later = find_differences(
            {"plan": "team", "seats": 4}, {"plan": "free", "seats": 4}, salt=SALT, agreed={}, now=NOW.replace(hour=18)
        )
        plan, seats = merge(first, later, at="later")
        assert (plan.theirs, plan.since, plan.state) == ("free", NOW.isoformat(), "open")
        assert (seats.state, seats.at) == ("corrected", "later")

    def test_leaves_alone_what_was_accepted_until_they_say_something_else(self):
        found = differ({"plan": "team"}, {"plan": "starter"})
        kept = settled(drift(found), frozenset(), "ours", by="Dana", at="x", reason="agreed by phone")
        assert [each.state for each in merge(kept.differences, found, at="y")] == ["accepted"]
        again = differ({"plan": "team"}, {"plan": "free"})
        assert [each.state for each in merge(kept.differences, again, at="y")] == ["open"]

    def test_opens_again_what_had_been_corrected(self):
        found = differ({"plan": "team"}, {"plan": "starter"})
        corrected = merge(found, [], at="y")
        assert [each.state for each in merge(corrected, found, at="z")] == ["open"]


class TestSettled:
    def test_decides_the_fields_that_are_named_and_no_others(self):
        two = differ({"plan": "team", "seats": 4}, {"plan": "starter", "seats": 5})
        half = settled(drift(two), frozenset({"plan"}), "theirs", by="Dana", at="x", reason="r")
        assert half.open
        assert set(half.agreed) == {"plan"}
        whole = settled(half, frozenset(), "ours", by="Tom", at="y", reason="q")
        assert not whole.open
        assert ending_of(whole) == (["plan"], "")
        assert Drift.read(whole.body()) == whole

    def test_gives_up_with_its_reason(self):
        one = differ({"plan": "team"}, {"plan": "starter"})
        left = settled(drift(one), frozenset(), "give_up", by="D", at="x", reason="cancelled")
        assert ending_of(left) == ([], "cancelled")


class TestHold:
    NAMES = (("external_id", "acme-1"), ("id", "ws_4f1c22a9d0b7"), ("number", "7"))

    def stops(self, given, **more):
        hold = Hold(HERE, "product_admin", HERE, None, self.NAMES, "x")
        place: dict[str, Any] = {"connection_id": HERE, "connector": "product_admin", "onboarding_id": UUID(int=1)}
        place |= more
        return hold.stops(**place, given=given)

    @pytest.mark.parametrize(
        "given",
        [
            {"external_id": "acme-1", "plan": "team"},
            {"workspace_id": "ws_4f1c22a9d0b7"},
            {"customer": "ws_4f1c22a9d0b7"},
            {"changes": {"number": 7}},
            {"customer_id": 7},
        ],
    )
    def test_stops_what_names_the_record(self, given):
        assert self.stops(given)

    @pytest.mark.parametrize("given", [{"workspace_id": "ws_other"}, {"seats": 7}, {"plan": "acme-1"}, {}])
    def test_lets_others_go(self, given):
        assert not self.stops(given)

    def test_is_of_one_connection(self):
        given = {"external_id": "acme-1"}
        assert not self.stops(given, connection_id=UUID(int=9))
        assert not self.stops(given, connector="stripe")
        assert self.stops(given, connection_id=None), "a run that has not begun has no connection yet"

    def test_of_a_sale_stops_all_of_its_onboarding(self):
        hold = Hold(HERE, "hubspot", None, UUID(int=1), (), "x", "Contoso", ("amount",))
        place: dict[str, Any] = {"connection_id": HERE, "connector": "product_admin", "given": {}}
        assert hold.stops(**place, onboarding_id=UUID(int=1))
        assert not hold.stops(**place, onboarding_id=UUID(int=2))
        assert Hold.read(hold.body()) == hold

    def test_names_its_open_fields(self):
        assert hold_of(drift(differ({"plan": "team"}, {"plan": "free"}), names=self.NAMES)).fields == ("plan",)


class TestNames:
    def test_are_what_it_is_looked_up_by_and_its_ids(self):
        found = names_of({"external_id": "acme-1"}, {"id": "ws_1", "url": "https://x", "owner": {"id": 9}})
        assert found == [("external_id", "acme-1"), ("id", "ws_1"), ("owner.id", "9")]
        assert is_about(found, {"workspace_id": "ws_1"})

    def test_carried_fields_are_those_a_write_was_asked_for_with(self):
        assert carries({"seats": 40}, ["packet.seats"])
        assert carries({"changes": {"plan": "x"}}, ["plan"])
        assert carries({"language": "en"}, ["record"]), "nothing can be written to a record that is gone"
        assert not carries({"language": "en"}, ["seats"])

    def test_an_envelope_is_no_part_of_a_field(self):
        assert flat({"id": "1", "changes": {"plan": "x"}}) == {"id": "1", "plan": "x"}
        assert flat({"a": {"b": 1}, "c": {"d": 2}}) == {"a.b": 1, "c.d": 2}
