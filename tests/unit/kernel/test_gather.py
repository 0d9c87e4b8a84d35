"""Several threads' questions in one call: who asks, who waits, and what becomes of the others when somebody fails."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.kernel.queue.batches.gather import Gather, Unanswered

_PATIENCE = 20


class Gate:
    """Answers by the double of what it is asked; the first call waits until somebody lets it go on."""

    def __init__(self, *, raises: BaseException | None = None) -> None:
        self.calls: list[list[int]] = []
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.raises = raises

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.calls.append(list(asked))
        if len(self.calls) == 1:
            self.entered.set()
            assert self.go_on.wait(_PATIENCE)
            if self.raises is not None:
                raise self.raises
        return [2 * each for each in asked]


def crowd(gate: Gate, pool: ThreadPoolExecutor, number: int) -> tuple[Future[int], list[Future[int]], Gather[int, int]]:
    """One that asks, and while it does, others that come."""
    gather = Gather(gate)
    first = pool.submit(gather.ask, 0)
    assert gate.entered.wait(_PATIENCE)
    others = [pool.submit(gather.ask, each) for each in range(1, number)]
    clock = threading.Event()
    while len(gather._waiting) < number - 1:
        clock.wait(0.001)
    return first, others, gather


class TestGather:
    def test_asks_at_once_for_who_is_alone(self):
        gather = Gather[int, int](lambda asked: [2 * each for each in asked])
        assert [gather.ask(1), gather.ask(2)] == [2, 4]

    def test_asks_once_for_all_who_came_meanwhile_and_gives_each_its_own(self):
        gate = Gate()
        with ThreadPoolExecutor(20) as pool:
            first, others, _gather = crowd(gate, pool, 20)
            gate.go_on.set()
            assert first.result(_PATIENCE) == 0
            assert [each.result(_PATIENCE) for each in others] == [2 * each for each in range(1, 20)]
        assert [len(call) for call in gate.calls] == [1, 19]

    def test_raises_for_who_was_in_the_call_and_goes_on_for_the_others(self):
        gate = Gate(raises=ValueError("away"))
        with ThreadPoolExecutor(5) as pool:
            first, others, gather = crowd(gate, pool, 5)
            gate.go_on.set()
            with pytest.raises(ValueError, match="away"):
                first.result(_PATIENCE)
            assert sorted(each.result(_PATIENCE) for each in others) == [2, 4, 6, 8]
            assert gather.ask(9) == 18

    def test_goes_on_for_the_others_when_who_asks_is_told_to_stop(self):
        gate = Gate(raises=SystemExit())
        with ThreadPoolExecutor(5) as pool:
            first, others, gather = crowd(gate, pool, 5)
            gate.go_on.set()
            with pytest.raises(SystemExit):
                first.result(_PATIENCE)
            assert sorted(each.result(_PATIENCE) for each in others) == [2, 4, 6, 8]
            assert gather.ask(9) == 18

    def test_says_that_it_may_have_been_done_to_who_waited_on_one_that_was_stopped(self):
        gate = Gate()
        stopping = [False, True]

        def answer(asked: Sequence[int]) -> list[int]:
            answers = gate(asked)
            if stopping.pop(0):
                raise SystemExit
            return answers

        with ThreadPoolExecutor(5) as pool:
            gather = Gather(answer)
            first = pool.submit(gather.ask, 0)
            assert gate.entered.wait(_PATIENCE)
            others = [pool.submit(gather.ask, each) for each in (1, 2, 3)]
            clock = threading.Event()
            while len(gather._waiting) < len(others):
                clock.wait(0.001)
            gate.go_on.set()
            assert first.result(_PATIENCE) == 0
            errors = [type(each.exception(_PATIENCE)) for each in others]
        assert sorted(error.__name__ for error in errors) == ["SystemExit", "Unanswered", "Unanswered"]
        assert Unanswered in errors
