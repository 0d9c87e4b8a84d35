"""The JSON doors that show running work: onboardings, their items, gates, packet, exceptions and journal."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from app.onboarding.api import described
from app.onboarding.api.answers import answer_seen, see
from app.onboarding.queries.wire.items import get_gate, get_item, list_items
from app.onboarding.queries.wire.listing import list_journal, list_onboardings
from app.onboarding.queries.wire.onboardings import read_onboarding
from app.onboarding.schemas import (
    ItemQuery,
    JournalQuery,
    OnboardingOut,
    OnboardingQuery,
)
from app.web.begin import begin_work, runtime_of, trace_of, visit_of
from app.web.wire.answering import answer_read, link_next, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_query

PageRequest = Request[Any, Any, Any]
ONBOARDINGS = "/api/v1/tenants/{tenant_id:uuid}/onboardings"


class OnboardingDoors(Controller):
    """Onboardings of one tenant, to read."""

    path = ONBOARDINGS
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get("/", operation_id="onboardings.list", operation_class=account(described.LIST), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List onboardings, the last started first. `next`, also as `Link`, leads on with the same filters."""
        asked = read_query(request, OnboardingQuery)
        with begin_work(request, tenant_id) as work:
            page = list_onboardings(work, asked)
        return answer_read(request, write(page), link_next(request, page.next))

    @get(
        "/{onboarding_id:uuid}",
        operation_id="onboardings.read",
        operation_class=account(described.READ),
        sync_to_thread=True,
    )
    def read(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]
    ) -> Response[OnboardingOut]:
        """Read one onboarding. 404 where it is not there or not for the reader; the ETag changes with every change."""
        del tenant_id  # the door has turned it into the visit's tenant
        found = read_onboarding(runtime_of(request), visit_of(request), onboarding_id, trace_id=trace_of(request))
        return Response(found, headers={"etag": f'"{found.seq}"'})

    @get(
        "/{onboarding_id:uuid}/items",
        operation_id="items.list",
        operation_class=account(described.ITEMS),
        sync_to_thread=True,
    )
    def items(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """List the steps of the plan with their states: stages, milestones, tasks and gates, in its order."""
        asked = read_query(request, ItemQuery)
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            shown = list_items(work, seen, asked)
        return answer_seen(seen, shown)

    @get(
        "/{onboarding_id:uuid}/items/{key:str}",
        operation_id="items.read",
        operation_class=account(described.ITEM),
        sync_to_thread=True,
    )
    def item(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], key: FromPath[str]
    ) -> Response[bytes]:
        """Read one step. The ETag is the onboarding's: any change of it is one."""
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            shown = get_item(work, seen, key)
        return answer_seen(seen, shown)

    @get(
        "/{onboarding_id:uuid}/gates/{key:str}",
        operation_id="gates.read",
        operation_class=account(described.GATE),
        sync_to_thread=True,
    )
    def gate(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], key: FromPath[str]
    ) -> Response[bytes]:
        """Read a gate as its reviewer sees it: facts with their sources, checks, decisions, what must be escalated."""
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            shown = get_gate(work, seen, key)
        return answer_seen(seen, shown)

    @get(
        "/{onboarding_id:uuid}/journal",
        operation_id="journal.list",
        operation_class=account(described.JOURNAL),
        sync_to_thread=True,
    )
    def journal(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Read every event that was accepted, in order; replaying them gives the state. For who may read the trail."""
        asked = read_query(request, JournalQuery)
        with begin_work(request, tenant_id) as work:
            seen = see(request, work, onboarding_id)
            page = list_journal(work, seen, asked, seen.say)
        return answer_read(request, write(page), link_next(request, page.next))
