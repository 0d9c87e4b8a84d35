"""The queue door of runs: claim, call, record. The call holds no session; the record also completes the job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.connectors.drift.holding import is_held
from app.connectors.kit.contract import ActionCall, CallReport
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import ConnectionConfig
from app.connectors.operations import Begun, ConnectionMissing, begin_attempt, is_open, wait_for_connection
from app.connectors.runs.ending import (
    AnswerRefused,
    Attempt,
    end_abandoned,
    end_attempt,
    end_unattempted,
    pause_run,
)
from app.connectors.tokens.renewing import RECONNECT, Using, sign_in
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, LeaseLost, job
from app.kernel.work import Work
from app.vault.operations import SealedSecrets

_ENDLESS = 2_000  # attempts are counted where they are made: a run that only waits for its turn has made none


def let_go(work: Work, args: dict[str, Any], reason: str) -> None:
    """The run's job came to no end of its own: the run ends, so that a person hears of it."""
    end_abandoned(work, UUID(args["run_id"]), reason=reason)


def begin(work: Work, args: dict[str, Any]) -> Begun | None:
    """What a run's job does first: the attempt is written down, the sealed secrets are taken; or a write waits."""
    run_id = UUID(args["run_id"])
    return None if is_held(work, run_id) else begin_attempt(work, run_id)


@job("connectors.execute_run", attempts=_ENDLESS, lease=timedelta(seconds=30), given_up=let_go, first=begin)
def execute_run(run: JobRun, *, run_id: str) -> Outcome:
    """Make one attempt of a run."""
    try:
        begun: Begun | None = run.first()
    except ConnectionMissing as error:
        with run.finish() as work:
            end_unattempted(work, UUID(run_id), reason=str(error))
        return Done()
    if begun is None:
        return Done()
    report = call(run, begun.attempt, begun.sealed)
    return record(run, begun.attempt, report)


def call(run: JobRun, attempt: Attempt, sealed: SealedSecrets) -> CallReport:
    """Leave the building, with the secrets opened only here."""
    using = Using(attempt.connection_id, attempt.connector, attempt.config, attempt.run_id)
    signed = sign_in(run, using, sealed)
    if isinstance(signed, CallReport):
        return signed
    return run.runtime.service(Runner).call(
        ActionCall(
            provider=attempt.connector,
            action=attempt.action,
            input=attempt.input,
            idempotency_key=attempt.idempotency_key,
            secrets=signed.secrets,
            auth=signed.auth,
            renew=signed.renew,
            attempt=attempt.number,
            earlier_unknown=attempt.earlier_unknown,
            unknown_for=attempt.unknown_for,
            sandbox=run.tenant.kind == "sandbox",
            connection=str(attempt.connection_id),
            about=str(attempt.onboarding_id),
            config=ConnectionConfig.read(attempt.config),
            stopped=lambda: stopped(run, attempt.run_id),
        )
    )


def stopped(run: JobRun, run_id: UUID) -> bool:
    """Whether a run has ended, or its job has gone to another worker, while this one was calling."""
    try:
        with run.work() as work:
            return not is_open(work, run_id)
    except LeaseLost:
        return True


def record(run: JobRun, attempt: Attempt, report: CallReport) -> Outcome:
    """Write down how the attempt went, in the transaction that also completes the job.

    Nearly always whoever asked for the run takes its answer in it. A savepoint for the other time would be paid each
    time; so where one refuses, all of it is done anew, and the run ends alone.
    """
    try:
        _record(run, attempt, report, alone=False)
    except AnswerRefused:
        _record(run, attempt, report, alone=True)
    return Done()


def _record(run: JobRun, attempt: Attempt, report: CallReport, *, alone: bool) -> None:
    if report.code == RECONNECT:
        with run.finish() as work:
            pause_run(work, attempt, report)
            wait_for_connection(work, attempt.run_id)
        return
    match report.outcome:
        case TryAgain(reason=reason) as again if not run.last_attempt:
            with run.finish(again) as work:
                pause_run(work, attempt, report)
        case Done(result=result):
            with run.finish() as work:
                end_attempt(work, attempt, report, outcome="succeeded", result=result or {}, alone=alone)
        case TryAgain(reason=reason) | GiveUp(reason=reason) | NeedsPerson(reason=reason):
            outcome = "failed" if report.certain else "unknown"
            with run.finish() as work:
                end_attempt(work, attempt, report, outcome=outcome, reason=reason, alone=alone)
