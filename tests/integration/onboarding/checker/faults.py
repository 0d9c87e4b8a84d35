"""What befalls the programs, their servers and the world outside: each fault by its name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from app.connectors.catalog.stand_in import Fault
from tests.integration.onboarding.checker.crashes import POINTS
from tests.integration.onboarding.checker.ground import Ground

WAITED_FOR = {"no answer after the effect"}  # the client's time for one call is twelve seconds

Fate = Callable[[Ground, Random], None]


def befall(ground: Ground, chance: Random, *, quick: bool) -> str:
    """One fault, and in two of five cases a named crash point; `quick`: none that is waited for. Returns its name."""
    ground.mend()
    if chance.random() < 0.4:
        point = chance.choice(list(POINTS))
        ground.arm(point)
        return f"dies at {point}"
    name = chance.choice(sorted(FAULTS.keys() - (WAITED_FOR if quick else set())))
    FAULTS[name](ground, chance)
    return name


def _spoil(kind: Any, **more: Any) -> Fate:
    def fate(ground: Ground, chance: Random) -> None:
        ground.shop.product.break_next(Fault(kind=kind, path="/v1/", times=chance.randint(1, 3), **more))

    return fate


def _kill(name: str) -> Fate:
    return lambda ground, chance: ground.kill_soon(name, chance.uniform(0.0, 0.25))


FAULTS: dict[str, Fate] = {
    "worker killed": _kill("worker"),
    "dispatcher killed": _kill("dispatcher"),
    "web killed": _kill("web"),
    "worker stopped past its lease": lambda ground, _chance: ground.stop_past_its_lease("worker"),
    "dispatcher stopped": lambda ground, _chance: ground.stop_past_its_lease("dispatcher"),
    "the stopped go on": lambda ground, _chance: ground.go_on(),
    "server processes ended": lambda ground, _chance: ground.end_backends(),
    "PostgreSQL stopped at once": lambda ground, _chance: ground.restart_postgres(),
    "queue forgotten": lambda ground, _chance: ground.flush(),
    "answer lost after the effect": _spoil("reset_after_effect"),
    "no answer after the effect": _spoil("silent_after_effect", seconds=14.0),
    "product says 429": _spoil("status", status=429, headers={"Retry-After": "1"}),
    "product says 500": _spoil("status", status=500),
    "product says garbage after the effect": _spoil("garbage"),
    "a day goes by": lambda ground, chance: ground.shop.installation.move_clock(timedelta(hours=chance.randint(6, 60))),
    "messages sent again": lambda ground, _chance: ground.hurry(),
}
