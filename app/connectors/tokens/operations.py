"""Who renews a connection's token, and what follows. The transactions around the call; none is open during it.

Single flight: the token's document is a lease. Whoever finds the token that they have seen, and nobody at it, takes the
lease and asks the peer; the others wait for the next version. A worker that dies leaves its lease to run out: the next
one asks with the refresh token there is, which the peer either still takes or refuses for good: then a person is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.connectors.auth.token_requests import Token
from app.connectors.events import ReconnectNeeded
from app.connectors.models import Connection, Run
from app.connectors.tokens.state import KEPT, MOST_LOST, TokenState, keep_state, lock_state
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.vault.operations import SealedSecrets, keep_connection_secret, take_connection_secrets

SYSTEM_ONLY = {
    "claim_renewal": "called by a job whose connection needs a token",
    "keep_renewed": "called by the job that has asked for the token",
    "give_back": "called by the job that has asked for the token",
    "ask_for_person": "called by the job that has asked for the token",
    "keep_first_token": "part of an operation that has checked its own permission",
    "resume_runs": "part of an operation that has checked its own permission",
}
ACTIVE: Final = "active"
RECONNECT: Final = "reconnect"
WAITING: Final = "waiting"  # a run that goes on once its connection does
_KEEP_ALIVE: Final = timedelta(hours=20)  # refresh tokens die of not being used: at least once a day each is


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to renew a token of this version."""

    connection_id: UUID
    version: int
    holder: UUID


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody else is renewing it: look again in a moment."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody renews it: a person has to connect it anew."""


def claim_renewal(
    work: Work, connection_id: UUID, *, seen: int, run_id: UUID, trying: bool = False
) -> Claim | SealedSecrets | Held | Closed:
    """Take the lease for the token of the version `seen`; where there is a newer one, that. Raises KeysMissing.

    `trying`: somebody wants to see whether a connection works again that waits for a person.
    """
    state = lock_state(work, connection_id)
    connection = work.session.get(Connection, connection_id)
    if connection is None or connection.state not in ({ACTIVE, RECONNECT} if trying else {ACTIVE}):
        return Closed()
    if state.version != seen:
        return take_connection_secrets(work, connection_id=connection_id, run_id=run_id)
    if state.is_held(work.database_now):
        return Held()
    holder = new_id()
    claimed = state.claimed(holder, work.database_now)
    if claimed.lost >= MOST_LOST and not trying:
        _need_person(work, connection, state, code="renewals_lost")
        return Closed()
    keep_state(work, connection_id, claimed)
    return Claim(connection_id, seen, holder)


def keep_renewed(work: Work, claim: Claim, token: Token) -> None:
    """Seal the new token. Where somebody has kept another one meanwhile, theirs stays. Raises KeysMissing."""
    state = lock_state(work, claim.connection_id)
    if state.version == claim.version:
        _keep(work, claim.connection_id, state, token)


def keep_first_token(work: Work, connection_id: UUID, token: Token, *, owner: str | None) -> None:
    """Seal the token that a person has just let us have, in place of any. Raises KeysMissing."""
    _keep(work, connection_id, replace(lock_state(work, connection_id), owner=owner), token)


def give_back(work: Work, claim: Claim, *, lost: bool = False, code: str = "") -> None:
    """The claim came to nothing. `lost`: nobody knows whether the peer has given out a token."""
    state = lock_state(work, claim.connection_id)
    if state.holder == str(claim.holder):
        keep_state(work, claim.connection_id, state.released(lost=lost, said=code))


def ask_for_person(work: Work, claim: Claim, *, code: str) -> bool:
    """The peer refuses for good. False where somebody got a newer token meanwhile: then that one counts."""
    state = lock_state(work, claim.connection_id)
    if state.version != claim.version:
        return False
    connection = work.session.get(Connection, claim.connection_id, with_for_update=True, populate_existing=True)
    if connection is not None and connection.state == ACTIVE:
        _need_person(work, connection, state, code=code)
    else:
        keep_state(work, claim.connection_id, state.released(said=code))
    return True


def resume_runs(work: Work, connection_id: UUID) -> int:
    """Let runs that waited for this connection go on. Returns how many there are."""
    waiting = select(Run).where(Run.connection_id == connection_id, Run.state == WAITING).with_for_update()
    runs = list(work.session.scalars(waiting))
    for run in runs:
        run.state = "requested"
        work.enqueue("connectors.execute_run", args={"run_id": run.id})
    return len(runs)


def _keep(work: Work, connection_id: UUID, state: TokenState, token: Token) -> None:
    version = state.version + 1
    keep_connection_secret(work, connection_id=connection_id, field=KEPT, value=token.stored(version))
    fresh = replace(state.released(), version=version, lost=0, expires_at=token.expires_at, renewed_at=work.now)
    keep_state(work, connection_id, fresh)
    if token.refresh is not None:
        due = work.now + _KEEP_ALIVE
        work.set_timer("connectors.renew_token", subject_id=connection_id, due_at=due, version=version)


def _need_person(work: Work, connection: Connection, state: TokenState, *, code: str) -> None:
    keep_state(work, connection.id, state.released(said=code))
    connection.state, connection.changed_at = RECONNECT, work.now
    event = ReconnectNeeded(
        subject_id=connection.id, connector=connection.connector, name=connection.name, code=code, owner=state.owner
    )
    work.announce(event)
