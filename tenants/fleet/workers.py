"""Threads that replay a ring's schemas, and what happens to one that fails: later, or set apart and reported."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread

import psycopg

from tenants.fleet.owner import Connection, Connections
from tenants.fleet.queue import Line, Waiting
from tenants.fleet.replay import Replay, SchemaBusy, SchemaUnfit
from tenants.sessions import DatabaseAway

ATTEMPTS = 8  # of a schema whose locks do not come, before it is set apart
_FIRST_WAIT, _LONGEST_WAIT = 0.2, 20.0  # seconds, doubled each time, with up to as much again by chance
_EACH = 5  # schemas at least that a thread is worth: the first on a new connection costs as much as several more
_PATIENCE = 30  # times in a row that a database may be away, a second each


@dataclass
class Tally:
    """What has become of the schemas so far. Read by others while it is counted."""

    total: int = 0
    done: int = 0
    quarantined: int = 0
    postponed: int = 0


@dataclass
class Crew:
    """The workers of one ring."""

    connections: Connections
    replay: Replay
    line: Line
    tally: Tally
    allowed: int  # quarantined schemas, beyond which all stop
    stop: Event
    tell: Callable[[], None]
    away: DatabaseAway | None = None
    _strikes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def run(self, workers: int) -> None:
        """Replay until the line is empty, the budget is spent, or all is stopped. Raises DatabaseAway."""
        useful = -(-len(self.line) // _EACH)
        threads = [Thread(target=self._work, name=f"fleet-{n}") for n in range(min(workers, useful))]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(0.1)
                self.tell()
                if self.stop.is_set():
                    self.line.close()
        self.tell()
        if self.away is not None:
            raise self.away

    @property
    def overdrawn(self) -> bool:
        """Whether more schemas failed than the error budget allows."""
        return self.tally.quarantined > self.allowed

    def _work(self) -> None:
        connections: dict[str, Connection] = {}
        while not self.stop.is_set() and (one := self.line.take()) is not None:
            try:
                self._one(connections, one)
            except Exception as error:  # noqa: BLE001 - a bug in one thread must not leave the others waiting for ever
                self._give_up(DatabaseAway(f"A worker failed: {error!r}"))
                self.line.settle()
        for cell, connection in connections.items():
            with suppress(psycopg.Error):
                self.connections.give(cell, connection)

    def _one(self, connections: dict[str, Connection], one: Waiting) -> None:
        try:
            if one.cell not in connections or connections[one.cell].closed:
                connections[one.cell] = self.connections.take(one.cell)
            connection = connections[one.cell]
            finished = self.replay.advance(connection, one.schema)
        except DatabaseAway as error:
            self._missed(one, error)
        except (SchemaBusy, psycopg.OperationalError) as error:
            if connection.closed:
                self._missed(one, DatabaseAway(f"The database went away: {said(error)}"))
            else:
                self._step_back(connection, one, error)
        except (SchemaUnfit, psycopg.Error) as error:
            self._quarantine(connection, one, said(error))
        else:
            self._count(done=int(finished))
            self.line.settle()

    def _step_back(self, connection: Connection, one: Waiting, error: Exception) -> None:
        """A lock that did not come: to the end of the line, and after a wait that differs from the others'."""
        attempts = one.attempts + 1
        if attempts >= ATTEMPTS:
            self._quarantine(connection, one, f"{said(error)}, {attempts} times")
            return
        _note(connection, one.schema, state="waiting", attempts=attempts, error=said(error))
        wait = min(_FIRST_WAIT * 2**attempts, _LONGEST_WAIT)
        self._count(postponed=1)
        self.line.later(one, wait + random.uniform(0, wait), attempts=attempts)  # noqa: S311 - spreads, hides nothing

    def _quarantine(self, connection: Connection, one: Waiting, error: str) -> None:
        _note(connection, one.schema, state="quarantined", attempts=one.attempts + 1, error=error)
        self._count(quarantined=1)
        if self.overdrawn:
            self.line.close()
        self.line.settle()

    def _missed(self, one: Waiting, error: DatabaseAway) -> None:
        with self._lock:
            self._strikes += 1
            patient = self._strikes < _PATIENCE
        if not patient:
            self._give_up(error)
        self.line.later(one, 1.0, attempts=one.attempts)

    def _give_up(self, error: DatabaseAway) -> None:
        self.away = error
        self.line.close()

    def _count(self, *, done: int = 0, quarantined: int = 0, postponed: int = 0) -> None:
        with self._lock:
            self._strikes = 0
            self.tally.done += done
            self.tally.quarantined += quarantined
            self.tally.postponed += postponed


def said(error: Exception) -> str:
    """What went wrong, without the detail line, which quotes the rows of the tenant."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return f"{error.diag.message_primary} ({error.sqlstate})"
    return " ".join(str(error).split())


def _note(connection: Connection, schema: str, *, state: str, attempts: int, error: str) -> None:
    connection.execute(
        "UPDATE cell.fleet_step SET state = %s, attempts = %s, error = %s, changed_at = now() WHERE schema_name = %s",
        [state, attempts, error, schema],
    )
