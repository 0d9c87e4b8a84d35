"""The dispatcher's loop: does what is due, then waits for a ring or 200 ms, whichever comes first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from app.kernel.queue.broker import Sender, send
from app.kernel.queue.dispatcher import Subscriptions, look_at, recover_leases, relay_outbox
from app.kernel.queue.fair.flows import Known
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.sequencing import arm_sequencers
from app.kernel.queue.timers.due import fire_timers
from app.kernel.queue.wake import Doorbell
from tenants.engines import Databases
from tenants.sessions import DatabaseAway

log = structlog.get_logger(__name__)
_AWAY_FOR = 1.0  # seconds a cell that does not answer is left alone
_LAST_SCHEDULE = 3.0  # seconds a schedule may still take when the dispatcher is stopped; each is repeatable
POLL = 0.2  # seconds; the safety net under lost rings
_FULL = 0.01  # seconds until it is looked again whether a worker has ended something: nobody rings for that


@dataclass
class Schedule:
    """Something that runs on the machine's clock, once every so many seconds, one at a time.

    Where `run` gives True there was much to do: it runs again without a pause.
    """

    name: str
    every: float
    run: Callable[[], object]
    due: float = field(default=0.0)


@dataclass
class Dispatcher:
    """Relays, fires, recovers and dispatches for every cell until it is stopped.

    `window` is how many jobs are on their way or running, `at_once` how many of them are one tenant's where its plan
    does not say.
    """

    databases: Databases
    broker: Sender
    subscriptions: Subscriptions
    doorbell: Doorbell
    window: int
    schedules: Sequence[Schedule] = ()
    at_once: int | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    _away: dict[str, float] = field(default_factory=dict, init=False)  # cell → until when it is left alone
    _next_marks: dict[str, float] = field(default_factory=dict, init=False)  # cell → when its trail is looked at again
    _in_flight: dict[str, int] = field(default_factory=dict, init=False)  # cell → jobs on their way or running
    _known: dict[str, Known] = field(default_factory=dict, init=False)  # cell → whose jobs wait
    _full: bool = field(default=False, init=False)  # more waits than the window has room for

    def run(self) -> None:
        """Go round until stopped. A database that is away is waited for; nothing is lost meanwhile.

        Schedules have a thread of their own: making a batch of workspaces must not keep a job waiting.
        """
        beside = threading.Thread(target=self._keep_schedules, name="schedules", daemon=True)
        beside.start()
        while not self.stopped.is_set():
            self._full = False
            if not sum(self._turn_or_wait(cell) for cell in self.databases.cells):
                self.doorbell.wait(_FULL if self._full else POLL)
        beside.join(_LAST_SCHEDULE)

    def stop(self) -> None:
        """End after the current turn."""
        self.stopped.set()
        self.doorbell.ring()

    def _turn_or_wait(self, cell: str) -> int:
        """One round, unless the cell was away a moment ago: the others do not wait for it."""
        if time.monotonic() < self._away.get(cell, 0.0):
            return 0
        try:
            return self.turn(cell)
        except DatabaseAway as error:
            log.warning("dispatcher.database_away", cell=cell, reason=str(error))
            self._away[cell] = time.monotonic() + _AWAY_FOR
            return 0

    def turn(self, cell: str) -> int:
        """One round over one cell. Returns how much was moved. The window is one for all cells together."""
        marks = time.monotonic() >= self._next_marks.get(cell, 0.0)
        if marks:
            self._next_marks[cell] = time.monotonic() + POLL
        found = look_at(self.databases, cell, marks=marks)
        self._in_flight[cell] = found.in_flight
        moved = fire_timers(self.databases, cell) if found.timers else 0
        moved += relay_outbox(self.databases, cell, self.subscriptions) if found.events else 0
        moved += recover_leases(self.databases, cell) if found.lost else 0
        moved += arm_sequencers(self.databases, cell) if found.marks else 0
        if not (moved or found.ready):
            return 0
        known, window = self._known.setdefault(cell, Known(self.at_once)), self._share(cell)
        if found.in_flight >= window:
            self._full = True
            return moved
        jobs = take_ready(self.databases, cell, window=window, known=known)
        self._in_flight[cell] += len(jobs)
        send(self.broker, cell, jobs)
        return moved + len(jobs)

    def _share(self, cell: str) -> int:
        """What of the window is left for this cell; never less than its even share, or a busy cell starved another."""
        if len(self.databases.cells) == 1:
            return self.window
        elsewhere = sum(count for name, count in self._in_flight.items() if name != cell)
        return max(self.window - elsewhere, self.window // len(self.databases.cells))

    def _keep_schedules(self) -> None:
        while not self.stopped.is_set():
            self._scheduled()
            self.stopped.wait(POLL)

    def _scheduled(self) -> None:
        for schedule in self.schedules:
            if time.monotonic() < schedule.due:
                continue
            schedule.due = time.monotonic() + schedule.every
            try:
                if schedule.run() is True:
                    schedule.due = 0.0
            except DatabaseAway as error:
                log.warning("schedule.database_away", schedule=schedule.name, reason=str(error))
            except Exception:  # one schedule that fails must not stop the others, nor the dispatcher
                log.exception("schedule.failed", schedule=schedule.name)
