"""The JSON doors beside one tenant's delegations: all of a partner's, its own roles, and why a decision falls so."""

from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID, uuid5

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.params import FromPath, RawBody

from app.access.api import described
from app.access.operations.custom_roles import define_role, remove_role
from app.access.permissions import Permission
from app.access.queries.custom_roles import find_custom_role, get_custom_role, list_custom_roles, version_tag
from app.access.queries.explaining import explain_decision, find_assigned
from app.access.queries.index import IndexQuery, list_index
from app.access.schemas import CustomRoleOut, CustomRoleWish, ExplanationQuery
from app.kernel.commands import CommandKeyReused
from app.web.begin import begin_work, runtime_of, trace_of, visit_of
from app.web.translations import mark
from app.web.wire.answering import answer_done, etag_of, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_key, read_match, read_query

PageRequest = Request[Any, Any, Any]


class ExplanationDoors(Controller):
    """Why a decision falls as it does."""

    path = "/api/v1/tenants/{tenant_id:uuid}/explain"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("access",)

    @get("/", operation_id="decisions.explain", operation_class=account(described.EXPLAIN), sync_to_thread=True)
    def explain(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """Say which assignment, delegation and rule decide about a permission here. Of yourself you may always ask."""
        asked, visit = read_query(request, ExplanationQuery), visit_of(request)
        person = asked.person or visit.actor.id
        organisation = visit.tenant.organisation_id if visit.tenant else person
        assigned = find_assigned(runtime_of(request), person, organisation)
        with begin_work(request, tenant_id, outside=True) as work:
            told = explain_decision(work, Permission(asked.permission), person_id=asked.person, assigned=assigned)
        content = write(told)
        return answer_done(content, status=200, headers={"etag": etag_of(content)})


class AccessDoors(Controller):
    """What a partner's software asks about all of its customers, and the roles of the partner's own."""

    path = "/api/v1"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("access",)

    @get(
        "/delegations", operation_id="delegations.index", operation_class=account(described.INDEX), sync_to_thread=True
    )
    def index(self, request: PageRequest) -> Response[bytes]:
        """List your access to all customers' workspaces, and that of partners below you, by the customers' names."""
        page = list_index(runtime_of(request), visit_of(request).actor, read_query(request, IndexQuery))
        content, asked = write(page), dict(parse_qsl(request.url.query))
        headers = {"etag": etag_of(content)}
        if page.next:
            headers["link"] = f'<{request.url.path}?{urlencode(asked | {"cursor": page.next})}>; rel="next"'
        return answer_done(content, status=200, headers=headers)

    @get("/roles", operation_id="roles.list", operation_class=account(described.ROLES), sync_to_thread=True)
    def roles(self, request: PageRequest) -> Response[bytes]:
        """List the roles of your organisation's own."""
        content = write(list_custom_roles(runtime_of(request), visit_of(request).actor))
        return answer_done(content, status=200, headers={"etag": etag_of(content)})

    @get(
        "/roles/{role_id:uuid}",
        operation_id="roles.read",
        operation_class=account(described.ROLE_READ),
        sync_to_thread=True,
    )
    def role(self, request: PageRequest, role_id: FromPath[UUID]) -> Response[bytes]:
        """Read one role of your organisation's own."""
        return _answer(get_custom_role(runtime_of(request), visit_of(request).actor, role_id))

    @post("/roles", operation_id="roles.create", operation_class=account(described.ROLE_MAKE), sync_to_thread=True)
    def make_role(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Make a role that is narrower than one of ours. It can hold nothing that you do not hold yourself."""
        wish, key = read_body(request, body, CustomRoleWish), read_key(request)
        runtime, actor = runtime_of(request), visit_of(request).actor
        role_id = uuid5(actor.id, f"role:{actor.organisation_id}:{key}")  # the same key makes the same role
        made = find_custom_role(runtime, actor, role_id)
        if made is not None and (made.name, made.base, set(made.removed)) != (wish.name, wish.base, set(wish.removed)):
            raise CommandKeyReused(mark("This key was used for another request. Send a new key with a new request."))
        made = made or define_role(runtime, actor, wish, trace_id=trace_of(request), made_as=role_id)
        return _answer(made, status=201, location=f"/api/v1/roles/{made.id}")

    @put(
        "/roles/{role_id:uuid}",
        operation_id="roles.change",
        operation_class=account(described.ROLE_CHANGE),
        sync_to_thread=True,
    )
    def change_role(self, request: PageRequest, role_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Define the role anew, from the version you have read; its holders' next requests go by it."""
        wish, versions = read_body(request, body, CustomRoleWish), read_match(request)
        runtime, actor = runtime_of(request), visit_of(request).actor
        trace_id = trace_of(request)
        return _answer(define_role(runtime, actor, wish, trace_id=trace_id, role_id=role_id, versions=versions))

    @delete(
        "/roles/{role_id:uuid}",
        operation_id="roles.remove",
        operation_class=account(described.ROLE_REMOVE),
        sync_to_thread=True,
    )
    def drop_role(self, request: PageRequest, role_id: FromPath[UUID]) -> None:
        """Remove a role that nobody holds."""
        remove_role(runtime_of(request), visit_of(request).actor, role_id, trace_id=trace_of(request))


def _answer(role: CustomRoleOut, *, status: int = 200, location: str = "") -> Response[bytes]:
    content = write(role)
    headers = {"etag": version_tag(role)} | ({"location": location} if location else {})
    return answer_done(content, status=status, headers=headers)
