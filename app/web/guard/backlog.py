"""Backpressure at the door: while jobs wait too long, nothing new is begun; what people decide and read goes on.

Refusing early keeps what was accepted on time: a queue that grows for hours helps nobody. A route says that it begins
work with `opt=BEGINS_WORK`; the guard asks before anything is written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from app.kernel.errors import Unavailable
from app.kernel.queue.fair.ages import Waits, read_waits
from app.web.translations import mark
from tenants.engines import Databases
from tenants.sessions import DatabaseAway

_FRESH: Final = 2.0  # seconds for which a look at a cell counts: one query in that while, however many ask
BEGINS_WORK: Final = {"begins_work": True}  # the `opt` of a route
_LONGEST: Final = 300  # seconds somebody is asked to wait


class QueueTooOld(Unavailable):
    """Work that was accepted waits too long already: nothing new is begun until it has moved on."""

    status = 429

    def __init__(self, oldest: float, limit: int) -> None:
        super().__init__(_TOO_OLD)
        self.retry_after = min(_LONGEST, max(5, round(oldest) - limit))  # type: ignore[misc]  # of this occurrence
        self.extensions = {"oldest_job_seconds": str(round(oldest)), "limit_seconds": str(limit)}


@dataclass
class Backlog:
    """Whose jobs wait in each cell and how long, as this process last saw it. `limit` in seconds; 0: none.

    A tenant whose own work waits for longer begins none; where many wait, nobody does. One that has piled up work for
    hours keeps no door closed but its own: the others' work, and a newcomer's, is handed out beside it all the same.
    """

    databases: Databases
    limit: int
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[float, Waits]] = field(default_factory=dict, init=False)  # cell → (when, what)
    _looking: threading.Lock = field(default_factory=threading.Lock, init=False)

    def require_room(self, cells: Iterable[str], tenant_id: UUID | None = None) -> None:
        """Raises QueueTooOld where no cell of these has a queue that is young enough for this tenant, or a new one."""
        if self.limit:
            youngest = min((self._look(cell).met_by(tenant_id) for cell in cells), default=0.0)
            if youngest > self.limit:
                raise QueueTooOld(youngest, self.limit)

    def _look(self, cell: str) -> Waits:
        """Who finds the look too old looks anew; the others meanwhile go by the old one."""
        at, waits = self._seen.get(cell, (-_FRESH, Waits({})))
        if self.clock() - at < _FRESH or not self._looking.acquire(blocking=False):
            return waits
        try:
            waits = read_waits(self.databases, cell)
        except DatabaseAway:
            waits = Waits({})  # the request meets it itself, and says so
        finally:
            self._seen[cell] = (self.clock(), waits)
            self._looking.release()
        return waits


_TOO_OLD = mark("There is more to do than is being done at the moment. Nothing was begun; send this again later.")
