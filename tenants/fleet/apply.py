"""Applies the plan, ring by ring: its workspaces, a soak, the next ring. Killed anywhere, it goes on from there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Literal

import psycopg

from tenants.fleet.owner import Connection, Connections, Fleet, held
from tenants.fleet.plan import CANARY, Plan, count_below, find_plan, note
from tenants.fleet.queue import Line
from tenants.fleet.replay import Replay, make_durable
from tenants.fleet.tree import FleetRefused
from tenants.fleet.workers import Crew, Tally
from tenants.sessions import DatabaseAway

_BUDGET = 0.005  # of all workspaces may fail before the fleet halts, and at least one
# Of a ring: for what a crash of the server took back, and for what programs of the earlier release claim meanwhile.
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is, for whoever watches."""

    ring: str
    tally: Tally
    soak_left: float = 0.0  # seconds


@dataclass(frozen=True, slots=True)
class Crewing:
    """How the work is done: threads, who watches, what stops it, which plans it takes up."""

    workers: int = 4
    tell: Callable[[Progress], None] = lambda _progress: None
    stop: Event = field(default_factory=Event)
    resume: bool = False
    quarantined: bool = False  # try those that were set apart once more


Ended = Literal["finished", "incomplete", "halted", "stopped"]

_COUNTS = "SELECT state, count(*) AS n FROM cell.fleet_step WHERE plan_id = %s GROUP BY state"
_RETRY = (
    "UPDATE cell.fleet_step SET state = 'waiting', attempts = 0, changed_at = now()"
    " WHERE plan_id = %s AND state = 'quarantined' RETURNING 1"
)
_STEPS = (
    "SELECT schema_name, attempts FROM cell.fleet_step WHERE plan_id = %s AND ring = %s AND state = 'waiting'"
    " ORDER BY schema_name"
)
_TAKE_IN = (
    "INSERT INTO cell.fleet_step AS step (schema_name, plan_id, ring, state, attempts, changed_at)"
    " SELECT s.schema_name, %s, %s, 'waiting', 0, now() FROM cell.slot s"
    " WHERE s.state = 'claimed' AND s.revision = ANY(%s)"
    " ON CONFLICT (schema_name) DO UPDATE SET plan_id = excluded.plan_id, ring = excluded.ring, state = 'waiting',"
    " attempts = 0, backfilled = NULL, error = NULL, changed_at = now() WHERE step.plan_id <> excluded.plan_id"
    " RETURNING 1"
)
_ANY = "SELECT 1 FROM cell.fleet_step WHERE plan_id = %s AND ring = %s LIMIT 1"
_UNTIL = "SELECT clock_timestamp() + make_interval(secs => %s) AS until"


def apply_plan(fleet: Fleet, crewing: Crewing) -> Plan | None:
    """Go on with the open plan until its end, its budget's end, or until stopped; the plan as it stands then.

    None when there is no open plan. Raises FleetRefused, FleetBusy, DatabaseAway.
    """
    with held(fleet) as control:
        plan = find_plan(control, fleet)
        if plan is None:
            return None
        if plan.state in {"halted", "incomplete"} and not crewing.resume:
            raise FleetRefused(f"The fleet is {plan.state}: {plan.reason} Look at slipway fleet status, then: resume")
        return _Run(fleet, control, crewing, plan).through()


class _Run:
    """One process's turn at a plan."""

    def __init__(self, fleet: Fleet, control: Connection, crewing: Crewing, plan: Plan) -> None:
        self._fleet, self._control, self._crewing = fleet, control, crewing
        self._replay = Replay(fleet.tree, plan.target, crewing.stop)
        self._plan = plan
        self._tally = Tally()
        self._connections = Connections(fleet.cell_urls)

    def through(self) -> Plan:
        """All rings that are left. The state in `control` says how it ended, also when the database went away."""
        self._begin()
        try:
            ended, reason = self._rings()
        except DatabaseAway as error:
            with suppress(DatabaseAway, psycopg.Error):  # it may be control that has gone
                self._note(state="stopped", reason=str(error))
            raise
        finally:
            self._connections.close()
        self._note(state=ended, reason=reason)
        return self._plan

    def _begin(self) -> None:
        if self._crewing.quarantined:
            for cell in self._fleet.cell_urls:
                self._cell(cell, _RETRY, [self._plan.id])
            waiting = [ring for ring in range(len(self._plan.rings)) if self._steps(ring)]
            self._note(ring=min(waiting, default=self._plan.ring))
        self._count()
        forgiven = self._tally.quarantined if self._plan.state in {"halted", "incomplete"} else self._plan.forgiven
        self._note(state="running", reason=None, forgiven=forgiven)

    def _rings(self) -> tuple[Ended, str | None]:
        last = len(self._plan.rings) - 1
        for ring in range(self._plan.ring, last + 1):
            if not self._soak():
                return "stopped", None
            self._note(ring=ring)
            self._ring(ring)
            if self._crewing.stop.is_set():
                return "stopped", None
            if self._overdrawn(ring):
                return "halted", f"{self._tally.quarantined} workspaces failed, more than the budget allows."
            # Also one that a killed process had just come through: until the pointer moves on, it has not soaked.
            if ring < last and self._peopled(ring) and self._waiting(ring + 1):
                until = self._control.execute(_UNTIL, [self._plan.soak_seconds]).fetchone()
                self._note(soak_until=until.until if until else None, ring=ring + 1)
        return self._judge()

    def _ring(self, ring: int) -> None:
        """Replay the ring until nothing of it waits; into the last one come workspaces that nobody had planned."""
        last = ring == len(self._plan.rings) - 1
        for again in range(_ROUNDS):
            if last:
                self._take_in()
            steps = self._steps(ring)
            if again:
                self._count()
            if not steps or self._crewing.stop.is_set() or self._overdrawn(ring):
                break
            self._crew(ring, steps).run(self._crewing.workers)
            self._make_durable(steps)

    def _make_durable(self, steps: list[tuple[str, str, int]]) -> None:
        """Once for each server: the next ring, the soak and the plan's end build on what is on the disk."""
        for cell, schema in {cell: schema for cell, schema, _attempts in steps}.items():
            with self._connections.asking(cell) as connection:
                make_durable(connection, schema)

    def _crew(self, ring: int, steps: list[tuple[str, str, int]]) -> Crew:
        name = self._plan.rings[ring]
        return Crew(
            connections=self._connections,
            replay=self._replay,
            line=Line(steps),
            tally=self._tally,
            allowed=self._allowed(ring),
            stop=self._crewing.stop,
            tell=lambda: self._crewing.tell(Progress(name, self._tally)),
        )

    def _allowed(self, ring: int) -> int:
        """A canary that fails has done its work: everything stops there. Later, half a percent may fail."""
        budget = 0 if self._plan.rings[ring] == CANARY else max(1, int(self._tally.total * _BUDGET))
        return self._plan.forgiven + budget

    def _overdrawn(self, ring: int) -> bool:
        return self._tally.quarantined > self._allowed(ring)

    def _soak(self) -> bool:
        """Wait until the ring before has run long enough, by the database's clock. False when stopped meanwhile."""
        if self._plan.soak_until is None:
            return True
        row = self._control.execute(
            "SELECT extract(epoch FROM %s - clock_timestamp())::float AS left", [self._plan.soak_until]
        ).fetchone()
        left = row.left if row else 0.0
        if left > 1:
            self._connections.close()  # nobody keeps one open for hours
        end = time.monotonic() + left
        while (left := end - time.monotonic()) > 0 and not self._crewing.stop.is_set():
            self._crewing.tell(Progress(self._plan.rings[self._plan.ring], self._tally, soak_left=left))
            self._crewing.stop.wait(min(left, 1.0))
        if self._crewing.stop.is_set():
            return False
        self._note(soak_until=None)
        return True

    def _judge(self) -> tuple[Ended, str | None]:
        below = sum(self._below(cell) for cell in self._fleet.cell_urls)
        left = max(below, self._tally.quarantined)  # one whose records contradict each other may not be below
        if not left:
            return "finished", None
        return "incomplete", f"{left} workspaces are not at revision {self._plan.target}."

    def _below(self, cell: str) -> int:
        with self._connections.asking(cell) as connection:
            return count_below(connection, self._fleet, self._plan.target)

    def _count(self) -> None:
        """What has become of every workspace of the plan, as the cells say."""
        counts: Counter[str] = Counter()
        for cell in self._fleet.cell_urls:
            counts.update(dict(self._cell(cell, _COUNTS, [self._plan.id])))
        self._tally.total = counts.total()
        self._tally.done, self._tally.quarantined = counts["done"], counts["quarantined"]

    def _take_in(self) -> None:
        """Workspaces below the target that the plan does not know: claimed since, from the pool of an earlier build."""
        below = self._fleet.tree.before(self._plan.target)
        for cell in self._fleet.cell_urls:
            taken = self._cell(cell, _TAKE_IN, [self._plan.id, len(self._plan.rings) - 1, below])
            self._tally.total += len(taken)

    def _steps(self, ring: int) -> list[tuple[str, str, int]]:
        return [
            (cell, row.schema_name, row.attempts)
            for cell in self._fleet.cell_urls
            for row in self._cell(cell, _STEPS, [self._plan.id, ring])
        ]

    def _peopled(self, ring: int) -> bool:
        return any(self._cell(cell, _ANY, [self._plan.id, ring]) for cell in self._fleet.cell_urls)

    def _waiting(self, ring: int) -> bool:
        return any(self._steps(each) for each in range(ring, len(self._plan.rings)))

    def _cell(self, cell: str, statement: str, values: list[object]) -> list[Any]:
        with self._connections.asking(cell) as connection:
            return connection.execute(statement.encode(), values).fetchall()

    def _note(self, **changed: object) -> None:
        self._plan = note(self._control, self._plan, **changed)
