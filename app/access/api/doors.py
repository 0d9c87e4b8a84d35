"""The JSON doors of one tenant's delegations: the partner asks, the customer answers, either side ends."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put
from litestar.params import FromPath, RawBody

from app.access.api import described
from app.access.api.answers import etag, once
from app.access.operations.answering import (
    approve_delegation,
    decline_delegation,
    end_delegation,
    narrow_delegation,
)
from app.access.operations.asking import break_glass, map_groups, request_delegation, withdraw_delegation
from app.access.queries.delegations import get_delegation, list_delegations
from app.access.queries.groups import name_groups
from app.access.schemas import (
    DelegationAnswer,
    DelegationList,
    DelegationReason,
    DelegationWish,
    GlassWish,
    GroupGrants,
)
from app.web.begin import begin_work, runtime_of, visit_of
from app.web.wire.answering import answer_done, etag_of, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_match

PageRequest = Request[Any, Any, Any]


class DelegationDoors(Controller):
    """Access of a partner into one tenant."""

    path = "/api/v1/tenants/{tenant_id:uuid}/delegations"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("access",)

    @get("/", operation_id="delegations.list", operation_class=account(described.LIST), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List all access there is, was and is asked for. Staff see their own organisation's."""
        with begin_work(request, tenant_id, outside=True) as work:
            content = write(DelegationList(list_delegations(work)))
        return answer_done(content, status=200, headers={"etag": etag_of(content)})

    @get(
        "/{delegation_id:uuid}",
        operation_id="delegations.read",
        operation_class=account(described.READ),
        sync_to_thread=True,
    )
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], delegation_id: FromPath[UUID]) -> Response[bytes]:
        """Read one. The ETag changes with every change of it, and not with its use."""
        with begin_work(request, tenant_id, outside=True) as work:
            shown = get_delegation(work, delegation_id)
        return answer_done(write(shown), status=200, headers={"etag": etag(shown)})

    @post("/", operation_id="delegations.request", operation_class=account(described.REQUEST), sync_to_thread=True)
    def request_access(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Ask the customer for access, as a partner's staff. Nobody has any by it until an owner agrees."""
        wish = read_body(request, body, DelegationWish)
        return once(request, tenant_id, wish, lambda work: request_delegation(work, wish), status=201, outside=True)

    @post(
        "/emergency",
        operation_id="delegations.breakGlass",
        operation_class=account(described.BREAK_GLASS),
        sync_to_thread=True,
    )
    def break_the_glass(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Let yourself in without having been agreed to: alone, for hours, for a reason. The customer is told at once.

        Once in 24 hours, and not within a week after the customer has put an end to it.
        """
        wish = read_body(request, body, GlassWish)
        return once(request, tenant_id, wish, lambda work: break_glass(work, wish), status=201, outside=True)

    @post(
        "/{delegation_id:uuid}/approval",
        operation_id="delegations.approve",
        operation_class=account(described.APPROVE),
        sync_to_thread=True,
    )
    def approve(
        self, request: PageRequest, tenant_id: FromPath[UUID], delegation_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Agree to a request, or to fewer roles or less time, as another person than the one who asked."""
        answer, versions = read_body(request, body, DelegationAnswer), read_match(request)
        return once(
            request,
            tenant_id,
            answer,
            lambda work: approve_delegation(work, delegation_id, answer, versions=versions),
        )

    @post(
        "/{delegation_id:uuid}/narrowing",
        operation_id="delegations.narrow",
        operation_class=account(described.NARROW),
        sync_to_thread=True,
    )
    def narrow(
        self, request: PageRequest, tenant_id: FromPath[UUID], delegation_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Take roles, permissions or time away from access that was given."""
        answer, versions = read_body(request, body, DelegationAnswer), read_match(request)
        return once(
            request,
            tenant_id,
            answer,
            lambda work: narrow_delegation(work, delegation_id, answer, versions=versions),
        )

    @post(
        "/{delegation_id:uuid}/refusal",
        operation_id="delegations.decline",
        operation_class=account(described.DECLINE),
        sync_to_thread=True,
    )
    def decline(
        self, request: PageRequest, tenant_id: FromPath[UUID], delegation_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Do not agree to a request."""
        said, versions = read_body(request, body, DelegationReason), read_match(request)
        return once(
            request,
            tenant_id,
            said,
            lambda work: decline_delegation(work, delegation_id, reason=said.reason, versions=versions),
        )

    @post(
        "/{delegation_id:uuid}/withdrawal",
        operation_id="delegations.withdraw",
        operation_class=account(described.WITHDRAW),
        sync_to_thread=True,
    )
    def withdraw(
        self, request: PageRequest, tenant_id: FromPath[UUID], delegation_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Take a request back while nobody has answered it."""
        said = read_body(request, body, DelegationReason)
        return once(
            request,
            tenant_id,
            said,
            lambda work: withdraw_delegation(work, delegation_id, reason=said.reason),
            outside=True,
        )

    @post(
        "/{delegation_id:uuid}/end",
        operation_id="delegations.end",
        operation_class=account(described.END),
        sync_to_thread=True,
    )
    def end(
        self, request: PageRequest, tenant_id: FromPath[UUID], delegation_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """End access at once, as either side. It needs no version: what was changed meanwhile is ended too."""
        said = read_body(request, body, DelegationReason)
        return once(
            request,
            tenant_id,
            said,
            lambda work: end_delegation(work, delegation_id, reason=said.reason),
            outside=True,
        )

    @put(
        "/{delegation_id:uuid}/groups",
        operation_id="delegations.mapGroups",
        operation_class=account(described.MAP),
        sync_to_thread=True,
    )
    def map_staff(
        self, request: PageRequest, tenant_id: FromPath[UUID], delegation_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Say which of the partner's groups of staff have which of the roles; without any, all its staff."""
        wanted, versions = read_body(request, body, GroupGrants), read_match(request)
        known = name_groups(runtime_of(request), visit_of(request).actor, [each.id for each in wanted.groups])
        return once(
            request,
            tenant_id,
            wanted,
            lambda work: map_groups(work, delegation_id, wanted, known=known, versions=versions),
            outside=True,
        )
