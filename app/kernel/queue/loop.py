"""The dispatcher's loop: does what is due, then waits for a ring or 200 ms, whichever comes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dramatiq
import structlog

from app.kernel.queue.broker import send
from app.kernel.queue.dispatcher import Subscriptions, fire_timers, recover_leases, relay_outbox, take_ready
from app.kernel.queue.wake import Doorbell
from tenants.engines import Databases
from tenants.sessions import DatabaseAway

log = structlog.get_logger(__name__)
POLL = 0.2  # seconds; the safety net under lost rings


@dataclass
class Schedule:
    """Something that runs on the machine's clock, once every so many seconds, one at a time."""

    name: str
    every: float
    run: Callable[[], object]
    due: float = field(default=0.0)


@dataclass
class Dispatcher:
    """Relays, fires, recovers and dispatches for every cell until it is stopped."""

    databases: Databases
    broker: dramatiq.Broker
    subscriptions: Subscriptions
    doorbell: Doorbell
    window: int
    schedules: Sequence[Schedule] = ()
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Go round until stopped. A database that is away is waited for; nothing is lost meanwhile."""
        while not self.stopped.is_set():
            try:
                busy = sum(self.turn(cell) for cell in self.databases.cells)
                self._scheduled()
            except DatabaseAway as error:
                log.warning("dispatcher.database_away", reason=str(error))
                self.stopped.wait(1.0)
                continue
            if not busy:
                self.doorbell.wait(POLL)

    def stop(self) -> None:
        """End after the current turn."""
        self.stopped.set()
        self.doorbell.ring()

    def turn(self, cell: str) -> int:
        """One round over one cell. Returns how much was moved."""
        moved = fire_timers(self.databases, cell)
        moved += relay_outbox(self.databases, cell, self.subscriptions)
        moved += recover_leases(self.databases, cell)
        jobs = take_ready(self.databases, cell, window=self.window)
        send(self.broker, cell, jobs)
        return moved + len(jobs)

    def _scheduled(self) -> None:
        for schedule in self.schedules:
            if time.monotonic() < schedule.due:
                continue
            schedule.due = time.monotonic() + schedule.every
            try:
                schedule.run()
            except DatabaseAway:
                raise
            except Exception:  # one schedule that fails must not stop the others, nor the dispatcher
                log.exception("schedule.failed", schedule=schedule.name)
