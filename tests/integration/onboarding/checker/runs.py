"""One run of the checker: sell, work under faults, heal, look at everything; and the table of all runs."""

from __future__ import annotations

import itertools
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

from app.connectors.catalog.hubspot.stand_in_webhooks import Postman
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product
from tests.integration.onboarding.checker.clients import Case
from tests.integration.onboarding.checker.crashes import POINTS
from tests.integration.onboarding.checker.faults import befall
from tests.integration.onboarding.checker.ground import PROGRAMS, Ground, insist
from tests.integration.onboarding.checker.invariants import note_the_ended, violations
from tests.integration.onboarding.checker.people import Desk

_LONGEST_REST = 180  # seconds in which people bring everything to its end, once nothing goes wrong any more
_LONGEST_WALK = 600  # seconds
_UNFINISHED = """
    SELECT 1 FROM cell.job WHERE finished_at IS NULL UNION ALL SELECT 1 FROM cell.outbox WHERE state = 'new'
    UNION ALL SELECT 1 FROM cell.trail_mark UNION ALL SELECT 1 FROM cell.timer t CROSS JOIN cell.clock c
    WHERE t.state = 'waiting' AND t.due_at < now() + c.shift LIMIT 1
"""


@dataclass(frozen=True)
class Ran:
    """What one seed has been through."""

    seed: int
    cases: int
    ended: int
    commands: int
    befell: tuple[str, ...]
    seconds: float
    found: tuple[str, ...]


@dataclass
class Checker:
    """The ground with its people and its CRM, and what came of the seeds so far."""

    ground: Ground
    desk: Desk
    crm: Postman
    ran: list[Ran] = field(default_factory=list)

    @property
    def shop(self) -> MainJob:
        """The partner and the world around."""
        return self.ground.shop

    def check(self, seed: int, *, cases: int, faults: int, quick: bool = False) -> None:
        """Run one seed. Raises AssertionError with everything that does not hold."""
        print(f"\nhistory_checker seed {seed}")  # noqa: T201 - what a failing run is told again by
        began, chance = time.monotonic(), Random(seed)  # noqa: S311 - to be told again
        jobs, befell = dict[UUID, Any](), list[str]()
        working = [self._sell(chance, seed, number) for number in range(cases)]
        turns = itertools.count()
        while len(befell) < faults:
            if next(turns) % 3 == 2:
                befell.append(befall(self.ground, chance, quick=quick))
            chance.choice(working).step(chance)
            note_the_ended(self.shop, working, jobs)
        end = time.monotonic() + _LONGEST_REST
        while time.monotonic() < end and not all(case.ended for case in working):
            self.ground.heal()
            self.ground.hurry()
            time.sleep(0.05)  # the programs' turn
            chance.choice(working).step(chance)
            note_the_ended(self.shop, working, jobs)
        self.ground.heal()
        self._until(self._at_rest, seconds=120)
        note_the_ended(self.shop, working, jobs)
        found = self._found(working, jobs)
        ended, commands = sum(bool(case.ended) for case in working), sum(len(case.answered) for case in working)
        took = time.monotonic() - began
        self.ran.append(Ran(seed, cases, ended, commands, tuple(befell), took, tuple(found)))
        assert not found, "\n".join([f"seed {seed}, {befell}", *found])

    def _found(self, cases: list[Case], jobs: dict[UUID, Any]) -> list[str]:
        """Everything that does not hold, told at once: the run goes on for an hour."""
        self.ground.end_the_late()
        found = [*violations(self.shop, cases, jobs), *self.desk.surprises]
        self.desk.surprises.clear()
        print(*found, sep="\n")  # noqa: T201 - as above
        return found

    def die_at_every_point(self) -> None:
        """Bring onboardings forward while each named point in turn is armed until a program has died there."""
        chance, cases, left = Random(0), list[Case](), list(POINTS)  # noqa: S311 - no secret
        end = time.monotonic() + _LONGEST_WALK
        while time.monotonic() < end:
            if left and self.ground.reached[left[0]]:
                left.pop(0)
            if left and not self.ground.is_armed(left[0]):
                self.ground.arm(left[0])
            if not cases or (left and cases[-1].ended):
                cases.append(self._sell(chance, 0, len(cases)))
            cases[-1].step(chance)
            note_the_ended(self.shop, cases, {})
            self.shop.installation.move_clock(timedelta(hours=4))  # or no timer would be due
            self.ground.hurry()
            self.ground.mend()
            time.sleep(0.05)  # the programs' turn
            if not left and cases[-1].ended:
                break
        self.ground.heal()
        self._until(self._at_rest, seconds=120)
        found = [f"nothing died at {name}" for name in left] + self._found(cases, {})
        assert not found, "\n".join(found)

    def _sell(self, chance: Random, seed: int, number: int) -> Case:
        """A deal that has become an onboarding; in most the product is connected before it is asked."""
        shop, canary = self.shop, f"Canary{seed}x{number}x{len(self.ran)}"
        deal = shop.sell(company=canary, email=f"a@{canary.lower()}.example")
        event = self.crm.property_change("deal", deal, "dealstage", "closedwon")
        for _copy in range(chance.randint(1, 3)):  # CRMs tell more than once, and again until they are answered
            self.crm.tell(event)
        self._until(lambda: (deal, "started") in self._deals(), seconds=90)
        tenant, onboarding_id = insist(lambda: shop.started(deal))
        connected = chance.random() < 0.6
        if connected:
            insist(lambda: connect_product(shop, tenant))
        return Case(self.ground, self.desk, canary, deal, tenant, onboarding_id, connected)

    def _deals(self) -> set[tuple[str, str]]:
        return {(row.external_id, row.state) for row in self.shop.deals()}

    def _at_rest(self) -> bool:
        return not self.shop.installation.cell(_UNFINISHED)

    def _until(self, condition: Any, *, seconds: float) -> None:
        """Wait for what the programs do, hurrying what would only wait."""
        end = time.monotonic() + seconds
        while not condition():
            self.ground.mend()
            query = "SELECT kind, state, attempts, last_error FROM cell.job WHERE finished_at IS NULL"
            if time.monotonic() > end:
                left = f"still busy after {seconds} s: {self.shop.installation.cell(query)}"
                print(left)  # noqa: T201 - at once
                raise AssertionError(left)
            self.ground.hurry()
            time.sleep(0.1)  # other processes work meanwhile

    def table(self) -> str:
        """Every seed with what it went through, then how often each crash point was reached."""
        lines = ["", "seed  onboardings  ended  commands  seconds  violations  faults"]
        for ran in self.ran:
            kinds = Counter("crash points" if name.startswith("dies at") else name for name in ran.befell)
            told = ", ".join(f"{name} {count}" if count > 1 else name for name, count in sorted(kinds.items()))
            lines.append(
                f"{ran.seed:>4}  {ran.cases:>11}  {ran.ended:>5}  {ran.commands:>8}  {ran.seconds:>7.0f}"
                f"  {len(ran.found):>10}  {told}"
            )
        lines += ["", "died at (times)"]
        lines += [f"{self.ground.reached[name]:>5}  {name}" for name in ["killed", *POINTS]]
        return "\n".join(lines)


def open_checker(shop: MainJob) -> Checker:
    """All programs running over this partner's installation."""
    ground = Ground(shop)
    for name in PROGRAMS:
        ground.start(name)
    desk = Desk(shop, ground.port)
    return Checker(ground, desk, insist(desk.hook))


def seeds() -> range:
    """`CHECKER_SEEDS=11-20` runs these; without it 1 to 50."""
    first, _, last = os.environ.get("CHECKER_SEEDS", "1-50").partition("-")
    return range(int(first), int(last or first) + 1)
