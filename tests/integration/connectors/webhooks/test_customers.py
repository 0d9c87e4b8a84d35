"""What a partner's endpoint hears of its customers: as long as each of them lets it, and of nobody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from app.access.operations.founding import DEFAULT_ROLES
from app.connectors.webhooks.operations.spreading import spread_listeners
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.outbound.egress import NO_ENTRIES, AddressBook
from app.tenancy.operations.belonging import tell_whose
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant
from tests.factories.api import API
from tests.integration.connectors.webhooks.conftest import ADDED, HOST, Hooks, make_tenant
from tests.integration.connectors.webhooks.receiver import Receiver, Reply


@pytest.fixture(scope="module")
def home(api: API, customer: Tenant) -> Tenant:
    request = TenantRequest(customer.organisation_id, kind="home", name="Northwind", key="home")
    ada = Actor("person", new_id(), "Ada", organisation_id=customer.organisation_id, roles=frozenset({"partner_admin"}))
    return create_tenant(api.runtime, ada, request, trace_id=new_id().hex)


@pytest.fixture
def partner(api: API, home: Tenant, hooks: Hooks, receiver: Receiver) -> Iterator[Hooks]:
    """The endpoints of the partner's home; `hooks` are its customer's."""
    made = Hooks(api, home, receiver)
    yield made
    api.outbound.book = AddressBook.parse(f"{HOST}:443={receiver.port}")
    for endpoint in made.caller.get(made.path).body["items"]:
        made.caller.send("DELETE", f"{made.path}/{endpoint['id']}", None, {})
    made.run()
    api.outbound.book = NO_ENTRIES


def heard(partner: Hooks) -> list[str]:
    """The ids of what the receiver got of connections."""
    return [each.id for each in partner.receiver.got if each.told["type"] == ADDED]


def end_access(partner: Hooks, customer: Tenant, *, until: str = "now() - interval '1 second'") -> None:
    partner.api.installation.rows(customer, f"UPDATE {{}}.delegation SET ends_at = {until}")  # noqa: S608 - of the test


class TestHearing:
    def test_is_of_every_customer_signed_with_the_partners_key_and_says_whose(self, partner: Hooks, hooks: Hooks):
        made = partner.add(customers=True, types=["connectors.*"]).body
        partner.run()
        partner.receiver.got.clear()
        event = hooks.happen()
        partner.run()
        [message] = [each for each in partner.receiver.got if each.id == str(event)]
        told = Webhook(made["secret"]).verify(message.body, message.headers)
        assert told["source"] == f"/tenants/{hooks.tenant.id}"
        assert told["data"]["connector"] == "crm"
        seen = partner.delivery(made["endpoint"]["id"], event)
        assert (seen["state"], seen["customer"], seen["tries"]) == ("delivered", str(hooks.tenant.id), 1)

    def test_is_of_its_own_as_well_and_of_nobody_who_did_not_ask_for_customers(self, partner: Hooks, hooks: Hooks):
        partner.ready(types=[ADDED])
        theirs = hooks.happen()
        own = partner.happen()
        partner.run()
        assert heard(partner) == [str(own)]
        [endpoint] = partner.caller.get(partner.path).body["items"]
        version = partner.caller.get(f"{partner.path}/{endpoint['id']}").headers["etag"]
        changed = partner.caller.patch(f"{partner.path}/{endpoint['id']}", {"customers": True}, version=version)
        assert changed.body["customers"] is True
        partner.run()
        theirs, own = hooks.happen(), partner.happen()
        partner.run()
        assert sorted(heard(partner)[1:]) == sorted([str(theirs), str(own)])

    def test_ends_with_the_customers_consent_also_for_what_is_under_way(self, partner: Hooks, hooks: Hooks):
        endpoint = partner.ready(types=[ADDED], customers=True)
        partner.receiver.replies.append(Reply(500))
        under_way = hooks.happen()
        partner.run()
        assert partner.delivery(endpoint, under_way)["state"] == "waiting"
        end_access(partner, hooks.tenant)
        try:
            partner.receiver.got.clear()
            after = hooks.happen()
            partner.run()
            partner.hurry()
            assert heard(partner) == []
            assert partner.delivery(endpoint, under_way)["state"] == "failed"
            assert partner.delivery(endpoint, under_way)["attempts"][-1]["code"] == "no_access"
            assert partner.caller.get(f"{partner.path}/{endpoint}/deliveries/{after}").status == 404
            partner.do(endpoint, f"deliveries/{under_way}/repetition")
            partner.run()
            assert heard(partner) == [], "asking again is no way around the customer"
        finally:
            end_access(partner, hooks.tenant, until="now() + interval '300 days'")
        partner.do(endpoint, f"deliveries/{under_way}/repetition")
        partner.run()
        assert heard(partner) == [str(under_way)]

    def test_needs_a_role_that_may_read_the_trail(self, partner: Hooks, hooks: Hooks):
        partner.ready(types=[ADDED], customers=True)
        rows = partner.api.installation.rows
        rows(hooks.tenant, "UPDATE {}.delegation SET roles = '[\"csm\"]'")
        try:
            hooks.happen()
            partner.run()
            assert heard(partner) == []
        finally:
            rows(hooks.tenant, "UPDATE {}.delegation SET roles = %s::jsonb", json.dumps(DEFAULT_ROLES))
        event = hooks.happen()
        partner.run()
        assert heard(partner) == [str(event)]

    def test_stands_in_the_customers_trail_once_an_hour(self, partner: Hooks, hooks: Hooks):
        partner.ready(types=[ADDED], customers=True)
        hooks.happen()
        partner.run()
        hooks.happen()
        partner.run()
        entered = partner.api.installation.rows(
            hooks.tenant, "SELECT actor_name FROM {}.trail WHERE action = 'access.delegation.entered'"
        )
        assert [row.actor_name for row in entered].count(partner.tenant.name) == 1


class TestWhoHears:
    def test_a_sandbox_is_not_told_of(self, partner: Hooks, api: API):
        partner.ready(types=[ADDED], customers=True)
        made = replace(partner, tenant=make_tenant(api, "Trial", kind="sandbox"))
        made.happen()
        partner.run()
        assert heard(partner) == []

    def test_a_workspace_of_another_partner_is_not_told_of(self, partner: Hooks, api: API):
        partner.ready(types=[ADDED], customers=True)
        bob = api.caller("bob@contoso.example", api.doors.contoso, host="contoso.localhost")
        body = bob.post("/api/v1/tenants", {"name": "Theirs"}).body
        theirs = replace(partner, tenant=_tenant(api, body["id"]))
        theirs.happen()
        partner.run()
        assert heard(partner) == []
        forged = {"event_id": str(new_id()), "endpoint_id": str(new_id()), "customer": str(body["id"])}
        with api.installation.work(partner.tenant) as work:
            work.enqueue("connectors.deliver_webhook", args=dict(forged))
        partner.run()

    def test_a_customer_has_no_customers(self, hooks: Hooks):
        answer = hooks.caller.post(hooks.path, {"url": f"https://{HOST}/x", "types": ["*"], "customers": True})
        assert (answer.status, answer.problem) == (422, "no-customers")
        assert answer.body["errors"][0]["pointer"] == "/customers"


class TestSpreading:
    def test_follows_the_homes_and_is_repeatable(self, partner: Hooks, api: API):
        endpoint = partner.ready(types=[ADDED], customers=True)
        databases, cell = api.installation.databases, api.installation.cell
        cell("DELETE FROM cell.partner_listener")
        spread_listeners(databases)
        spread_listeners(databases)
        [row] = cell("SELECT endpoint_id, organisation_id FROM cell.partner_listener")
        assert (str(row.endpoint_id), row.organisation_id) == (endpoint, partner.tenant.organisation_id)
        cell("UPDATE cell.listener SET customers = NULL")
        spread_listeners(databases)
        assert cell("SELECT 1 FROM cell.partner_listener") == []

    def test_whose_an_older_tenant_is_is_looked_up(self, partner: Hooks, hooks: Hooks, api: API):
        partner.ready(types=[ADDED], customers=True)
        api.installation.cell("UPDATE cell.tenant SET organisation_id = NULL")
        assert tell_whose(api.runtime) > 0
        assert tell_whose(api.runtime) == 0
        event = hooks.happen()
        partner.run()
        assert heard(partner) == [str(event)]

    def test_an_endpoint_that_is_removed_hears_no_more(self, partner: Hooks, hooks: Hooks, api: API):
        endpoint = partner.ready(types=[ADDED], customers=True)
        partner.caller.send("DELETE", f"{partner.path}/{endpoint}", None, {})
        hooks.happen()
        partner.run()
        assert heard(partner) == []
        assert api.installation.cell("SELECT 1 FROM cell.partner_listener") == []


class TestOrder:
    def test_is_kept_for_an_onboarding_where_the_endpoint_wants_it(self, partner: Hooks, hooks: Hooks):
        partner.ready(types=[ADDED], customers=True, ordered=True)
        onboarding = new_id()
        partner.receiver.replies.append(Reply(500))
        events = [str(hooks.happen(onboarding, number)) for number in range(1, 5)]
        partner.run()
        assert heard(partner) == events[:1], "the first has failed: what comes after it waits"
        partner.receiver.got.clear()
        partner.hurry()
        partner.run()
        assert heard(partner) == events
        assert [each.told["sequence"] for each in partner.receiver.got] == [f"{n:012d}" for n in range(1, 5)]


def _tenant(api: API, tenant_id: str) -> Tenant:
    with lookup_session(api.installation.databases) as (session, _now):
        found = find_tenant(session, UUID(tenant_id))
    assert found is not None
    return found
