"""The cells of an installation: which there are, whom each takes, how full it is, and where a new tenant goes."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import text
from sqlalchemy.orm import Session

from tenants.engines import Databases
from tenants.metadata import control_function
from tenants.sessions import lookup_session

OPEN, CLOSED = "open", "closed"
_FRESH = 5.0  # seconds for which the number of tenants in each cell is taken as known; placement needs no exact one

control_function(
    "cells_for_placement",
    arguments="",
    returns="TABLE (name text, region text, plans jsonb, capacity int, state text, tenants bigint)",
    body=(
        "SELECT c.name, c.region, c.plans, c.capacity, c.state, (SELECT count(*) FROM control.tenant t"
        " WHERE t.cell_name = c.name AND t.state <> 'dropped') FROM control.cell c ORDER BY c.name"
    ),
)


class NoCell(LookupError):
    """No cell takes a tenant like this one; the text says what each lacks."""


@dataclass(frozen=True, slots=True)
class CellLoad:
    """A cell as placement sees it. `plans` None: of every plan; `capacity` None: as many tenants as come."""

    name: str
    region: str | None
    plans: Sequence[str] | None
    capacity: int | None
    state: str
    tenants: int

    def refuses(self, *, plan: str | None, region: str | None) -> str | None:
        """Why this cell does not take a new tenant of that plan in that region; None where it does."""
        if self.state != OPEN:
            return "is closed"
        if region is not None and self.region != region:
            return f"is in {self.region or 'no region'}"
        if self.plans is not None and plan not in self.plans:
            return f"takes {', '.join(self.plans) or 'no plan'} only"
        if self.capacity is not None and self.tenants >= self.capacity:
            return f"is full ({self.tenants} of {self.capacity})"
        return None


def choose_cell(
    cells: Iterable[CellLoad], *, plan: str | None = None, region: str | None = None, wanted: str | None = None
) -> str:
    """The cell a new tenant goes to: the named one, else the emptiest of those that take its plan and region.

    Emptiest by share of the capacity where there is one, then by number, then by name. Raises NoCell.
    """
    named = [cell for cell in cells if wanted is None or cell.name == wanted]
    if not named:
        raise NoCell(f"There is no cell called {wanted}." if wanted else "This installation has no cell.")
    reasons = {cell.name: cell.refuses(plan=plan, region=region) for cell in named}
    fitting = [cell for cell in named if reasons[cell.name] is None]
    if not fitting:
        raise NoCell(f"No cell takes this workspace: {'; '.join(f'{name} {why}' for name, why in reasons.items())}.")
    return min(fitting, key=_fullness).name


def _fullness(cell: CellLoad) -> tuple[float, int, str]:
    return (cell.tenants / cell.capacity if cell.capacity else 0.0, cell.tenants, cell.name)


def read_cells(session: Session) -> list[CellLoad]:
    """Every registered cell with its load; in a lookup scope."""
    rows = session.execute(text("SELECT * FROM control.cells_for_placement()"))
    return [CellLoad(*row) for row in rows]


@dataclass
class Placement:
    """Places new tenants of one process: among the cells it has pools for, by loads that are some seconds old."""

    databases: Databases
    clock: Callable[[], float] = time.monotonic
    _known: tuple[float, list[CellLoad]] | None = field(default=None, init=False)
    _placed: Counter[str] = field(default_factory=Counter, init=False)  # by this process, since it last looked
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _turns: itertools.count[int] = field(default_factory=itertools.count, init=False)

    def cell_for(self, *, plan: str | None, region: str | None, wanted: str | None) -> str:
        """The cell for one more tenant. Raises NoCell, DatabaseAway."""
        chosen = choose_cell(self._loads(), plan=plan, region=region, wanted=wanted)
        with self._lock:  # many in a row must not all go where it was emptiest when it was last looked
            self._placed[chosen] += 1
        return chosen

    def gateways(self, cell: str) -> list[int]:
        """The gateways of the cell in the order to ask them: each new tenant starts at the next one."""
        count = len(self.databases.cell(cell).gateways)
        first = next(self._turns) % count
        return [(first + step) % count for step in range(count)]

    def _loads(self) -> list[CellLoad]:
        with self._lock:
            if self._known is None or self.clock() - self._known[0] > _FRESH:
                with lookup_session(self.databases, actor="placement") as (session, _now):
                    found = [cell for cell in read_cells(session) if cell.name in self.databases.cells]
                self._known = (self.clock(), found)
                self._placed.clear()
            return [replace(cell, tenants=cell.tenants + self._placed[cell.name]) for cell in self._known[1]]
