"""The line of schemas: one after the other, the postponed behind the ready, nobody waits for what will not come."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tenants.fleet.queue import Line


class TestALine:
    def test_hands_out_each_once_to_many_threads(self):
        line = Line([("main", f"t_{n}", 0) for n in range(100)])
        taken: list[str] = []

        def work() -> None:
            while (one := line.take()) is not None:
                taken.append(one.schema)
                line.settle()

        with ThreadPoolExecutor(8) as threads:
            for _ in range(8):
                threads.submit(work)
        assert sorted(taken) == sorted(f"t_{n}" for n in range(100))

    def test_puts_the_postponed_behind_the_others(self):
        line = Line([("main", name, 0) for name in ("a", "b", "c")])
        first = line.take()
        assert first is not None
        line.later(first, 0.0, attempts=1)
        seen = []
        while (one := line.take()) is not None:
            seen.append((one.schema, one.attempts))
            line.settle()
        assert seen == [("b", 0), ("c", 0), ("a", 1)]

    def test_waits_for_one_that_may_come_back(self):
        line = Line([("main", "a", 0)])
        out = line.take()
        assert out is not None
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(line.take)
            line.later(out, 0.0, attempts=1)
            again = waiting.result(timeout=10)
        assert again is not None
        assert again.attempts == 1

    def test_ends_for_all_who_wait_when_it_is_closed(self):
        line = Line([("main", "a", 0)])
        assert line.take() is not None
        ended: list[object] = []
        thread = threading.Thread(target=lambda: ended.append(line.take()))
        thread.start()
        line.close()
        thread.join(10)
        assert ended == [None]
