"""Renews the leases of the jobs that this process runs: one side thread a cell, however many jobs there are.

A long call keeps its job, a dead process loses it. A thread for each job would cost more than many a job does.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy import text

from app.kernel.queue.fair.usage import METER
from app.kernel.queue.jobs import FIRST_LEASE, ClaimedJob, job_kind
from tenants.engines import Databases
from tenants.sessions import DatabaseAway, dispatcher_session

log = structlog.get_logger(__name__)
# Who is about to complete a job has its row: nobody else's beat waits for that.
_RENEW = text("""
    UPDATE cell.job j SET lease_until = now() + make_interval(secs => :lease)
    FROM (SELECT tenant_id, id FROM cell.job WHERE tenant_id = :tenant AND id = :id AND epoch = :epoch
          AND state = 'running' FOR UPDATE SKIP LOCKED) held
    WHERE j.tenant_id = held.tenant_id AND j.id = held.id
""")
_LOOK = 0.2  # seconds between two looks at what is due
_IDLE = 30.0  # after so long without a job the thread ends; the next job starts another


@dataclass(slots=True)
class _Beat:
    claimed: ClaimedJob
    lease: float
    due: float

    @property
    def pause(self) -> float:
        return min(self.lease, FIRST_LEASE) / 3  # the claim, which knows no kind yet, gave the first lease


class _Heart:
    """The beats of one cell. `beats` is changed by the threads that run jobs, and read by the heart's own."""

    def __init__(self, databases: Databases, cell: str) -> None:
        self.databases, self.cell = databases, cell
        self.beats: dict[UUID, _Beat] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, claimed: ClaimedJob) -> None:
        """Beat for this job from now on."""
        kind = job_kind(claimed.kind)
        beat = _Beat(claimed, kind.lease.total_seconds() if kind else FIRST_LEASE, due=0)
        beat.due = time.monotonic() + beat.pause
        with self._lock:
            self.beats[claimed.id] = beat
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=f"heartbeat-{self.cell}", daemon=True)
                self._thread.start()

    def remove(self, claimed: ClaimedJob) -> None:
        """The job has ended, one way or another."""
        with self._lock:
            self.beats.pop(claimed.id, None)

    def _run(self) -> None:
        idle_since = time.monotonic()
        while True:
            time.sleep(_LOOK)
            with self._lock:
                now = time.monotonic()
                if self.beats:
                    idle_since = now
                elif now - idle_since > _IDLE:
                    self._thread = None
                    return
                due = [beat for beat in self.beats.values() if beat.due <= now]
            if due:
                self._renew(due)
            self._tell()

    def _tell(self) -> None:
        try:
            METER.tell(self.databases, self.cell)
        except DatabaseAway:
            log.warning("job.usage_not_told")
        except Exception:  # as below
            log.exception("job.usage_surprised")

    def _renew(self, due: list[_Beat]) -> None:
        for beat in due:
            beat.due = time.monotonic() + beat.pause
        try:
            with dispatcher_session(self.databases, self.cell, actor="heartbeat") as (session, _now):
                for beat in due:
                    job = beat.claimed
                    values = {"tenant": job.tenant_id, "id": job.id, "epoch": job.epoch, "lease": beat.lease}
                    session.execute(_RENEW, values)
        except DatabaseAway:
            log.warning("job.heartbeat_missed", jobs=[str(beat.claimed.id) for beat in due])
        except Exception:  # every job of this process hangs on this thread: a surprise must not end it
            log.exception("job.heartbeat_surprised", jobs=[str(beat.claimed.id) for beat in due])


_hearts: dict[tuple[int, str], _Heart] = {}
_door = threading.Lock()


@contextmanager
def heartbeat(databases: Databases, cell: str, claimed: ClaimedJob) -> Iterator[None]:
    """Keep the lease of this job while the block runs."""
    heart = _heart_of(databases, cell)
    heart.add(claimed)
    try:
        yield
    finally:
        heart.remove(claimed)


def _heart_of(databases: Databases, cell: str) -> _Heart:
    heart = _hearts.get((id(databases), cell))
    if heart is not None and heart.databases is databases:
        return heart  # as nearly always: threads that begin jobs do not wait for each other here
    with _door:
        heart = _hearts.get((id(databases), cell))
        if heart is None or heart.databases is not databases:
            heart = _hearts[id(databases), cell] = _Heart(databases, cell)
        return heart


os.register_at_fork(after_in_child=_hearts.clear)  # threads do not survive a fork, and their locks may be held
