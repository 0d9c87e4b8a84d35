"""How a run ends: by its attempt, without one, given up, or stopped. Whoever asked for it hears of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import structlog
from sqlalchemy import select

from app.connectors.events import RunEnded
from app.connectors.kit.contract import CallReport
from app.connectors.models import Run
from app.connectors.tokens.operations import WAITING
from app.kernel.work import Work
from tenants.sessions import DatabaseAway

Asker = Callable[[Work, RunEnded], None]
Holder = Callable[[Work, UUID], None]

log = structlog.get_logger(__name__)
_askers: list[Asker] = []
_holders: list[Holder] = []

SYSTEM_ONLY = {
    "run_name": "says how a run is called",
    "lock_run": "part of what the run's job does",
    "hears_of_runs": "how a capability registers, when its code is read",
    "held_before_runs": "how a capability registers, when its code is read",
    "pause_run": "called by the run's job",
    "end_attempt": "called by the run's job",
    "end_unattempted": "called by the run's job",
    "end_abandoned": "called when the run's job is given up",
    "end_begun": "called by the run's job",
    "end_run": "part of what ends a run",
}
OPEN: Final = frozenset({"requested", "running", WAITING})
CANCELLED: Final = "cancelled"  # it was stopped before it did anything
STOPPING: Final = "stopping"  # a call is under way; after it no other is made, whatever it gives
_STOPPED: Final = "stopped"  # the runner's word for a call that was not made any more
_NO_MORE: Final = "What it was for is over; nothing more is sent."


class AnswerRefused(Exception):
    """Whoever asked for the run could not take its answer in the transaction that ends it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the calling part of the job needs: no row, no session."""

    run_id: UUID
    onboarding_id: UUID
    connector: str
    action: str
    config: dict[str, Any]
    connection_id: UUID
    input: dict[str, Any]
    idempotency_key: str
    number: int
    earlier_unknown: bool
    unknown_for: timedelta


def run_name(onboarding_id: UUID, item_key: str, number: int) -> UUID:
    """The id of an item's run: asked for twice, it is one."""
    return uuid5(onboarding_id, f"run:{item_key}:{number}")


def hears_of_runs(asker: Asker) -> Asker:
    """Register who asks for runs: told of an end in the transaction that ends it, all others after it (ADR 0013).

    Where it raises, nothing of its try is left: the run ends alone, and the event brings the answer after the commit.
    """
    _askers.append(asker)
    return asker


def held_before_runs(holder: Holder) -> Holder:
    """Register what locks an onboarding: before its runs, by whoever ends them and by whoever stops them.

    In two orders they would wait for each other.
    """
    _holders.append(holder)
    return holder


def lock_run(work: Work, run_id: UUID) -> Run:
    """The run as it is now, locked."""
    return work.session.get_one(Run, run_id, with_for_update=True)


def pause_run(work: Work, attempt: Attempt, report: CallReport) -> None:
    """The attempt did not end the run; another will follow. One that was put off was not made: nothing was sent.

    One that is being stopped ends here instead.
    """
    run = lock_run(work, attempt.run_id)
    if report.put_off:
        run.attempts = [made for made in run.attempts if made["number"] != attempt.number]
    else:
        _note(run, work, attempt, report)
    if run.state == STOPPING:
        end_run(work, run, outcome=outcome_of_stopped(run), reason=_NO_MORE, later=True)


def end_attempt(
    work: Work,
    attempt: Attempt,
    report: CallReport,
    *,
    outcome: str,
    result: dict[str, Any] | None = None,
    reason: str | None = None,
    alone: bool = False,
) -> None:
    """The run is over: `succeeded`, `failed` or `unknown`. Terminal is terminal: a second ending changes nothing.

    One that was being stopped keeps what its call came to; where none was made any more it is `cancelled`. Raises
    AnswerRefused where an asker cannot take the answer, unless it is to end `alone`, whatever they say.
    """
    _hold(work, attempt.onboarding_id)
    run = lock_run(work, attempt.run_id)
    if run.state in OPEN:
        _note(run, work, attempt, report)
        end_run(work, run, outcome=outcome, result=result, reason=reason, alone=alone)
    elif run.state == STOPPING:
        _note(run, work, attempt, report)
        kept = outcome_of_stopped(run) if report.code == _STOPPED else outcome
        end_run(work, run, outcome=kept, result=result, reason=reason, later=True)


def end_unattempted(work: Work, run_id: UUID, *, reason: str) -> None:
    """The run cannot even be tried: it has failed, without an effect."""
    run = _held(work, run_id)
    if run.state in OPEN:
        end_run(work, run, outcome="failed", reason=reason, alone=True)


def end_abandoned(work: Work, run_id: UUID, *, reason: str) -> None:
    """Its job was given up (a key that is gone, workers that died each time): the run ends for a person.

    Where an attempt was begun and nobody knows how it went, the outcome is unknown; else it has failed.
    """
    run = _held(work, run_id)
    if run.state in OPEN or run.state == STOPPING:
        end_run(work, run, outcome="failed" if is_sure(run) else "unknown", reason=reason, alone=True)


def end_begun(work: Work, run: Run, *, reason: str) -> None:
    """As `end_abandoned`, by whoever has the run locked: its asker is told after the commit."""
    end_run(work, run, outcome="failed" if is_sure(run) else "unknown", reason=reason, later=True)


def is_sure(run: Run) -> bool:
    """Whether it is known of each attempt what came of it."""
    return all(attempt.get("certain") for attempt in run.attempts)


def outcome_of_stopped(run: Run) -> str:
    """Of a run that stops between two calls: nothing was done, or nobody knows."""
    return CANCELLED if is_sure(run) else "unknown"


def end_run(  # all that an end says
    work: Work,
    run: Run,
    *,
    outcome: str,
    result: dict[str, Any] | None = None,
    reason: str | None,
    alone: bool = False,
    later: bool = False,
) -> None:
    """End a locked run, with its entry in the trail. `later`: its asker is told by the event only, after the commit.

    Raises AnswerRefused as `end_attempt` does.
    """
    run.state, run.result, run.finished_at = outcome, result or {}, work.now
    ended = RunEnded(
        subject_id=run.id,
        onboarding_id=run.onboarding_id,
        item_key=run.item_key,
        number=run.number,
        connector=run.connector,
        action=run.action,
        outcome=outcome,
        result=result or {},
        attempts=len(run.attempts),
        reason=reason,
    )
    entry_id = work.record(ended)
    answered = not later and (_answer_if_it_can_be(work, ended) if alone else _answer(work, ended))
    if not answered:
        work.pass_on(entry_id, ended)


def _hold(work: Work, onboarding_id: UUID) -> None:
    for hold in _holders:
        hold(work, onboarding_id)


def _held(work: Work, run_id: UUID) -> Run:
    """The locked run of a locked onboarding."""
    of = work.session.scalars(select(Run.onboarding_id).where(Run.id == run_id)).one_or_none()
    if of is not None:
        _hold(work, of)
    return lock_run(work, run_id)


def _answer(work: Work, ended: RunEnded) -> bool:
    """Tell who asked. Raises AnswerRefused: then nothing of this transaction may stay."""
    try:
        for asker in _askers:
            asker(work, ended)
        work.settle()  # what the database refuses of it is refused here, not at the end of the run
    except DatabaseAway:
        raise
    except Exception as error:  # whatever it is: the run's own end, which has happened outside, must not be lost
        raise AnswerRefused(f"{type(error).__name__}: {error}") from error
    return bool(_askers)


def _answer_if_it_can_be(work: Work, ended: RunEnded) -> bool:
    """False where nobody took it: the job that the event leads to has the retries and the people."""
    try:
        with work.attempt():
            return _answer(work, ended)
    except AnswerRefused as error:
        log.warning("run.answer_later", run_id=str(ended.subject_id), reason=str(error))
        return False


def _note(run: Run, work: Work, attempt: Attempt, report: CallReport) -> None:
    """Store how the attempt went; one without this note is an attempt whose worker died."""
    ended = {
        "ended_at": work.now.isoformat(),
        "outcome": type(report.outcome).__name__,
        "code": report.code,
        "certain": report.certain,
        "status": report.status,
        "excerpt": report.excerpt,
    }
    run.attempts = [a | ended if a["number"] == attempt.number else a for a in run.attempts]
