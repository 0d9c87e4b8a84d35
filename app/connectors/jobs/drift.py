"""The queue doors of drifts: name the records, look at each, end what is not written after all."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.connectors.drift import written  # noqa: F401 - it registers its kind of records
from app.connectors.drift.holding import end_held
from app.connectors.drift.looking import look_at, name_records
from app.connectors.drift.records import Place
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job


@job("connectors.look_for_drift")
def look_for_drift(run: JobRun, *, root: str = "", source: str = "", after: str = "") -> Outcome:
    """Ask for a look at every record that another system holds as well, a page at a time."""
    return name_records(run, root=root or str(run.job.id), source=source, after=after)


@job("connectors.look_at_record", attempts=6, lease=timedelta(seconds=30))
def look_at_record(run: JobRun, *, source: str, connection_id: str, connector: str, record: str) -> Outcome:
    """Compare one record."""
    return look_at(run, Place(source, UUID(connection_id), connector, record))


@job("connectors.end_held_run")
def end_held_run(run: JobRun, *, run_id: str, reason: str) -> Outcome:
    """A write that waited is given up."""
    with run.finish() as work:
        end_held(work, UUID(run_id), reason=reason)
    return Done()
