"""The API with homes, so that there is somewhere to work."""

from __future__ import annotations

import pytest

from app.tenancy.operations.creation import TenantRequest, create_tenant
from tests.factories.api import API, Caller
from tests.factories.installation import person


@pytest.fixture(scope="module", autouse=True)
def homes(api: API) -> None:
    """Each partner's home: the jobs of exports and imports run there."""
    for organisation in (api.doors.northwind, api.doors.contoso, api.reseller):
        wanted = TenantRequest(organisation, kind="home", name="Home", key="home")
        create_tenant(api.runtime, person(), wanted, trace_id="home")


@pytest.fixture(scope="module")
def owner(api: API) -> Caller:
    """Somebody who may import, too."""
    return api.caller("owner@northwind.example", api.doors.northwind, "partner_owner")
