"""The JSON doors of running work."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from app.access.require import NotPermitted
from app.kernel.work import TenantNotActive
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.queries.wire import read_onboarding
from app.onboarding.schemas import OnboardingOut
from app.web.begin import NothingHere, NotSignedIn, runtime_of, visit_of
from app.web.wire.openapi import Described, Told, described

PageRequest = Request[Any, Any, Any]

_READ = Described(
    answers={200: Told("The onboarding.", OnboardingOut, headers=("ETag",))},
    problems=(NotSignedIn, NotPermitted, NothingHere, OnboardingMissing, TenantNotActive),
)


class OnboardingDoors(Controller):
    """Onboardings of one tenant."""

    path = "/api/v1/tenants/{tenant_id:uuid}/onboardings"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get(
        "/{onboarding_id:uuid}", operation_id="onboardings.read", operation_class=described(_READ), sync_to_thread=True
    )
    def read(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]
    ) -> Response[OnboardingOut]:
        """Read one onboarding. 404 where it is not there or not for the reader; the ETag changes with every change."""
        del tenant_id  # the door has turned it into the visit's tenant
        found = read_onboarding(runtime_of(request), visit_of(request), onboarding_id)
        return Response(found, headers={"etag": f'"{found.seq}"'})
