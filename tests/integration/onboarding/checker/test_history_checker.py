"""The history checker: random onboardings, random faults on real programs, then ten invariants. A seed tells it again.

`make soak ONLY=history_checker` runs fifty seeds. The printed seed holds all choices of a run; at which instruction a
process dies is the machine's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import pytest

from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product
from tests.integration.onboarding.checker.clients import Case
from tests.integration.onboarding.checker.faults import PROGRAMS, Ground
from tests.integration.onboarding.checker.invariants import note_the_ended, violations

_UNFINISHED = """
    SELECT 1 FROM cell.job WHERE finished_at IS NULL UNION ALL SELECT 1 FROM cell.outbox WHERE state = 'new'
    UNION ALL SELECT 1 FROM cell.trail_mark UNION ALL SELECT 1 FROM cell.timer t CROSS JOIN cell.clock c
    WHERE t.state = 'waiting' AND t.due_at < now() + c.shift LIMIT 1
"""
SEEDS = range(1, 51)


@pytest.fixture(scope="module")
def ground(shop: MainJob) -> Iterator[Ground]:
    made = Ground(shop)
    for name in PROGRAMS:
        made.start(name)
    yield made
    made.close()


def until(condition: Any, ground: Ground, *, seconds: float) -> None:
    """Wait for what the programs do, hurrying what would only wait."""
    end = time.monotonic() + seconds
    while not condition():
        left = ground.shop.installation.cell(
            "SELECT kind, state, attempts, last_error FROM cell.job WHERE finished_at IS NULL"
        )
        assert time.monotonic() < end, left
        ground.hurry()
        time.sleep(0.2)  # other processes work meanwhile


def sell(ground: Ground, seed: int, number: int) -> Case:
    """A deal that has become an onboarding, with the product connected."""
    shop, canary = ground.shop, f"Canary{seed}x{number}"
    deal = shop.sell(company=canary, email=f"a@{canary.lower()}.example")
    shop.tell(deal)
    until(lambda: (deal, "started") in {(row.external_id, row.state) for row in shop.deals()}, ground, seconds=60)
    tenant, onboarding_id = shop.started(deal)
    connect_product(shop, tenant)
    return Case(shop, canary, deal, tenant, onboarding_id)


def check(ground: Ground, seed: int, *, cases: int, faults: int) -> None:
    """One run: sell, work under faults, heal, and look at everything."""
    chance, shop, jobs, befell = Random(seed), ground.shop, dict[UUID, Any](), list[str]()  # noqa: S311 - to be told again
    print(f"\nhistory_checker seed {seed}")  # noqa: T201 - what a failing run is told again by
    working = [sell(ground, seed, number) for number in range(cases)]
    for turn in range(400):
        if len(befell) < faults and turn % 3 == 2:
            befell.append(ground.befall(chance))
        chance.choice(working).step(chance)
        note_the_ended(shop, working, jobs)
        if len(befell) == faults and all(case.ended for case in working):
            break
        if len(befell) == faults:
            ground.heal()
            ground.hurry()
            time.sleep(0.05)  # the programs' turn
    ground.heal()
    until(lambda: not shop.installation.cell(_UNFINISHED), ground, seconds=90)
    note_the_ended(shop, working, jobs)
    found = list(violations(shop, working, jobs))
    assert not found, "\n".join([f"seed {seed}, {befell}", *found])


@pytest.mark.soak
def test_the_history_checker_finds_nothing_in_a_short_run(ground: Ground):
    check(ground, seed=7, cases=1, faults=4)


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS)
def test_the_history_checker_finds_nothing(ground: Ground, seed: int):
    check(ground, seed=seed, cases=3, faults=12)
