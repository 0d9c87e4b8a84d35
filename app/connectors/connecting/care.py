"""What people do about a connection: rename it, try it out, change its credentials, take it away; and what they see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.connectors.connecting.state import GRANT, REMOVED, TRIAL, Check, Journey, find_check, find_journey, keep_check
from app.connectors.drift.holding import forget_connection
from app.connectors.events import ConnectionRemoved, ConnectionRenamed
from app.connectors.models import Connection
from app.connectors.tokens.operations import ACTIVE, RECONNECT, resume_runs
from app.connectors.tokens.state import KEPT, TokenState, find_state
from app.kernel.errors import Conflict, Invalid, Missing
from app.kernel.work import Work
from app.vault.operations import forget_connection_secrets, move_connection_secrets, put_connection_secret
from app.vault.queries import SetSecret, set_fields
from app.vault.secret import Secret
from app.web.translations import mark

SYSTEM_ONLY = {
    "get_row": "part of an operation that has checked its own permission",
    "ask_for_test": "part of an operation that has checked its own permission",
}
GONE: Final = "removed"
_LONGEST_NAME: Final = 80


class ConnectionUnknown(Missing):
    """There is no such connection in this workspace, or it was removed."""


class NameUnfit(Invalid):
    """A connection needs a name of at most 80 characters."""


class NothingToChange(Invalid):
    """No new value was given."""


class NotConnectedYet(Conflict):
    """Nobody has let us in at the peer yet: there is nothing to try out."""


@dataclass(frozen=True, slots=True)
class ConnectionDetail:
    """A connection as its page shows it; of its secrets only that they are there, by whom and since when."""

    id: UUID
    connector: str
    name: str
    state: str
    auth: Mapping[str, str]
    changed_at: datetime
    secrets: Mapping[str, SetSecret]
    token: TokenState
    check: Check
    journey: Journey | None


def get_row(work: Work, connection_id: UUID, *, lock: bool = False) -> Connection:
    """The row of a connection that is still there. Raises ConnectionUnknown."""
    row = work.session.get(Connection, connection_id, with_for_update=lock or None, populate_existing=lock)
    if row is None or row.state == GONE:
        raise ConnectionUnknown(mark("There is no such connection here any more."))
    return row


def get_detail(work: Work, connection_id: UUID) -> ConnectionDetail:
    """One connection. Raises NotPermitted, ConnectionUnknown."""
    require(work, Permission.CONNECTION_READ)
    row = get_row(work, connection_id)
    return ConnectionDetail(
        id=row.id,
        connector=row.connector,
        name=row.name,
        state=row.state,
        auth=row.config.get("auth") or {},
        changed_at=row.changed_at,
        secrets=set_fields(work.session, purpose=str(row.id)),
        token=find_state(work.session, row.id),
        check=find_check(work.session, row.id),
        journey=find_journey(work.session, row.id),
    )


def rename_connection(work: Work, connection_id: UUID, name: str) -> None:
    """Call it otherwise. Raises NotPermitted, ConnectionUnknown, NameUnfit."""
    require(work, Permission.CONNECTION_WRITE)
    row, wanted = get_row(work, connection_id, lock=True), name.strip()
    if not 0 < len(wanted) <= _LONGEST_NAME or not wanted.isprintable():
        raise NameUnfit(mark("Give it a name of at most 80 characters."))
    if wanted != row.name:
        before, row.name = row.name, wanted
        work.announce(ConnectionRenamed(subject_id=row.id, before=before, after=wanted))


def ask_test(work: Work, connection_id: UUID) -> None:
    """Have a worker try the connection out with the manifest's harmless question.

    Raises NotPermitted, ConnectionUnknown, NotConnectedYet.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id)
    if row.state == "pending":
        raise NotConnectedYet(mark("Connect it first: nobody has let us in there yet."))
    ask_for_test(work, connection_id)


def replace_credentials(
    work: Work, connection_id: UUID, *, values: Mapping[str, Secret], auth: Mapping[str, str]
) -> None:
    """Lay new values beside those in use; a worker tries them out, and only then do they take the others' place.

    A connection that does not work anyway takes them at once. Raises NotPermitted, ConnectionUnknown,
    NothingToChange, KeysMissing.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    changed = dict(auth) != dict(row.config.get("auth") or {})
    if not values and not changed:
        raise NothingToChange(mark("Fill in what is to be changed."))
    at_once = row.state != ACTIVE
    for field, value in values.items():
        stage = "" if at_once else TRIAL
        put_connection_secret(work, connection_id=connection_id, field=field, value=value, stage=stage)
    if at_once:
        row.config, row.changed_at = row.config | {"auth": dict(auth)}, work.now
        if row.state == RECONNECT:
            ask_for_test(work, connection_id)
        return
    before = find_check(work.session, connection_id, lock=True)
    _ask(work, connection_id, replace(before, trial=True, auth=dict(auth)))


def remove_connection(work: Work, connection_id: UUID) -> None:
    """Take it away: nothing is called by it any more, its credentials are destroyed, the peer is told where it can be.

    Runs that waited for it end for a person. Raises NotPermitted, ConnectionUnknown.
    """
    require(work, Permission.CONNECTION_WRITE)
    row = get_row(work, connection_id, lock=True)
    row.state, row.changed_at = GONE, work.now
    for stage in (GRANT, TRIAL):
        forget_connection_secrets(work, connection_id=connection_id, stage=stage)
    if KEPT in set_fields(work.session, purpose=str(connection_id)):
        move_connection_secrets(work, connection_id=connection_id, stage=REMOVED)
        work.enqueue("connectors.revoke_token", args={"connection_id": connection_id})
    else:
        forget_connection_secrets(work, connection_id=connection_id)
    resume_runs(work, connection_id)
    forget_connection(work, connection_id)  # after the runs: whoever begins one locks it, then what holds it
    work.announce(ConnectionRemoved(subject_id=row.id, connector=row.connector, name=row.name))


def ask_for_test(work: Work, connection_id: UUID) -> None:
    """The same for what has just been connected."""
    _ask(work, connection_id, replace(find_check(work.session, connection_id, lock=True), trial=False, auth={}))


def _ask(work: Work, connection_id: UUID, check: Check) -> None:
    asked_at = work.database_now.isoformat()
    keep_check(work, connection_id, replace(check, asked_at=asked_at))
    work.enqueue("connectors.test_connection", args={"connection_id": connection_id, "asked_at": asked_at})
