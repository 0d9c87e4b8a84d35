"""The gate that all workers share: what one has counted, the other knows."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.connectors.kit.limits.shared import SharedGate
from app.connectors.kit.manifest import Breaker, Limits, Window

LIMITS = Limits(windows=(Window(3, 60.0), Window(100, 3600.0)), breaker=Breaker(failures=2, seconds=0.2))


@pytest.fixture
def pair(doors_redis: str) -> Iterator[tuple[SharedGate, SharedGate]]:
    prefix = f"gate-{time.monotonic_ns()}:"
    gates = SharedGate(doors_redis, prefix), SharedGate(doors_redis, prefix)
    yield gates
    for gate in gates:
        gate.close()


class TestSharedGate:
    def test_counts_the_requests_of_all_together(self, pair):
        one, other = pair
        waits = [gate.ask("c", LIMITS) for gate in (one, other, one, other)]
        assert [wait and wait.reason for wait in waits] == [None, None, None, "budget"]
        assert 50 < waits[3].seconds <= 60
        assert other.ask("another", LIMITS) is None

    def test_opens_for_all_and_lets_one_probe_through(self, pair):
        one, other = pair
        assert [gate.tell("c", LIMITS, "failed") for gate in pair] == [False, True]
        assert other.look("c").circuit == "open"
        assert one.ask("c", LIMITS).reason == "open"
        time.sleep(0.25)  # Valkey's clock is awaited: nothing rings when a breaker half-opens
        assert other.look("c").circuit == "half_open"
        assert [gate.ask("c", LIMITS) and "open" for gate in (one, other)] == [None, "open"]
        one.tell("c", LIMITS, "failed")
        assert 0.2 < other.look("c").seconds <= 0.4, "twice as long"
        time.sleep(0.45)  # the same
        assert other.ask("c", LIMITS) is None
        other.tell("c", LIMITS, "well")
        assert (one.look("c").circuit, one.look("c").failures) == ("closed", 0)

    def test_keeps_a_pause_until_a_person_lifts_it(self, pair):
        one, other = pair
        assert not one.tell("c", LIMITS, "neither", hold=86_400)
        wait = other.ask("c", LIMITS)
        assert wait.reason == "held"
        assert wait.seconds == pytest.approx(86_400, abs=5)
        other.lift("c")
        assert one.ask("c", LIMITS) is None
