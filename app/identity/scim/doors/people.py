"""Users over SCIM: create, read, replace, patch, delete. Each answers what is there once its effects have followed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import structlog
from litestar import Response
from scim2_models import Context, PatchOp
from scim2_models.resources.resource import Resource
from sqlalchemy.orm import Session

from app.identity.scim.doors.wire import (
    Call,
    answer,
    answer_resource,
    no_such,
    read_id,
    read_parameters,
    read_resource,
)
from app.identity.scim.effects import is_ours, settle_user
from app.identity.scim.models import DirectoryUser
from app.identity.scim.queries import find_user, groups_of, resource_of_user
from app.identity.scim.resources import FullUser
from app.identity.scim.users import create_user, delete_user, find_half_deleted, moves, write_user
from app.kernel.errors import SlipwayError, Unavailable
from tenants.sessions import DatabaseAway

_log = structlog.get_logger()
_USERS = "Users"


def create(call: Call, _id: str) -> Response[bytes]:
    """POST: a new user, who may come in at once."""
    said: Any = read_resource(call, FullUser, Context.RESOURCE_CREATION_REQUEST)
    said.active = True if said.active is None else said.active
    with call.control() as (session, now):
        user_id = create_user(session, call.directory, said, now)
    _follow_new(call, user_id)
    return _answer(call, user_id, Context.RESOURCE_CREATION_RESPONSE, status=201)


def read(call: Call, written: str) -> Response[bytes]:
    """GET: one user."""
    return _answer(call, read_id(_USERS, written), Context.RESOURCE_QUERY_RESPONSE)


def replace(call: Call, written: str) -> Response[bytes]:
    """PUT: the user is what is sent; `active`, where it is not sent, stays."""
    user_id = read_id(_USERS, written)
    said: Any = read_resource(call, FullUser, Context.RESOURCE_REPLACEMENT_REQUEST)
    with call.control() as (session, now):
        user = _held(call, session, user_id)
        said.active = user.active if said.active is None else said.active
        if said.replace(_resource(call, session, user)):
            write_user(session, call.directory, user, said, now, own=_own(call, user, said))
    _follow(call, user_id)
    return _answer(call, user_id, Context.RESOURCE_REPLACEMENT_RESPONSE)


def change(call: Call, written: str) -> Response[bytes]:
    """PATCH: all operations or none."""
    user_id = read_id(_USERS, written)
    patch = PatchOp[FullUser].model_validate(call.said, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    with call.control() as (session, now):
        user = _held(call, session, user_id)
        said: Any = _resource(call, session, user)
        if patch.patch(said):
            write_user(session, call.directory, user, said, now, own=_own(call, user, said))
    _follow(call, user_id)
    return _answer(call, user_id, Context.RESOURCE_PATCH_RESPONSE)


def remove(call: Call, written: str) -> Response[bytes]:
    """DELETE: gone for the directory, without access here. Sent again while that is being done, it is done."""
    user_id = read_id(_USERS, written)
    with call.control() as (session, now):
        if not find_half_deleted(session, call.directory, user_id):
            delete_user(session, call.directory, _held(call, session, user_id), now)
    _follow(call, user_id)
    return answer(None, status=204)


def _held(call: Call, session: Session, user_id: UUID) -> DirectoryUser:
    """The user, locked, in the version that the sender has."""
    user = find_user(session, call.directory, user_id, lock=True)
    if user is None:
        raise no_such(_USERS)
    call.match(user.version)
    return user


def _resource(call: Call, session: Session, user: DirectoryUser) -> Resource[Any]:
    return resource_of_user(user, groups_of(session, [user.id]).get(user.id, ()), call.locate)


def _own(call: Call, user: DirectoryUser, said: Resource[Any]) -> bool:
    """Asked of the tenant only where an address is about to move: a deactivation waits for no tenant."""
    return not moves(user, said) or is_ours(call.runtime, call.directory, user, trace_id=call.trace_id)


def _follow(call: Call, user_id: UUID) -> None:
    settle_user(call.runtime, call.directory, user_id, trace_id=call.trace_id)


def _follow_new(call: Call, user_id: UUID) -> None:
    """A new user is accepted even where the tenant is away: access follows. One that is refused was never there."""
    try:
        _follow(call, user_id)
    except (Unavailable, DatabaseAway) as error:
        _log.warning("identity.directory.behind", user_id=str(user_id), reason=type(error).__name__)
    except SlipwayError:
        with call.control() as (session, _now):
            if (user := find_user(session, call.directory, user_id, lock=True)) is not None:
                session.delete(user)
        raise


def _answer(call: Call, user_id: UUID, ctx: Context, *, status: int = 200) -> Response[bytes]:
    parameters = read_parameters(call, FullUser)
    with call.control() as (session, _now):
        user = find_user(session, call.directory, user_id)
        if user is None:
            raise no_such(_USERS)
        resource, version = _resource(call, session, user), user.version
    return answer_resource(
        call, resource.model_dump(scim_ctx=ctx, response_parameters=parameters), version, status=status
    )
