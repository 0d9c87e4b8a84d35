"""Runs of connector actions: requested in the business transaction, attempted by a job, recorded with every attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, select, text

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.events import ConnectionAdded
from app.connectors.kit.limits.release import NEW
from app.connectors.models import Connection, Run
from app.connectors.runs.ending import OPEN, STOPPING, Attempt, end_begun, lock_run, run_name
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

_AT_ONCE = 8  # calls over one connection: a slow system must not hold all threads
SYSTEM_ONLY = {
    "get_connection": "asked by the job that is about to call it",
    "keep_credentials": "part of an operation that has checked its own permission",
    "request_run": "part of an operation that has checked its own permission",
    "begin_attempt": "called by the run's job",
    "is_open": "asked by the run's job between two requests",
    "wait_for_connection": "called by the run's job",
}
USABLE = (ACTIVE, RECONNECT)
MOST_DEAD = 8  # attempts of one run that ended with their worker


class ConnectionMissing(Missing):
    """No working connection of that connector is set up in this workspace."""


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
    run_id = run_name(request.onboarding_id, request.item_key, request.number)
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
    if run.state == STOPPING:  # whoever made its call has died meanwhile
        end_begun(work, run, reason="It was stopped while a call was under way, and nobody knows how that ended.")
    if run.state not in OPEN:
        return None
    if connection is None:
        raise ConnectionMissing(f"No connection to {run.connector} is set up. Add one, then retry the run.")
    if sum("ended_at" not in earlier for earlier in run.attempts) >= MOST_DEAD:
        end_begun(work, run, reason=f"{MOST_DEAD} workers died while they made this call.")
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
    run = lock_run(work, run_id)
    connection = work.session.get(Connection, run.connection_id) if run.connection_id else None
    usable = connection is not None and connection.state in USABLE
    return run, connection if usable else _connection(work, run.connector)


def is_open(work: Work, run_id: UUID) -> bool:
    """Whether the run has not ended yet."""
    return work.session.scalars(select(Run.state).where(Run.id == run_id)).one_or_none() in OPEN


def wait_for_connection(work: Work, run_id: UUID) -> None:
    """The run waits until somebody connects its connection anew; where somebody just has, it goes on at once."""
    work.session.flush()  # one that was asked for in this very transaction
    run = lock_run(work, run_id)
    if run.state not in OPEN:
        return
    found = work.session.get(Connection, run.connection_id, with_for_update={"read": True}, populate_existing=True)
    run.state = WAITING if found is not None and found.state == RECONNECT else "requested"
    if run.state == "requested":
        work.enqueue("connectors.execute_run", args={"run_id": run_id})


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
