"""How many workers what waits is worth."""

from __future__ import annotations

import pytest

from app.kernel.queue.care.signals import Load, wanted_workers


@pytest.mark.parametrize(
    ("seconds", "patience", "wanted"),
    [(0.0, 120, 1), (7_680.0, 120, 1), (7_681.0, 120, 2), (100_000.0, 120, 14), (7_681.0, 0, 2), (7_681.0, 60, 3)],
)
def test_workers_are_wanted_that_end_it_in_time(seconds: float, patience: int, wanted: int):
    loads = [Load("default", 1, 1, 5.0, seconds / 2), Load("bulk", 1, 0, 5.0, seconds / 2)]
    assert wanted_workers(loads, threads=64, patience=patience) == wanted
    assert wanted_workers([], threads=64, patience=patience) == 1
