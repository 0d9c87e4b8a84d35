"""Groups over SCIM: create, read, replace, patch, delete. Members whose group has a role get or lose it at once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Response
from scim2_models import Context, PatchOp, TooManyException
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
from app.identity.scim.effects import settle_behind
from app.identity.scim.groups import create_group, delete_group, patch_group, replace_group
from app.identity.scim.models import StaffGroup
from app.identity.scim.queries import find_group, members_of, resource_of_group, wants
from app.identity.scim.resources import Group

MOST_OPERATIONS = 1_000  # of one PATCH
_GROUPS = "Groups"


def create(call: Call, _id: str) -> Response[bytes]:
    """POST: a new group, without a role until somebody gives it one on the page."""
    said = read_resource(call, Group, Context.RESOURCE_CREATION_REQUEST)
    with call.control() as (session, now):
        group_id = create_group(session, call.directory, said, now)
    return _answer(call, group_id, Context.RESOURCE_CREATION_RESPONSE, status=201)


def read(call: Call, written: str) -> Response[bytes]:
    """GET: one group."""
    return _answer(call, read_id(_GROUPS, written), Context.RESOURCE_QUERY_RESPONSE)


def replace(call: Call, written: str) -> Response[bytes]:
    """PUT: name and members are what is sent."""
    group_id = read_id(_GROUPS, written)
    said = read_resource(call, Group, Context.RESOURCE_REPLACEMENT_REQUEST)
    with call.control() as (session, now):
        replace_group(session, call.directory, _held(call, session, group_id), said, now)
    _follow(call)
    return _answer(call, group_id, Context.RESOURCE_REPLACEMENT_RESPONSE)


def change(call: Call, written: str) -> Response[bytes]:
    """PATCH: all operations or none. Answered without the group, which may be long (RFC 7644 3.5.2: 204)."""
    group_id = read_id(_GROUPS, written)
    if len(_operations(call.said)) > MOST_OPERATIONS:
        raise TooManyException(detail=f"A PATCH holds at most {MOST_OPERATIONS} operations.")
    patch = PatchOp[Group].model_validate(call.said, scim_ctx=Context.RESOURCE_PATCH_REQUEST)
    with call.control() as (session, now):
        group = _held(call, session, group_id)
        patch_group(session, call.directory, group, patch, now)
        version = group.version
    _follow(call)
    return answer(None, status=204, etag=f'W/"{version}"')


def remove(call: Call, written: str) -> Response[bytes]:
    """DELETE: the group is gone, and so is the role that it gave."""
    group_id = read_id(_GROUPS, written)
    with call.control() as (session, now):
        delete_group(session, call.directory, _held(call, session, group_id), now)
    _follow(call)
    return answer(None, status=204)


def _operations(said: dict[str, Any]) -> list[Any]:
    found = next((value for name, value in said.items() if name.lower() == "operations"), None)
    return found if isinstance(found, list) else []


def _held(call: Call, session: Session, group_id: UUID) -> StaffGroup:
    """The group, locked, in the version that the sender has."""
    group = find_group(session, call.directory, group_id, lock=True)
    if group is None:
        raise no_such(_GROUPS)
    call.match(group.version)
    return group


def _follow(call: Call) -> None:
    """Settle whom it concerns, some within the request; the dispatcher goes on with a long list."""
    settle_behind(call.runtime, call.directory, trace_id=call.trace_id)


def _answer(call: Call, group_id: UUID, ctx: Context, *, status: int = 200) -> Response[bytes]:
    parameters = read_parameters(call, Group)
    with call.control() as (session, _now):
        group = find_group(session, call.directory, group_id)
        if group is None:
            raise no_such(_GROUPS)
        members = members_of(session, [group.id]).get(group.id, ()) if wants(parameters, "members") else ()
        resource, version = resource_of_group(group, members, call.locate), group.version
    return answer_resource(
        call, resource.model_dump(scim_ctx=ctx, response_parameters=parameters), version, status=status
    )
