"""Whose turn it is, against a model that looks at everybody each time and knows nothing of heaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.kernel.queue.fair.rule import GUESS, WEIGHTS, Flow, Pace, Share, Turns, correct, in_turn

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def flow(tenant: int, *, queue: str = "default", cap: str = "", most: int | None = None, waits: int = 0) -> Flow:
    return Flow(UUID(int=tenant), queue, cap, LONG_AGO - timedelta(seconds=waits), most)


def turns(**shares: Share) -> Turns:
    """Tenants called `t1`, `t2` … in the ordinary queue."""
    return Turns({(UUID(int=int(name[1:])), "default"): share for name, share in shares.items()})


def of(tenants: Sequence[Flow]) -> list[int]:
    return [each.tenant_id.int for each in tenants]


def hand_out(state: Turns, flows: Sequence[Flow], room: int) -> list[int]:
    """Plan, and count all of it; whose jobs went."""
    picks = state.plan(flows, room, {})
    state.charge(picks)
    return of([pick.flow for pick in picks])


class Model:
    """The rule as it is said: the earliest start is next, a start is one's own time or the common one, if later."""

    def __init__(self, times: dict[int, float], weights: dict[int, float], costs: dict[int, float], reached: float):
        self.times, self.weights, self.costs, self.reached = times, weights, costs, reached

    def next(self, waiting: Sequence[Flow]) -> int:
        start, _head, who = min((max(self.times[f.tenant_id.int], self.reached), f.head, f.tenant_id) for f in waiting)
        self.reached = start
        self.times[who.int] = start + self.costs[who.int] / self.weights[who.int]
        return who.int


_FACTS = ("vtime", "weight", "cost")
SHARES = st.builds(
    Share,
    vtime=st.floats(0, 100, allow_nan=False),
    cost=st.floats(0.001, 5, allow_nan=False),
    weight=st.sampled_from([1.0, 2.0, 5.0]),
)


class TestTheOrder:
    @given(st.lists(SHARES, min_size=1, max_size=6), st.floats(0, 100, allow_nan=False), st.integers(1, 60))
    def test_is_that_of_the_model(self, shares: list[Share], reached: float, room: int):
        flows = [flow(number, waits=number) for number in range(len(shares))]
        state = turns(**{f"t{number}": share for number, share in enumerate(shares)})
        state.paces["default"] = Pace(0.0, reached)
        times, weights, costs = ({n: getattr(s, name) for n, s in enumerate(shares)} for name in _FACTS)
        model = Model(times, weights, costs, reached)
        assert of([pick.flow for pick in state.plan(flows, room, {})]) == [model.next(flows) for _ in range(room)]

    @given(st.integers(1, 9), st.lists(st.integers(1, 9), min_size=1, max_size=8))
    def test_is_the_same_in_one_round_and_in_several(self, tenants: int, rounds: list[int]):
        flows = [flow(number, waits=number) for number in range(tenants)]
        at_once, one_by_one = Turns(), Turns()
        expected = hand_out(at_once, flows, sum(rounds))
        assert [who for room in rounds for who in hand_out(one_by_one, flows, room)] == expected

    @given(st.lists(SHARES, min_size=2, max_size=5))
    def test_gives_everybody_its_weight_of_the_seconds(self, shares: list[Share]):
        state = turns(**{f"t{number}": share for number, share in enumerate(shares)})
        state.paces["default"] = Pace(0.0, 100.0)  # where all of them have come by now
        flows = [flow(number) for number in range(len(shares))]
        told = Counter(hand_out(state, flows, 400))
        longest = max(share.cost / share.weight for share in shares)
        had = [told[n] * share.cost / share.weight for n, share in enumerate(shares)]
        assert max(had) - min(had) <= 2 * longest + 1e-6

    def test_gives_whoever_was_idle_no_credit_for_it(self):
        state = turns(t1=Share(vtime=500.0), t2=Share(vtime=0.0))
        state.paces["default"] = Pace(0.0, 500.0)
        assert hand_out(state, [flow(1), flow(2)], 20).count(2) == 10

    def test_lets_a_quiet_tenant_in_before_what_a_noisy_one_has_waiting(self):
        state = Turns()
        hand_out(state, [flow(1, waits=900)], 1_000)
        assert hand_out(state, [flow(1, waits=900), flow(2)], 4)[:2] in ([1, 2], [2, 1])


class TestQueues:
    def test_share_by_their_weights_and_none_starves(self):
        flows = [flow(1, queue=queue) for queue in WEIGHTS]
        picks = Turns().plan(flows, 210, {})
        assert Counter(pick.flow.queue for pick in picks) == {"interactive": 160, "default": 40, "bulk": 10}

    def test_that_nobody_uses_leave_everything_to_the_others(self):
        picks = Turns().plan([flow(1, queue="bulk")], 5, {})
        assert len(picks) == 5

    def test_of_interactive_jobs_come_first_after_a_long_while_of_others(self):
        state = Turns()
        hand_out(state, [flow(1), flow(2, queue="bulk")], 500)
        picks = state.plan([flow(1), flow(2, queue="bulk"), flow(3, queue="interactive")], 3, {})
        assert flow(3, queue="interactive") in [pick.flow for pick in picks]


class TestCaps:
    @given(st.integers(1, 5), st.integers(0, 8), st.integers(1, 40))
    def test_of_what_is_used_hold_with_what_is_under_way(self, most: int, busy: int, room: int):
        flows = [flow(1, cap="endpoint:a", most=most), flow(1)]
        picks = Turns().plan(flows, room, {(UUID(int=1), "endpoint:a"): busy})
        capped = sum(pick.flow.cap_key != "" for pick in picks)
        assert capped <= max(0, most - busy)
        assert len(picks) == room  # what has no cap goes on

    @given(st.integers(1, 9), st.integers(0, 9), st.integers(1, 40))
    def test_of_a_tenant_hold_over_all_its_queues_and_leave_the_rest_to_others(self, most: int, busy: int, room: int):
        first = UUID(int=1)
        state = Turns({(first, queue): Share(at_once=most) for queue in WEIGHTS})
        flows = [*(flow(1, queue=queue) for queue in WEIGHTS), flow(2)]
        picks = state.plan(flows, room, {(first, "x"): busy})
        assert of([pick.flow for pick in picks]).count(1) <= max(0, most - busy)
        assert len(picks) == room

    def test_that_are_used_up_end_the_plan(self):
        assert Turns().plan([flow(1, cap="a", most=1)], 9, {(UUID(int=1), "a"): 1}) == []


class TestCorrect:
    @given(SHARES, st.floats(0, 200, allow_nan=False), st.integers(0, 50), st.floats(0, 100, allow_nan=False))
    def test_never_sets_anybody_further_ahead_than_a_minute(self, share: Share, seconds: float, handed: int, at: float):
        told = correct(share, at, seconds=seconds, handed=handed)
        assert told.vtime <= max(share.vtime, at + 60.0)
        assert 0.001 <= told.cost <= 30.0

    def test_takes_back_what_was_charged_too_much(self):
        told = correct(Share(vtime=10.0, cost=1.0, weight=2.0), 0.0, seconds=0.4, handed=4)
        assert told.vtime == 10.0 - 3.6 / 2
        assert 0.1 < told.cost < 1.0

    def test_learns_what_a_job_costs(self):
        share = Share()
        assert share.cost == GUESS
        for _ in range(30):
            share = correct(share, share.vtime, seconds=0.5, handed=1)
        assert abs(share.cost - 0.5) < 0.01


class TestInTurn:
    def test_gives_what_was_found_in_the_order_of_the_plan(self):
        one, other = flow(1), flow(2)
        picks = Turns().plan([one, other], 4, {})
        found = list(in_turn(picks, {one.key: ["a", "b"], other.key: ["c"]}))
        assert [row for _pick, row in found] == ["a", "c", "b"]
