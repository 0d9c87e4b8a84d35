"""A partner with a home, one of its customers, and who may make software in both."""

from __future__ import annotations

import pytest

from tenants.tenant import Tenant
from tests.factories.api import API, Caller


@pytest.fixture(scope="module")
def home(api: API) -> Tenant:
    """Northwind's home."""
    return api.installation.tenant(api.doors.northwind, "Northwind", kind="home")


@pytest.fixture(scope="module")
def contoso_home(api: API) -> Tenant:
    """The home of another partner."""
    return api.installation.tenant(api.doors.contoso, "Contoso", kind="home")


@pytest.fixture(scope="module")
def acme(api: API) -> Tenant:
    """A customer of Northwind that shares the role of a CSM with it."""
    tenant = api.installation.tenant(api.doors.northwind, "Acme", kind="customer")
    api.doors.delegation(tenant, '["csm"]')
    return tenant


@pytest.fixture(scope="module")
def umbrella(api: API) -> Tenant:
    """A customer of the other partner."""
    return api.installation.tenant(api.doors.contoso, "Umbrella", kind="customer")


@pytest.fixture(scope="module")
def cora(api: API, contoso_home: Tenant) -> Caller:
    """Who administers the other partner."""
    return api.caller("cora@contoso.example", api.doors.contoso, host="contoso.localhost")


@pytest.fixture(scope="module")
def olga(api: API, acme: Tenant) -> Caller:
    """The owner of the customer."""
    api.doors.member("olga@acme.example", acme, "owner")
    browser = api.doors.browser()
    api.doors.sign_in(browser, "olga@acme.example", proved=True)
    return Caller(browser)
