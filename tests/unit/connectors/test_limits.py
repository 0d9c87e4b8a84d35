"""The gate of a connection by a clock of ours, and what peers write in their headers."""

import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.kit.limits.gate import LONGEST_OPEN, LocalGate
from app.connectors.kit.limits.shared import SharedGate
from app.connectors.kit.limits.wishes import wished_pause
from app.connectors.kit.manifest import Breaker, Limits, Window

LIMITS = Limits(windows=(Window(3, 10.0),), breaker=Breaker(failures=2, seconds=30.0))
FREE = Limits(breaker=Breaker(failures=2, seconds=30.0))


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def reason(gate, limits=FREE, key="c"):
    wait = gate.ask(key, limits)
    return wait and wait.reason


class TestWindows:
    def test_let_so_many_pass_and_then_wait(self, clock):
        gate = LocalGate()
        assert [reason(gate, LIMITS) for _ in range(4)] == [None, None, None, "budget"]
        wait = gate.ask("c", LIMITS)
        assert wait is not None
        assert wait.seconds == pytest.approx(10)
        assert reason(gate, LIMITS, "another") is None
        clock[0] += 10.5
        assert reason(gate, LIMITS) == "budget", "a burst at the edge of two spans is no way around it"
        clock[0] += 10
        assert reason(gate, LIMITS) is None

    @given(st.lists(st.floats(0, 4), max_size=60))
    def test_never_let_much_more_pass_in_any_span(self, pauses):
        at, passed, gate, real = 0.0, [], LocalGate(), time.monotonic
        try:
            for pause in pauses:
                at += pause
                time.monotonic = partial(float, at)
                if gate.ask("c", LIMITS) is None:
                    passed.append(at)
        finally:
            time.monotonic = real
        for start in passed:
            assert sum(start <= each < start + 10 for each in passed) <= 4  # by two counters, one more can slip in

    def test_say_a_wait_that_is_enough(self, clock):
        gate = LocalGate()
        for _ in range(3):
            gate.ask("c", LIMITS)
        for _ in range(5):
            wait = gate.ask("c", LIMITS)
            if wait is None:
                return
            clock[0] += wait.seconds + 0.001
        pytest.fail("it waits for ever")


class TestBreaker:
    def test_opens_tries_once_and_closes(self, clock):
        gate = LocalGate()
        assert [gate.tell("c", FREE, "failed") for _ in range(2)] == [False, True]
        assert (reason(gate), gate.look("c").circuit) == ("open", "open")
        clock[0] += 31
        assert gate.look("c").circuit == "half_open"
        assert [reason(gate), reason(gate)] == [None, "open"], "one probe, not a crowd"
        gate.tell("c", FREE, "well")
        assert (reason(gate), gate.look("c").circuit) == (None, "closed")

    def test_opens_longer_each_time_up_to_a_bound(self, clock):
        gate, waits = LocalGate(), []
        gate.tell("c", FREE, "failed")
        for _ in range(8):
            gate.tell("c", FREE, "failed")
            waits.append(gate.look("c").seconds)
            clock[0] += waits[-1] + 1
            assert reason(gate) is None
        assert waits[:3] == [30, 60, 120]
        assert waits[-1] == LONGEST_OPEN

    def test_lets_another_probe_go_when_one_is_lost(self, clock):
        gate = LocalGate()
        gate.tell("c", FREE, "failed")
        gate.tell("c", FREE, "failed")
        clock[0] += 31
        assert [reason(gate), reason(gate)] == [None, "open"]
        clock[0] += 31
        assert reason(gate) is None

    def test_takes_a_peer_that_asks_for_patience_for_one_that_works(self, clock):
        gate = LocalGate()
        for _ in range(9):
            gate.tell("c", FREE, "neither", 20.0)
        assert (reason(gate), gate.look("c").circuit) == ("held", "closed")
        clock[0] += 21
        assert reason(gate) is None

    def test_is_lifted_by_a_person(self, clock):
        gate = LocalGate()
        gate.tell("c", FREE, "failed", 500)
        gate.tell("c", FREE, "failed")
        gate.lift("c")
        gate.lift("never seen")
        assert reason(gate) is None


class TestWithoutValkey:
    def test_each_process_counts_alone_and_no_call_stops(self):
        gate = SharedGate("redis://127.0.0.1:1/0")
        assert [reason(gate, LIMITS) for _ in range(4)] == [None, None, None, "budget"]
        assert [gate.tell("c", LIMITS, "failed") for _ in range(2)] == [False, True]
        assert gate.look("c").circuit == "open"
        gate.lift("c")
        assert gate.look("c").circuit == "closed"
        gate.close()


DATE = {"date": "Wed, 21 Oct 2026 07:28:00 GMT"}


class TestWishes:
    @pytest.mark.parametrize(
        ("status", "headers", "seconds"),
        [
            (200, {}, 0),
            (429, {"retry-after": "37"}, 37),
            (503, {"retry-after": "5"}, 5),
            (200, {"retry-after": "37"}, 0),
            (200, {"ratelimit": '"burst";r=0;t=12, "day";r=17;t=900'}, 12),
            (200, {"ratelimit": '"burst";r=3;t=12'}, 0),
            (200, {"ratelimit": "limit=100, remaining=0, reset=5"}, 5),
            (200, {"ratelimit-remaining": "0", "ratelimit-reset": "8"}, 8),
            (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "90"}, 90),
            (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1792567740", **DATE}, 60),
            (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1792567740"}, 1),
            (200, {"x-ratelimit-remaining": "0"}, 1),
            (200, {"x-ratelimit-remaining": "4", "x-ratelimit-reset": "90"}, 0),
            (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "99999999"}, 86400),
            (200, {"x-ratelimit-remaining": "none"}, 0),
        ],
    )
    def test_are_read_from_whatever_header_is_used(self, status, headers, seconds):
        assert wished_pause(status, headers) == pytest.approx(seconds)

    @given(st.integers(200, 599), st.text(max_size=60), st.text(max_size=30), st.text(max_size=30))
    def test_never_break_and_stay_bounded(self, status, standard, remaining, reset):
        headers = {"ratelimit": standard, "x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}
        assert 0 <= wished_pause(status, headers | {"retry-after": reset, "date": standard}) <= 86400
