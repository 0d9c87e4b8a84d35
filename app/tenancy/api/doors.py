"""The JSON doors of tenants as a whole: a partner's software makes, finds and changes its customers' workspaces."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, patch, post
from litestar.params import FromPath, RawBody

from app.tenancy.api import described
from app.tenancy.api.answers import made, many, once
from app.tenancy.operations.once import Reply
from app.tenancy.operations.provisioning import provision_many, provision_tenant
from app.tenancy.operations.update import update_tenant
from app.tenancy.queries import list_tenants, read_tenant
from app.tenancy.schemas import BulkCreate, TenantCreate, TenantPatch, TenantQuery
from app.web.begin import runtime_of, trace_of, visit_of
from app.web.guard.backlog import BEGINS_WORK
from app.web.wire.answering import answer_done, answer_read, etag_of, link_next, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import JSON, MERGE_PATCH, read_body, read_match, read_query

PageRequest = Request[Any, Any, Any]


class TenantDoors(Controller):
    """Tenants of the host's organisation and of those below it."""

    path = "/api/v1/tenants"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("tenants",)

    @post(
        "/",
        operation_id="tenants.create",
        operation_class=account(described.CREATE),
        opt=BEGINS_WORK,
        sync_to_thread=True,
    )
    def create(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Make a workspace. It is usable at once: 201, `state` is `active`.

        Where its place cannot be reached at the moment: 202, `state` is `requested`, and it is finished without you.
        """
        wanted = read_body(request, body, TenantCreate)

        def perform(key: str) -> Reply:
            given = runtime_of(request), visit_of(request).actor, wanted
            return made(provision_tenant(*given, key=f"one:{key}", trace_id=trace_of(request)))

        return once(request, wanted, perform)

    @post(
        "/bulk",
        operation_id="tenants.createMany",
        operation_class=account(described.BULK),
        opt=BEGINS_WORK,
        sync_to_thread=True,
    )
    def create_many(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Make up to 100 workspaces, one after the other. What one of them meets stops none of the others.

        The shape of all is looked at first: where one does not fit, nothing is made. An item whose `status` is 503 is
        tried again when the list is sent again with the same key; the others are not made twice.
        """
        wanted = read_body(request, body, BulkCreate)

        def perform(key: str) -> Reply:
            given = runtime_of(request), visit_of(request).actor, wanted.items
            return many(request, wanted.items, provision_many(*given, key=f"many:{key}", trace_id=trace_of(request)))

        return once(request, wanted, perform)

    @get("/", operation_id="tenants.list", operation_class=account(described.LIST), sync_to_thread=True)
    def list(self, request: PageRequest) -> Response[bytes]:
        """List workspaces, the newest first. `next`, also as `Link`, leads to the next page with the same filters."""
        page = list_tenants(runtime_of(request), visit_of(request).actor, read_query(request, TenantQuery))
        return answer_read(request, write(page), link_next(request, page.next))

    @get("/{tenant_id:uuid}", operation_id="tenants.read", operation_class=account(described.READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """Read one workspace, also one that is asked for and not there yet. The ETag changes with every change."""
        return answer_read(request, write(read_tenant(runtime_of(request), visit_of(request).actor, tenant_id)))

    @patch(
        "/{tenant_id:uuid}",
        operation_id="tenants.update",
        operation_class=account(described.UPDATE),
        sync_to_thread=True,
    )
    def update(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Change name, external id, plan, package or limits by a JSON merge patch, from the version you have read."""
        versions = read_match(request)
        wanted = read_body(request, body, TenantPatch, media=(MERGE_PATCH, JSON))
        runtime, actor = runtime_of(request), visit_of(request).actor
        update_tenant(runtime, actor, tenant_id, wanted, versions=versions, trace_id=trace_of(request))
        content = write(read_tenant(runtime, actor, tenant_id))
        return answer_done(content, status=200, headers={"etag": etag_of(content)})
