"""The history checker: random onboardings, random faults on real programs, then ten invariants. A seed tells it again.

`make soak ONLY=history_checker` runs fifty seeds, `CHECKER_SEEDS=11-20` before it these. The printed seed holds all
choices of a run; at which instruction a process dies is the machine's own, but for the named crash points.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from tests.factories.main_job import MainJob
from tests.integration.onboarding.checker.runs import Checker, open_checker, seeds


@pytest.fixture(scope="module")
def checker(shop: MainJob) -> Iterator[Checker]:
    made = open_checker(shop)
    yield made
    made.ground.close()
    print(made.table())  # noqa: T201 - what `make soak` is run for


def test_the_history_checker_finds_nothing_in_a_short_run(checker: Checker):
    checker.check(secrets.randbelow(1_000_000), cases=1, faults=5, quick=True)


@pytest.mark.soak
@pytest.mark.parametrize("seed", seeds())
def test_the_history_checker_finds_nothing(checker: Checker, seed: int):
    checker.check(seed, cases=3, faults=12)


@pytest.mark.soak
def test_the_history_checker_finds_nothing_when_a_program_dies_at_each_named_point(checker: Checker):
    checker.die_at_every_point()
