"""A new sandbox: made-up people and a running onboarding, through the product's own operations, and nothing outside."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.identity.queries import Person
from app.identity.rules import is_made_up, made_up_address
from app.intake.operations import take_made_up_deal
from app.kernel.ids import new_id
from app.notifications.compose import AddressUnusable
from app.notifications.postroom import Draft, Postroom
from app.onboarding.operations import made_up
from app.onboarding.queries import home
from app.onboarding.queries.cards import Asked
from app.partners.queries import SiteDirectory
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, walk

FILLS = "SELECT count(*) AS number FROM cell.job WHERE tenant_id = %s AND kind = 'onboarding.fill_sandbox'"


def found(shop: MainJob, *, kind: str = "sandbox", organisation: Any = None, key: str = "") -> Tenant:
    """A new tenant, before any job has run."""
    request = TenantRequest(organisation or shop.organisation_id, kind=kind, name="Practice", key=key or new_id().hex)
    return create_tenant(shop.runtime, shop.lead, request, trace_id="practice")


def settled(shop: MainJob, **asked: Any) -> Tenant:
    """A new tenant, with all done that follows from it."""
    tenant = found(shop, **asked)
    shop.finish()
    return tenant


def actions(shop: MainJob, tenant: Tenant) -> list[str]:
    return [row.action for row in shop.installation.rows(tenant, "SELECT action FROM {}.trail ORDER BY id")]


@pytest.fixture(scope="module")
def sandbox(shop: MainJob) -> Tenant:
    return settled(shop)


class TestANewSandbox:
    def test_runs_an_onboarding_of_made_up_people(self, shop: MainJob, sandbox: Tenant):
        [onboarding] = shop.installation.rows(sandbox, "SELECT * FROM {}.onboarding")
        members = shop.installation.rows(sandbox, "SELECT * FROM {}.member ORDER BY email")
        assert (onboarding.state, onboarding.name) == ("running", "Sample Works Ltd")
        assert [member.name for member in members] == ["Jonas Muster", "Mara Sample"]
        people = {person["email"] for group in onboarding.people.values() for person in group}
        assert len(people) == 3
        assert all(is_made_up(email) for email in people)

    def test_says_in_its_trail_that_it_is_made_up(self, shop: MainJob, sandbox: Tenant):
        rows = shop.installation.rows(sandbox, "SELECT action, body FROM {}.trail ORDER BY id")
        told = {row.action: row.body for row in rows}
        assert told["onboarding.sandbox.filled"]["synthetic"] is True
        assert told["intake.deal.admitted"]["source"] == "made-up"
        assert {"intake.deal.started", "onboarding.started", "identity.member.added"} <= told.keys()

    def test_has_no_secret_and_calls_nobody(self, shop: MainJob, sandbox: Tenant):
        assert shop.installation.rows(sandbox, "SELECT 1 FROM {}.connection") == []
        assert shop.installation.rows(sandbox, "SELECT 1 FROM {}.run WHERE state = 'succeeded'") == []

    def test_mails_nobody(self, shop: MainJob, sandbox: Tenant):
        kept = shop.installation.rows(sandbox, "SELECT state, email FROM {}.message")
        assert {row.state for row in kept} == {"kept"}
        for row in kept:
            assert shop.mail.messages(to=row.email) == []

    def test_shares_nobody_with_another(self, shop: MainJob, sandbox: Tenant):
        other = settled(shop)
        people = [
            {row.person_id for row in shop.installation.rows(each, "SELECT person_id FROM {}.member")}
            for each in (sandbox, other)
        ]
        assert not people[0] & people[1]

    def test_is_filled_once_however_often_it_is_asked_for(self, shop: MainJob):
        key = new_id().hex
        tenant = found(shop, key=key)
        assert found(shop, key=key).id == tenant.id
        assert shop.installation.cell(FILLS, tenant.id)[0].number == 1
        shop.finish()
        shop.installation.cell(
            "UPDATE cell.job SET state = 'ready', finished_at = NULL, attempts = 0"
            " WHERE kind = 'onboarding.fill_sandbox' AND tenant_id = %s",
            tenant.id,
        )
        before = actions(shop, tenant)
        shop.finish()
        assert actions(shop, tenant) == before

    def test_is_filled_once_when_the_job_dies(self, shop: MainJob, monkeypatch: pytest.MonkeyPatch):
        original, died = take_made_up_deal, list[str]()

        def die_once(*args: Any) -> str:
            answer = original(*args)
            if not died:
                died.append(answer)
                raise RuntimeError("killed")
            return answer

        monkeypatch.setattr(made_up, "take_made_up_deal", die_once)
        tenant = settled(shop)
        assert died == ["admitted"]
        assert len(shop.installation.rows(tenant, "SELECT 1 FROM {}.onboarding")) == 1
        assert actions(shop, tenant).count("onboarding.sandbox.filled") == 1

    def test_stays_empty_and_says_why_where_nothing_is_published(self, shop: MainJob):
        partner = shop.installation.partner("Unready")
        tenant = settled(shop, organisation=partner.id)
        assert shop.installation.rows(tenant, "SELECT 1 FROM {}.onboarding") == []
        [entry] = shop.installation.rows(tenant, "SELECT reason FROM {}.trail WHERE action LIKE '%%left_empty'")
        assert entry.reason == made_up.NO_TEMPLATE

    def test_has_no_line_in_the_partners_lists(self, shop: MainJob, sandbox: Tenant):
        assert shop.installation.control("SELECT 1 FROM control.onboarding_card WHERE tenant_id = %s", sandbox.id) == []


class TestTheWholeWayThroughASandbox:
    def test_calls_only_a_stand_in_and_mails_nobody(self, shop: MainJob, monkeypatch: pytest.MonkeyPatch):
        """Who tries it plays all of its made-up staff; every connection that Python code opens is written down."""
        tenant, called, mailed = settled(shop), list[Any](), len(shop.mail.messages())
        original = socket.socket.connect

        def connect(self: socket.socket, address: Any) -> None:
            called.append(address)
            original(self, address)

        monkeypatch.setattr(socket.socket, "connect", connect)
        [onboarding] = shop.installation.rows(tenant, "SELECT id FROM {}.onboarding")
        connect_product(shop, tenant)
        assert walk(shop, tenant, onboarding.id).status == "finished"
        assert {address[1] for address in called} == {shop.product.port}
        assert len(shop.mail.messages()) == mailed
        kept = shop.installation.rows(tenant, "SELECT DISTINCT state FROM {}.message")
        assert [row.state for row in kept] == ["kept"]
        assert shop.installation.control("SELECT 1 FROM control.onboarding_card WHERE tenant_id = %s", tenant.id) == []

    def test_leaves_the_partners_home_page_as_it_was(self, shop: MainJob, sandbox: Tenant):
        page = home.get_home(shop.runtime, shop.lead, shop.organisation_id, home.Wanted())
        assert (sum(page.tally.values()), page.pressing_in_all, page.queues, page.cards.cards) == (0, 0, [], [])
        customers = home.get_customers(shop.runtime, shop.lead, shop.organisation_id, Asked())
        assert (customers.total, customers.tenants) == (0, [])
        asked_for = home.get_customers(shop.runtime, shop.lead, shop.organisation_id, Asked(), kind="sandbox")
        assert sandbox.id in {tenant.id for tenant, _card, _health in asked_for.tenants}

    def test_mails_no_sign_in_link_to_a_made_up_person(self, shop: MainJob, sandbox: Tenant):
        post, site = shop.runtime.service(Postroom), shop.runtime.service(SiteDirectory).site_of(shop.organisation_id)
        someone = Person(new_id(), made_up_address("mara", sandbox.id), "Mara Sample", "en")
        before = len(shop.mail.messages())
        post.send_sign_in_link(someone, "http://x.example/sign-in/y", brand=site.brand, valid_for=timedelta(minutes=1))
        draft = Draft(new_id(), "sign_in", someone, site.brand, {}, datetime.now(UTC))
        with pytest.raises(AddressUnusable):
            post.post(draft)
        assert len(shop.mail.messages()) == before


class TestACustomersWorkspace:
    @pytest.mark.parametrize("kind", ["customer", "home"])
    def test_begins_with_nothing_made_up(self, shop: MainJob, kind: str):
        partner = shop.installation.partner(f"Real {kind}")
        tenant = found(shop, kind=kind, organisation=partner.id)
        assert shop.installation.cell(FILLS, tenant.id)[0].number == 0
