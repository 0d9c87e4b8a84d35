"""Writes that wait because of a drift, and how they go on: neither lost nor failed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from prometheus_client import Counter
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit.operations.documents import drop_document, keep_document
from app.audit.queries.documents import find_document
from app.connectors.drift.events import RunHeld
from app.connectors.drift.records import DRIFT, HOLD, Hold, list_drifts, list_holds
from app.connectors.drift.rules import carries
from app.connectors.kit.registry import ConnectorNotFound
from app.connectors.kit.runner import Runner
from app.connectors.models import Run
from app.connectors.runs.ending import end_unattempted
from app.connectors.tokens.operations import WAITING
from app.kernel.work import Cap, Work

HELD = Counter("slipway_drift_held", "Writes that wait for a drift to be settled.", ["connector"])
SYSTEM_ONLY = {
    "is_held": "called by the run's job",
    "hold_writes": "called by the job that has found a drift",
    "release": "part of an operation that has checked its own permission, or of the job that saw two agree again",
    "end_held": "called by the job that a settlement asked for",
    "count_waiting": "a read, for an operation that has checked its own permission",
    "forget_old": "called by the job that compares",
    "forget_connection": "part of an operation that has checked its own permission",
}
_KEPT: Final = timedelta(days=90)
_AT_ONCE: Final = 8  # as any run of a connection


def is_held(work: Work, run_id: UUID) -> bool:
    """Whether a run is a write that has to wait; then it is left waiting, and whoever settles the drift goes on.

    The hold is locked when it is looked at again: it cannot be dropped between this look and the run's being left.
    """
    holds = list_holds(work.session)
    if not holds:
        return False
    work.session.flush()  # one that was asked for in this very transaction
    run = work.session.get_one(Run, run_id, with_for_update=True)
    if run.finished_at is not None or not _writes(work, run):
        return False
    for hold in holds:
        if _stops(hold, run) and find_document(work.session, HOLD, str(hold.drift_id), lock=True) is not None:
            _leave(work, run, hold)
            return True
    return False


def hold_writes(work: Work, hold: Hold) -> None:
    """Let what is written to the record wait from now on. Repeatable."""
    keep_document(work, HOLD, str(hold.drift_id), hold.body())


def release(work: Work, drift_id: UUID, *, changed: Sequence[str] = (), given_up: str = "") -> int:
    """Let go what waited for a drift. Returns how many writes did. Repeatable.

    `given_up`: they are not made, for this reason. `changed`: those that carry one of these fields are not made as they
    are, since the field is something else now; a person tries them again with what holds. All others go on.
    """
    found = find_document(work.session, HOLD, str(drift_id), lock=True)
    if found is None or not found.version:
        return 0
    hold = Hold.read(found.body)
    drop_document(work, HOLD, str(drift_id))
    waiting = [run for run in work.session.scalars(select(Run).where(Run.state == WAITING)) if _stops(hold, run)]
    for run in waiting:
        ended = given_up or (_moved(changed) if carries(run.input, changed) else "")
        if ended:
            work.enqueue("connectors.end_held_run", args={"run_id": run.id, "reason": ended})
        else:
            cap = Cap(f"connection:{run.connection_id}", _AT_ONCE) if run.connection_id else None
            work.enqueue("connectors.execute_run", args={"run_id": run.id}, cap=cap)
    return len(waiting)


def end_held(work: Work, run_id: UUID, *, reason: str) -> None:
    """A write that waited is not made: it ends for a person, without an effect. One that goes on already does so."""
    run = work.session.get_one(Run, run_id, with_for_update=True)
    if run.state == WAITING:
        end_unattempted(work, run_id, reason=reason)


def count_waiting(session: Session, holds: Sequence[Hold]) -> dict[UUID, int]:
    """How many writes wait for each hold."""
    if not holds:
        return {}
    waiting = list(session.scalars(select(Run).where(Run.state == WAITING)))
    return {hold.drift_id: sum(_stops(hold, run) for run in waiting) for hold in holds}


def forget_old(work: Work) -> None:
    """What has been corrected a good while ago is known no more; what somebody decided stays."""
    for drift in list_drifts(work.session):
        if drift.state == "corrected" and datetime.fromisoformat(drift.seen_at) < work.now - _KEPT:
            drop_document(work, DRIFT, str(drift.id))


def forget_connection(work: Work, connection_id: UUID) -> None:
    """A connection is removed: nothing is compared by it any more, and nothing waits for what it said."""
    for drift in list_drifts(work.session):
        if drift.place.connection_id == connection_id:
            release(work, drift.id)
            drop_document(work, DRIFT, str(drift.id))


def _leave(work: Work, run: Run, hold: Hold) -> None:
    if run.state == WAITING:
        return
    run.state = WAITING
    told: dict[str, Any] = {"item_key": run.item_key, "connector": run.connector, "action": run.action}
    work.announce(RunHeld(subject_id=run.id, onboarding_id=run.onboarding_id, drift=str(hold.drift_id), **told))
    HELD.labels(run.connector).inc()


def _stops(hold: Hold, run: Run) -> bool:
    place: dict[str, Any] = {"connection_id": run.connection_id, "connector": run.connector}
    return hold.stops(**place, onboarding_id=run.onboarding_id, given=run.input)


def _writes(work: Work, run: Run) -> bool:
    try:
        _connector, action = work.service(Runner).registry.get_action(run.connector, run.action)
    except ConnectorNotFound:
        return False  # its own job says so
    return action.effect != "read"


def _moved(fields: Sequence[str]) -> str:
    return f"While this waited, {', '.join(fields)} became something else. Look at it, then try it again."
