"""What others may know of runs: which there were for an onboarding, and how far each came."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.connectors.models import Connection, Run
from app.vault.queries import SetSecret, set_fields


class RunLine(Struct, frozen=True):
    """One execution of an action. `attempts` counts the calls that were begun."""

    id: UUID
    item_key: str
    number: int
    connector: str
    action: str
    state: str  # requested | running | waiting | stopping | succeeded | failed | unknown | cancelled
    attempts: int


def runs_of_onboarding(session: Session, onboarding_id: UUID) -> list[RunLine]:
    """All runs of an onboarding in the session's tenant, the oldest first."""
    query = select(Run).where(Run.onboarding_id == onboarding_id).order_by(Run.requested_at)
    return [
        RunLine(run.id, run.item_key, run.number, run.connector, run.action, run.state, len(run.attempts))
        for run in session.scalars(query)
    ]


def credentials_given(session: Session, connector: str) -> dict[str, SetSecret]:
    """Which values the working connection of a connector has in the session's tenant, by field; never what they are."""
    query = select(Connection.id).where(
        Connection.connector == connector, Connection.state.in_(("active", "reconnect"))
    )
    found = session.scalars(query.order_by(Connection.state, Connection.changed_at).limit(1)).one_or_none()
    return set_fields(session, purpose=str(found)) if found else {}
