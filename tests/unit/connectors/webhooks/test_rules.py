"""When a delivery is tried again, how an endpoint fares, and which events a name of its list covers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from app.connectors.webhooks.rules import (
    DISABLED_AFTER,
    FAILED_TOO_LONG,
    LONGEST_WISH,
    PAUSES,
    STRAINED_AT,
    TRIES,
    Endpoint,
    Key,
    Trouble,
    hears,
    pattern_of,
    pause_before,
    refused,
    sounding,
    taken,
)
from app.kernel.ids import new_id

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WISHES = st.none() | st.timedeltas(min_value=timedelta(), max_value=timedelta(days=400))


def endpoint(**given):
    shown: dict[str, Any] = {"id": new_id(), "url": "https://hooks.example.com/in", "description": "", "types": ("*",)}
    return Endpoint(**(shown | {"state": "active", "made_at": NOW, "keys": ()} | given))


def key(number, until=None):
    return Key(number, "abcd", "whpk_", NOW, until)


def failing(times, *, every=HOUR):
    """An endpoint that refused so often, the moments between; and what its warnings were after each."""
    found, warned = endpoint(), []
    for number in range(times):
        found = refused(found, NOW + number * every, "500")
        warned.append(found.trouble.warned if found.trouble else 0)
    return found, warned


def pause(number, text="k", wished=None) -> timedelta:
    """The pause before one of the ten tries: there is one."""
    found = pause_before(number, text, wished)
    assert found is not None
    return found


class TestPauses:
    def test_are_ten_tries_over_75_hours(self):
        assert TRIES == 10
        assert timedelta(hours=75) < sum(PAUSES, timedelta()) < timedelta(hours=76)

    def test_grow_and_end(self):
        planned = [pause(number) for number in range(2, TRIES + 1)]
        assert all(before < after for before, after in pairwise(planned))
        assert pause_before(TRIES + 1, "k") is None
        assert pause_before(TRIES + 1, "k", HOUR) is None, "no wish brings a try back"

    @given(st.integers(2, TRIES), st.uuids().map(str))
    def test_are_spread_by_a_tenth_and_the_same_for_the_same(self, number, text):
        found = pause(number, text)
        assert PAUSES[number - 2] * 0.9 <= found <= PAUSES[number - 2] * 1.1
        assert found == pause(number, text)

    def test_thin_a_crowd_out(self):
        assert len({pause(4, str(each)) for each in range(200)}) > 80

    @given(st.integers(2, TRIES), WISHES)
    def test_are_as_long_as_was_wished_up_to_a_day(self, number, wished):
        found = pause(number, "k", wished)
        assert found >= pause(number)
        assert found >= min(wished or timedelta(), LONGEST_WISH)
        assert found <= max(pause(number), LONGEST_WISH)


class TestHealth:
    def test_is_that_of_its_state_until_it_is_in_use(self):
        assert endpoint(state="unverified").health == "unverified"
        assert refused(endpoint(state="disabled"), NOW, "").health == "disabled"

    def test_goes_from_healthy_over_failing_to_strained_and_back(self):
        found, seen = endpoint(), []
        for number in range(STRAINED_AT + 1):
            seen.append(found.health)
            found = refused(found, NOW + timedelta(seconds=number), "500")
        assert seen == ["healthy", *["failing"] * (STRAINED_AT - 1), "strained"]
        assert (found.trouble.since, found.trouble.count, found.trouble.said) == (NOW, STRAINED_AT + 1, "500")
        assert taken(found, NOW).health == "healthy"
        assert taken(found, NOW).delivered_at == NOW

    def test_is_sounded_out_after_half_a_minute_doubling_to_ten(self):
        waits = [sounding(count).total_seconds() for count in range(STRAINED_AT, STRAINED_AT + 7)]
        assert waits == [30, 60, 120, 240, 480, 600, 600]
        assert sounding(10**9) == timedelta(minutes=10)
        assert failing(STRAINED_AT - 1)[0].trouble.again_at is None
        found, _ = failing(STRAINED_AT)
        assert found.trouble.again_at == NOW + (STRAINED_AT - 1) * HOUR + timedelta(seconds=30)

    def test_warns_at_half_at_seventy_and_at_ninety_percent(self):
        found, warned = failing(120)
        assert found.state == "active"
        assert {step: warned.index(step) for step in (50, 70, 90)} == {50: 60, 70: 84, 90: 108}
        assert warned == sorted(warned)

    def test_is_disabled_after_five_days_of_nothing_else(self):
        last, _ = failing(120)
        assert refused(last, NOW + DISABLED_AFTER - timedelta(microseconds=1), "").state == "active"
        gone = refused(last, NOW + DISABLED_AFTER, "500")
        assert (gone.state, gone.health, gone.reason) == ("disabled", "disabled", FAILED_TOO_LONG)

    def test_begins_anew_with_whatever_it_takes(self):
        found = taken(failing(100)[0], NOW + 100 * HOUR)
        again = refused(found, NOW + 101 * HOUR, "500")
        at = NOW + 101 * HOUR
        assert again.trouble == Trouble(since=at, last_at=at, count=1, warned=0, said="500")

    def test_is_not_ended_by_one_failure_long_after_another(self):
        assert refused(refused(endpoint(), NOW, "500"), NOW + timedelta(days=9), "503").state == "active"

    @given(st.lists(st.booleans() | st.integers(0, 30), max_size=30))
    def test_never_breaks(self, story):
        found, now = endpoint(), NOW
        for each in story:
            now += timedelta(hours=each)
            found = taken(found, now) if each is True else refused(found, now, "500")
            assert found.health in {"healthy", "failing", "strained", "disabled"}
            assert found.trouble is None or found.trouble.since <= now


class TestSigning:
    def test_is_done_with_the_newest_key_first_and_with_none_whose_time_is_over(self):
        both = endpoint(keys=(key(1, NOW + HOUR), key(2)))
        assert [each.number for each in both.signing(NOW)] == [2, 1]
        assert [each.number for each in both.signing(NOW + HOUR)] == [2]


def like(pattern, text):
    """What SQL says of `text LIKE pattern`, said another way: with the backslash as escape, `%` and `_`."""
    said, at = "", 0
    while at < len(pattern):
        if pattern[at] == "\\":
            at += 1
            said += re.escape(pattern[at])  # one at the end is an error in SQL, and an IndexError here
        else:
            said += {"%": ".*", "_": "."}.get(pattern[at], re.escape(pattern[at]))
        at += 1
    return re.fullmatch(said, text, re.DOTALL) is not None


NAMES = st.text(alphabet="ab.*%_\\\n", max_size=6)


class TestNames:
    @pytest.mark.parametrize(
        ("wanted", "kind", "covered"),
        [
            ("*", "onboarding.task.completed", True),
            ("onboarding.*", "onboarding.task.completed", True),
            ("onboarding.*", "onboarding", False),
            ("onboarding.task.completed", "onboarding.task.completed", True),
            ("onboarding.task.completed", "onboarding.task.completed_early", False),
            ("identity.service_account.*", "identity.service-account.made", False),
            ("%", "onboarding.task.completed", False),
            ("", "onboarding.task.completed", False),
        ],
    )
    def test_cover_what_they_say(self, wanted, kind, covered):
        assert hears(wanted, kind) is covered
        assert like(pattern_of(wanted), kind) is covered

    @given(NAMES, NAMES)
    def test_mean_the_same_to_the_relay_as_to_us(self, wanted, kind):
        assert like(pattern_of(wanted), kind) is hears(wanted, kind)

    @given(NAMES, NAMES)
    def test_cover_whatever_begins_so(self, start, rest):
        assert hears(f"{start}*", start + rest)
        assert like(pattern_of(f"{start}*"), start + rest)


def test_an_endpoint_is_changed_only_by_what_is_said_of_it():
    before = endpoint()
    assert replace(taken(refused(before, NOW, "500"), NOW), delivered_at=None) == before
