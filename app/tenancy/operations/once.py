"""Carries a request out once for its key: what it was answered is kept, and given again to who sends it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.kernel.actor import Actor
from app.kernel.commands import CommandKeyReused
from app.kernel.runtime import Runtime
from app.tenancy.models import ControlCommand
from app.web.translations import mark
from tenants.sessions import lookup_session, partner_session

SYSTEM_ONLY = {
    "carry_out_once": "wraps an operation that asks for its own right",
    "forget_commands": "a platform job of the dispatcher",
}
LIFETIME = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class Command:
    """A request that is to happen once: by whose key, and what it says (`app.kernel.commands.fingerprint`)."""

    organisation_id: UUID
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What a request was answered. `final` False: carried out only in part, so that sent again it goes on.

    `tenants` are those that the answer tells of: erased, they take it with them.
    """

    status: int
    body: bytes
    tenants: tuple[UUID, ...] = field(kw_only=True)
    location: str | None = None
    etag: str | None = None
    final: bool = True
    replayed: bool = False


def carry_out_once(runtime: Runtime, actor: Actor, command: Command, perform: Callable[[], Reply]) -> Reply:
    """Perform it, or give the answer of the time it was performed. Raises CommandKeyReused and what `perform` raises.

    `perform` is repeatable by the same key: cut off before its answer was kept, it is performed again. Two at once
    both perform, and both get the answer that was kept first. Trouble is not kept: the same key may be sent again.
    """
    with partner_session(runtime.databases, command.organisation_id, actor=actor.label) as (session, now):
        kept = _claim(session, actor, command, now=now)
    if kept is not None:
        return replace(kept, replayed=True)
    reply = perform()
    if not reply.final or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return reply
    with partner_session(runtime.databases, command.organisation_id, actor=actor.label) as (session, _now):
        answer = {"status": reply.status, "location": reply.location, "etag": reply.etag, "body": reply.body}
        named = {"tenant_ids": list(reply.tenants)}
        session.execute(update(ControlCommand).where(*_mine(actor, command), _OPEN).values(**answer, **named))
        return _kept(session, actor, command) or reply


def forget_commands(runtime: Runtime) -> None:
    """Forget what is older than 72 hours; who sends it after that asks anew."""
    with lookup_session(runtime.databases, actor="tenancy") as (session, _now):
        session.execute(text("SELECT control.forget_commands(:lifetime)"), {"lifetime": LIFETIME})


_OPEN = ControlCommand.status.is_(None)


def _claim(session: Session, actor: Actor, command: Command, *, now: datetime) -> Reply | None:
    row = {"organisation_id": command.organisation_id, "actor_id": actor.id, "key": command.key}
    fresh = {"fingerprint": command.fingerprint, "made_at": now}
    wanted = insert(ControlCommand).values(**row, **fresh)
    answer = dict.fromkeys(("status", "location", "etag", "body", "tenant_ids"))
    session.execute(
        wanted.on_conflict_do_update(
            index_elements=list(row), set_=fresh | answer, where=ControlCommand.made_at < now - LIFETIME
        )
    )
    found = session.scalar(select(ControlCommand.fingerprint).where(*_mine(actor, command)))
    if found != command.fingerprint:
        raise CommandKeyReused(mark("This key was used for another request. Send a new key with a new request."))
    return _kept(session, actor, command)


def _kept(session: Session, actor: Actor, command: Command) -> Reply | None:
    row = session.scalars(select(ControlCommand).where(*_mine(actor, command))).one()
    if row.status is None:
        return None
    return Reply(row.status, row.body or b"", tenants=tuple(row.tenant_ids or ()), location=row.location, etag=row.etag)


def _mine(actor: Actor, command: Command) -> tuple[ColumnElement[bool], ...]:
    return (
        ControlCommand.organisation_id == command.organisation_id,
        ControlCommand.actor_id == actor.id,
        ControlCommand.key == command.key,
    )
