"""The JSON doors of running work."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.kernel.work import TenantNotActive
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.queries.wire import read_onboarding
from app.onboarding.schemas import OnboardingOut
from app.web.begin import NothingHere, NotSignedIn, runtime_of, trace_of, visit_of
from app.web.wire.openapi import Described, Told, described

PageRequest = Request[Any, Any, Any]

_EXAMPLE = {
    "id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c",
    "name": "Acme Ltd",
    "state": "running",
    "seq": 12,
    "definition": "4c9f0f6f1f7d2a3b5c8e9d0a1b2c3d4e5f60718293a4b5c6d7e8f90123456789",
    "trace_id": "3f1c0a5e9b7d4c2e8a6f1b3d5c7e9a0b",
    "started_at": "2026-11-21T09:00:00Z",
    "first_value_at": None,
    "finished_at": None,
}
_READ = Described(
    answers={200: Told("The onboarding.", OnboardingOut, headers=("ETag",), example=_EXAMPLE)},
    problems=(NotSignedIn, NotPermitted, NothingHere, OnboardingMissing, TenantNotActive),
    scopes=(Permission.ONBOARDING_READ,),
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
        found = read_onboarding(runtime_of(request), visit_of(request), onboarding_id, trace_id=trace_of(request))
        return Response(found, headers={"etag": f'"{found.seq}"'})
