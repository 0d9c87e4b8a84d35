"""The queue doors of connections: let in by a code, tried out, renewed in time, revoked; and credentials that age."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.connectors.connecting import working
from app.connectors.connecting.ageing import remind
from app.connectors.connecting.outcomes import end_revocation, refuse_exchange
from app.connectors.kit.runner import Runner
from app.connectors.tokens.renewing import keep_alive
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun, job
from app.kernel.work import Work

_LEASE = timedelta(seconds=30)


def _not_exchanged(work: Work, args: dict[str, Any], _reason: str) -> None:
    refuse_exchange(work, UUID(args["connection_id"]), str(args["digest"]), said="worker_lost")


def _not_revoked(work: Work, args: dict[str, Any], _reason: str) -> None:
    end_revocation(work, UUID(args["connection_id"]))


@job("connectors.exchange_code", attempts=4, lease=_LEASE, given_up=_not_exchanged)
def exchange_code(run: JobRun, *, connection_id: str, digest: str) -> Outcome:
    """A person came back from the peer: ask for the tokens."""
    return working.exchange_code(run, UUID(connection_id), digest)


@job("connectors.test_connection", attempts=3, lease=_LEASE)
def test_connection(run: JobRun, *, connection_id: str, asked_at: str) -> Outcome:
    """Somebody wants to know whether it works."""
    return working.test_connection(run, UUID(connection_id), asked_at)


@job("connectors.revoke_token", attempts=5, lease=_LEASE, given_up=_not_revoked)
def revoke_token(run: JobRun, *, connection_id: str) -> Outcome:
    """A connection was removed: its token is to be good for nobody."""
    return working.revoke_token(run, UUID(connection_id))


@job("connectors.renew_token", attempts=6, lease=_LEASE)
def renew_token(run: JobRun, *, subject_id: str, version: int, due_at: str) -> Outcome:
    """A token has not been renewed for most of a day: do so, before its refresh token dies of not being used."""
    del due_at
    return keep_alive(run, UUID(subject_id), version)


@job("connectors.remind_of_age")
def remind_of_age(run: JobRun, *, subject_id: str, version: int, due_at: str) -> Outcome:
    """Look at how old a connection's credentials are."""
    del version, due_at
    with run.finish() as work:
        remind(work, UUID(subject_id), run.runtime.service(Runner).registry.manifests())
    return Done()
