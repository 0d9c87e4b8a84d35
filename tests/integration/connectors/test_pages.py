"""The page of connections as staff and customers get it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.pages import ConnectionPages
from app.kernel.outbound.client import OutboundClient
from tenants.tenant import Tenant
from tests.factories.doors import FRONT_DOORS, Browser, Doors
from tests.factories.installation import Installation


@pytest.fixture
def doors(installation: Installation, doors_redis: str) -> Iterator[Doors]:
    served = Doors(installation, redis_url=doors_redis, controllers=[*FRONT_DOORS, ConnectionPages])
    nobody = cast("OutboundClient", None)  # showing and adding calls nobody
    cast("dict[type, Any]", served.runtime.services)[Runner] = Runner(Registry.load(), nobody, time_limit=1.0)
    yield served
    served.close()


@pytest.fixture
def acme(doors: Doors) -> Tenant:
    tenant = doors.installation.tenant(doors.northwind, "Acme", kind="customer")
    doors.delegation(tenant, '["implementation"]')
    doors.staff("dana@northwind.example", doors.northwind, "implementation")
    return tenant


def opened(doors: Doors) -> Browser:
    browser = doors.browser()
    doors.sign_in(browser, "dana@northwind.example")
    return browser


class TestConnectionPages:
    def test_let_staff_go_on_to_their_other_pages(self, doors, acme):
        page = opened(doors).get(f"/t/{acme.id}/connections").text
        assert '<a href="/customers">Customers</a>' in page
        assert 'data-opens="jump"' in page

    def test_name_the_field_of_each_mistake_in_the_summary(self, doors, acme):
        sent = {"connector": "product_admin", "name": "Workbench", "command_key": "k"}
        answer = opened(doors).post(f"/t/{acme.id}/connections", sent)
        assert answer.status == 422
        assert '<a href="#product_admin-api_token">API token: Fill in this field.</a>' in answer.text
