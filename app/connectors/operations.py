"""Runs of connector actions: requested in the business transaction, attempted by a job, recorded with every attempt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import structlog
from sqlalchemy import bindparam, select, text

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.events import ConnectionAdded, RunEnded
from app.connectors.kit.contract import CallReport
from app.connectors.kit.limits.release import NEW
from app.connectors.models import Connection, Run
from app.connectors.tokens.operations import ACTIVE, RECONNECT, WAITING, resume_runs
from app.kernel.errors import Missing
from app.kernel.ids import new_id
from app.kernel.work import Cap, Work
from app.vault.operations import (
    SealedSecrets,
    keep_connection_secret,
    put_connection_secret,
    take_connection_secrets,
)
from app.vault.secret import Secret
from tenants.sessions import DatabaseAway

Asker = Callable[[Work, RunEnded], None]

log = structlog.get_logger(__name__)
_askers: list[Asker] = []

_AT_ONCE = 8  # calls over one connection: a slow system must not hold all threads
SYSTEM_ONLY = {
    "get_connection": "asked by the job that is about to call it",
    "keep_credentials": "part of an operation that has checked its own permission",
    "hears_of_runs": "how a capability registers, when its code is read",
    "request_run": "part of an operation that has checked its own permission",
    "begin_attempt": "called by the run's job",
    "is_open": "asked by the run's job between two requests",
    "end_attempt": "called by the run's job",
    "end_unattempted": "called by the run's job",
    "end_abandoned": "called when the run's job is given up",
    "pause_run": "called by the run's job",
    "wait_for_connection": "called by the run's job",
}
USABLE = (ACTIVE, RECONNECT)
OPEN = frozenset({"requested", "running", WAITING})
MOST_DEAD = 8  # attempts of one run that ended with their worker


class ConnectionMissing(Missing):
    """No working connection of that connector is set up in this workspace."""


class AnswerRefused(Exception):
    """Whoever asked for the run could not take its answer in the transaction that ends it."""


@dataclass(frozen=True, slots=True)
class RunRequest:
    """An action wanted by an item of an onboarding. `number` counts the item's requests."""

    onboarding_id: UUID
    item_key: str
    connector: str
    action: str
    input: dict[str, Any]
    number: int


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


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that is written down, and the sealed secrets for its call."""

    attempt: Attempt
    sealed: SealedSecrets


@dataclass(frozen=True, slots=True)
class ConnectionSetting:
    """A connection to be set up; its secrets leave this value only sealed."""

    connector: str
    name: str
    config: dict[str, Any]
    secrets: dict[str, Secret]
    state: str = ACTIVE  # pending where a person has to be asked at the peer first


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A configured connection, without its secrets."""

    id: UUID
    connector: str
    config: dict[str, Any]


def request_run(work: Work, request: RunRequest) -> UUID:
    """Store the run and ask for it after the commit. Its id and key follow from (onboarding, item, number)."""
    run_id = uuid5(request.onboarding_id, f"run:{request.item_key}:{request.number}")
    connection = _connection(work, request.connector)
    run = Run(
        id=run_id,
        onboarding_id=request.onboarding_id,
        item_key=request.item_key,
        number=request.number,
        connection_id=connection.id if connection else None,
        connector=request.connector,
        action=request.action,
        input=request.input,
        idempotency_key=str(run_id),
        state="requested",
        attempts=[],
        requested_at=work.now,
    )
    work.session.add(run)
    work.session.info.setdefault(Run, {})[run_id] = run, connection  # its first attempt may begin in this transaction
    cap = Cap(f"connection:{connection.id}", _AT_ONCE) if connection else None
    work.enqueue("connectors.execute_run", args={"run_id": run_id}, dedupe_key=f"run:{run_id}", cap=cap)
    return run_id


def begin_attempt(work: Work, run_id: UUID) -> Begun | None:
    """Write the attempt down before the call leaves: a killed worker leaves a trace of it. None when the run is over.

    Raises ConnectionMissing when there is nothing to call, KeysMissing; then nothing was written.
    """
    run, connection = work.session.info.get(Run, {}).get(run_id) or _read(work, run_id)
    if run.state not in OPEN:
        return None
    if connection is None:
        raise ConnectionMissing(f"No connection to {run.connector} is set up. Add one, then retry the run.")
    if sum("ended_at" not in earlier for earlier in run.attempts) >= MOST_DEAD:
        end_abandoned(work, run.id, reason=f"{MOST_DEAD} workers died while they made this call.")
        return None
    if connection.state == RECONNECT:
        run.connection_id = connection.id
        wait_for_connection(work, run.id)
        return None
    sealed = take_connection_secrets(work, connection_id=connection.id, run_id=run.id)
    run.connection_id, run.state = connection.id, "running"
    number = len(run.attempts) + 1
    unknown = [earlier["began_at"] for earlier in run.attempts if not earlier.get("certain")]
    made = {"number": number, "began_at": work.now.isoformat(), "config": connection.config.get("version", 0)}
    run.attempts = [*run.attempts, made]
    return Begun(_attempt(work, run, connection, unknown), sealed)


def _attempt(work: Work, run: Run, connection: Connection, unknown: list[str]) -> Attempt:
    """The attempt that was just written down; `unknown` is when those began of which nobody knows the end."""
    return Attempt(
        run_id=run.id,
        onboarding_id=run.onboarding_id,
        connector=run.connector,
        action=run.action,
        config=connection.config,
        connection_id=connection.id,
        input=run.input,
        idempotency_key=run.idempotency_key,
        number=len(run.attempts),
        earlier_unknown=bool(unknown),
        unknown_for=work.now - datetime.fromisoformat(min(unknown)) if unknown else timedelta(),
    )


def _read(work: Work, run_id: UUID) -> tuple[Run, Connection | None]:
    """The locked run, and the connection that it goes by: the one it had, or else the tenant's working one."""
    run = _locked(work, run_id)
    connection = work.session.get(Connection, run.connection_id) if run.connection_id else None
    usable = connection is not None and connection.state in USABLE
    return run, connection if usable else _connection(work, run.connector)


def _locked(work: Work, run_id: UUID) -> Run:
    return work.session.get_one(Run, run_id, with_for_update=True)


def pause_run(work: Work, attempt: Attempt, report: CallReport) -> None:
    """The attempt did not end the run; another will follow. One that was put off was not made: nothing was sent."""
    run = _locked(work, attempt.run_id)
    if report.put_off:
        run.attempts = [made for made in run.attempts if made["number"] != attempt.number]
    else:
        _note(run, work, attempt, report)


def is_open(work: Work, run_id: UUID) -> bool:
    """Whether the run has not ended yet."""
    return work.session.scalars(select(Run.state).where(Run.id == run_id)).one_or_none() in OPEN


def wait_for_connection(work: Work, run_id: UUID) -> None:
    """The run waits until somebody connects its connection anew; where somebody just has, it goes on at once."""
    work.session.flush()  # one that was asked for in this very transaction
    run = _locked(work, run_id)
    if run.state not in OPEN:
        return
    found = work.session.get(Connection, run.connection_id, with_for_update={"read": True}, populate_existing=True)
    run.state = WAITING if found is not None and found.state == RECONNECT else "requested"
    if run.state == "requested":
        work.enqueue("connectors.execute_run", args={"run_id": run_id})


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

    Raises AnswerRefused where an asker cannot take the answer, unless it is to end `alone`, whatever they say.
    """
    run = _locked(work, attempt.run_id)
    if run.state in OPEN:
        _note(run, work, attempt, report)
        _end(work, run, outcome=outcome, result=result or {}, reason=reason, alone=alone)


def end_unattempted(work: Work, run_id: UUID, *, reason: str) -> None:
    """The run cannot even be tried: it has failed, without an effect."""
    run = _locked(work, run_id)
    if run.state in OPEN:
        _end(work, run, outcome="failed", result={}, reason=reason, alone=True)


def end_abandoned(work: Work, run_id: UUID, *, reason: str) -> None:
    """Its job was given up (a key that is gone, workers that died each time): the run ends for a person.

    Where an attempt was begun and nobody knows how it went, the outcome is unknown; else it has failed.
    """
    run = _locked(work, run_id)
    if run.state in OPEN:
        sure = all(attempt.get("certain") for attempt in run.attempts)
        _end(work, run, outcome="failed" if sure else "unknown", result={}, reason=reason, alone=True)


def _end(work: Work, run: Run, *, outcome: str, result: dict[str, Any], reason: str | None, alone: bool) -> None:
    run.state, run.result, run.finished_at = outcome, result, work.now
    ended = RunEnded(
        subject_id=run.id,
        onboarding_id=run.onboarding_id,
        item_key=run.item_key,
        number=run.number,
        connector=run.connector,
        action=run.action,
        outcome=outcome,
        result=result,
        attempts=len(run.attempts),
        reason=reason,
    )
    entry_id = work.record(ended)
    answered = _answer_if_it_can_be(work, ended) if alone else _answer(work, ended)
    if not answered:
        work.pass_on(entry_id, ended)


def hears_of_runs(asker: Asker) -> Asker:
    """Register who asks for runs: told of an end in the transaction that ends it, all others after it (ADR 0013).

    Where it raises, nothing of its try is left: the run ends alone, and the event brings the answer after the commit.
    """
    _askers.append(asker)
    return asker


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


def add_connection(work: Work, setting: ConnectionSetting) -> UUID:
    """Set up a connection and seal its secrets. Returns its id. Raises NotPermitted, ConnectorNotFound."""
    require(work, Permission.CONNECTION_WRITE)
    connection = _added(work, setting)
    for field, value in setting.secrets.items():
        put_connection_secret(work, connection_id=connection.id, field=field, value=value)
    return connection.id


def _added(work: Work, setting: ConnectionSetting) -> Connection:
    config = setting.config | {"release": dict(NEW)}
    named: dict[str, Any] = {"connector": setting.connector, "name": setting.name}
    made = Connection(id=new_id(), config=config, state=setting.state, changed_at=work.now, **named)
    work.session.add(made)
    work.announce(ConnectionAdded(subject_id=made.id, **named))
    return made


def keep_credentials(work: Work, *, connector: str, name: str, values: Mapping[str, Secret]) -> UUID:
    """Seal what somebody handed over to the tenant's connection of that connector. Returns its id. Raises KeysMissing.

    Where there is none it is made, under that name; two who hand over at once make one.
    """
    place = f"connection:{work.tenant.id}:{connector}"
    work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))"), {"place": place})
    connection = _connection(work, connector)
    if connection is None:
        connection = _added(work, ConnectionSetting(connector, name, {}, {}))
    for field, value in values.items():
        keep_connection_secret(work, connection_id=connection.id, field=field, value=value)
    if connection.state == RECONNECT:
        connection.state, connection.changed_at = ACTIVE, work.now
        resume_runs(work, connection.id)
    work.session.flush()  # an action that begins with this very step finds it
    return connection.id


def list_connections(work: Work) -> list[dict[str, Any]]:
    """What is connected here, without any secret. Raises NotPermitted."""
    require(work, Permission.CONNECTION_READ)
    there = select(Connection).where(Connection.state != "removed").order_by(Connection.name)
    return [
        {"id": str(row.id), "connector": row.connector, "name": row.name, "state": row.state}
        | {"changed_at": row.changed_at}
        for row in work.session.scalars(there)
    ]


def get_connection(work: Work, connector: str) -> ConnectionView:
    """The tenant's working connection of that connector. Raises ConnectionMissing."""
    connection = _connection(work, connector)
    if connection is None:
        raise ConnectionMissing(f"No connection to {connector} is set up. Add one, then try again.")
    return ConnectionView(connection.id, connection.connector, connection.config)


def _connection(work: Work, connector: str) -> Connection | None:
    return work.session.scalars(_WORKING, {"wanted": connector}).one_or_none()


_WORKING = (  # built once: building it takes longer than asking it
    select(Connection)
    .where(Connection.connector == bindparam("wanted"), Connection.state.in_(USABLE))
    .order_by(Connection.state, Connection.changed_at)  # an active one before one that waits for a person
    .limit(1)
)
