"""The JSON doors that show running work: onboardings, their items, gates and journal."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.onboarding.api import described
from app.onboarding.api.answers import ASKED, Asked
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
from app.web.wire.doors import reads
from app.web.wire.reading import read_query

PageRequest = Request[Any, Any, Any]
ONBOARDINGS = "/api/v1/tenants/{tenant_id:uuid}/onboardings"
ONBOARDING = f"{ONBOARDINGS}/{{onboarding_id:uuid}}"


class OnboardingDoors(Controller):
    """Onboardings of one tenant, to read."""

    path = ONBOARDINGS
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @reads("/", "onboardings.list", described.LIST)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List onboardings, the last started first. `next`, also as `Link`, leads on with the same filters."""
        asked = read_query(request, OnboardingQuery)
        with begin_work(request, tenant_id) as work:
            page = list_onboardings(work, asked)
        return answer_read(request, write(page), link_next(request, page.next))

    @reads("/{onboarding_id:uuid}", "onboardings.read", described.READ)
    def read(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]
    ) -> Response[OnboardingOut]:
        """Read one onboarding. 404 where it is not there or not for the reader; the ETag changes with every change."""
        del tenant_id  # the door has turned it into the visit's tenant
        found = read_onboarding(runtime_of(request), visit_of(request), onboarding_id, trace_id=trace_of(request))
        return Response(found, headers={"etag": f'"{found.seq}"'})


class OnboardingParts(Controller):
    """What one onboarding is made of, to read."""

    path = ONBOARDING
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)
    dependencies = ASKED

    @reads("/items", "items.list", described.ITEMS)
    def items(self, of: NamedDependency[Asked]) -> Response[bytes]:
        """List the steps of the plan with their states: stages, milestones, tasks and gates, in its order."""
        return of.show(partial(list_items, asked=read_query(of.request, ItemQuery)))

    @reads("/items/{key:str}", "items.read", described.ITEM)
    def item(self, of: NamedDependency[Asked], key: FromPath[str]) -> Response[bytes]:
        """Read one step. The ETag is the onboarding's: any change of it is one."""
        return of.show(partial(get_item, key=key))

    @reads("/gates/{key:str}", "gates.read", described.GATE)
    def gate(self, of: NamedDependency[Asked], key: FromPath[str]) -> Response[bytes]:
        """Read a gate as its reviewer sees it: facts with their sources, checks, decisions, what must be escalated."""
        return of.show(partial(get_gate, key=key))

    @reads("/journal", "journal.list", described.JOURNAL)
    def journal(self, of: NamedDependency[Asked]) -> Response[bytes]:
        """Read every event that was accepted, in order; replaying them gives the state. For who may read the trail."""
        return of.page(partial(list_journal, asked=read_query(of.request, JournalQuery)))
