"""The transactions around a worker's calls for a connection: a code's exchange, a try, an end. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from app.connectors.auth.token_requests import Token
from app.connectors.connecting.care import GONE, ask_for_test
from app.connectors.connecting.state import (
    GRANT,
    REMOVED,
    TRIAL,
    end_journey,
    find_check,
    find_journey,
    keep_check,
    keep_journey,
)
from app.connectors.events import ConnectionConnected, ConnectionTested, CredentialsChanged
from app.connectors.kit.contract import CallReport
from app.connectors.models import Connection
from app.connectors.tokens.operations import ACTIVE, RECONNECT, keep_first_token, resume_runs
from app.kernel.outcomes import Done
from app.kernel.work import Work
from app.vault.operations import (
    SealedSecrets,
    forget_connection_secrets,
    promote_connection_secrets,
    take_connection_secrets,
)

SYSTEM_ONLY = {
    "begin_exchange": "called by the job of a code's exchange",
    "end_exchange": "called by the job of a code's exchange",
    "refuse_exchange": "called by the job of a code's exchange",
    "begin_test": "called by the job that tries a connection out",
    "end_test": "called by the job that tries a connection out",
    "begin_revocation": "called by the job of a removed connection",
    "end_revocation": "called by the job of a removed connection",
}


@dataclass(frozen=True, slots=True)
class Begun:
    """What a job needs to call the peer: no row, no session. `beside` is what lies on the stage it is about."""

    connection_id: UUID
    connector: str
    config: dict[str, Any] = field(repr=False)
    sealed: SealedSecrets
    beside: SealedSecrets | None = None
    redirect_uri: str = ""


def begin_exchange(work: Work, connection_id: UUID, digest: str) -> Begun | None:
    """The code and the verifier of this journey; None where it is over. Raises KeysMissing."""
    journey, row = find_journey(work.session, connection_id), work.session.get(Connection, connection_id)
    if journey is None or journey.digest != digest or journey.step != "exchanging" or row is None or row.state == GONE:
        return None
    run_id = connection_id
    sealed = take_connection_secrets(work, connection_id=connection_id, run_id=run_id)
    grant = take_connection_secrets(work, connection_id=connection_id, run_id=run_id, stage=GRANT)
    return Begun(row.id, row.connector, row.config, sealed, grant, journey.redirect_uri)


def end_exchange(work: Work, connection_id: UUID, digest: str, token: Token) -> None:
    """Keep the token: the connection works, what waited goes on, and a first try is asked for. Raises KeysMissing."""
    journey = find_journey(work.session, connection_id, lock=True)
    row = work.session.get(Connection, connection_id, with_for_update=True, populate_existing=True)
    if journey is None or journey.digest != digest or row is None or row.state == GONE:
        return
    keep_first_token(work, connection_id, token, owner=journey.by)
    forget_connection_secrets(work, connection_id=connection_id, stage=GRANT)
    end_journey(work, connection_id)
    row.state, row.changed_at = ACTIVE, work.now
    waited = resume_runs(work, connection_id)
    work.announce(ConnectionConnected(subject_id=row.id, connector=row.connector, name=row.name, waited=waited))
    ask_for_test(work, connection_id)


def refuse_exchange(work: Work, connection_id: UUID, digest: str, *, said: str) -> None:
    """The code came to nothing, and is not tried again: who connects goes there once more."""
    journey = find_journey(work.session, connection_id, lock=True)
    if journey is not None and journey.digest == digest:
        keep_journey(work, connection_id, replace(journey, step="refused", said=said))
        forget_connection_secrets(work, connection_id=connection_id, stage=GRANT)


def begin_test(work: Work, connection_id: UUID, asked_at: str) -> Begun | None:
    """What is to be tried out; None where it was asked for anew, or removed. Raises KeysMissing."""
    check, row = find_check(work.session, connection_id), work.session.get(Connection, connection_id)
    if check.asked_at != asked_at or row is None or row.state == GONE:
        return None
    config = row.config | ({"auth": check.auth} if check.trial else {})
    sealed = take_connection_secrets(work, connection_id=connection_id, run_id=connection_id)
    trial = None
    if check.trial:
        trial = take_connection_secrets(work, connection_id=connection_id, run_id=connection_id, stage=TRIAL)
    return Begun(row.id, row.connector, config, sealed, trial)


def end_test(work: Work, connection_id: UUID, asked_at: str, report: CallReport) -> None:
    """Write down how it went. What proved itself on trial takes its place; what did not is let go."""
    check, works = find_check(work.session, connection_id, lock=True), isinstance(report.outcome, Done)
    row = work.session.get(Connection, connection_id, with_for_update=True, populate_existing=True)
    if check.asked_at != asked_at or row is None or row.state == GONE:
        return
    now = work.database_now.isoformat()
    said = "" if works else str(getattr(report.outcome, "reason", ""))
    ended = replace(check, at=now, works=works, code=report.code, said=said)
    keep_check(work, connection_id, replace(ended, worked_at=now) if works else ended)
    if check.trial and works:
        fields = promote_connection_secrets(work, connection_id=connection_id, stage=TRIAL)
        row.config, row.changed_at = row.config | {"auth": check.auth}, work.now
        work.announce(CredentialsChanged(subject_id=row.id, connector=row.connector, fields=fields))
    elif check.trial:
        forget_connection_secrets(work, connection_id=connection_id, stage=TRIAL)
    if works and row.state == RECONNECT:
        row.state, row.changed_at = ACTIVE, work.now
        waited = resume_runs(work, connection_id)
        work.announce(ConnectionConnected(subject_id=row.id, connector=row.connector, name=row.name, waited=waited))
    work.record(ConnectionTested(subject_id=row.id, connector=row.connector, works=works, code=report.code))


def begin_revocation(work: Work, connection_id: UUID) -> Begun | None:
    """The last secrets of a removed connection. Raises KeysMissing."""
    row = work.session.get(Connection, connection_id)
    sealed = take_connection_secrets(work, connection_id=connection_id, run_id=connection_id, stage=REMOVED)
    return Begun(row.id, row.connector, row.config, sealed) if row and sealed.sealed else None


def end_revocation(work: Work, connection_id: UUID) -> None:
    """Whatever the peer said: nothing of it is kept."""
    forget_connection_secrets(work, connection_id=connection_id, stage=REMOVED)
