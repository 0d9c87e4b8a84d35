"""A sandbox's inbox over HTTP: who may read what it would have mailed, and what a mail opens."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from app.identity.rules import made_up_address
from app.notifications.operations import Letter, mark_kept, queue_letter
from app.onboarding.people import Holder
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant
from tests.factories.api import API, Caller
from tests.factories.doors import Answer, Browser

LINK = re.compile(r'href="(http[^"]+)"')
DOORS = ("/mails", "/mails/{mail}", "/mails/{mail}/letter")


def made(api: API, name: str, kind: str = "sandbox") -> Tenant:
    body = api.admin.post("/api/v1/tenants", {"name": name, "kind": kind}).body
    with lookup_session(api.installation.databases) as (session, _now):
        tenant = find_tenant(session, UUID(body["id"]))
    assert tenant is not None
    return tenant


def keep(api: API, tenant: Tenant, person: UUID, email: str, title: str = "Name the team") -> UUID:
    """A letter as an onboarding writes it, kept as its job keeps it."""
    facts: dict[str, Any] = {"title": {"en": title}, "text": {}, "onboarding": "Sample Works Ltd", "due_at": None}
    with api.installation.work(tenant) as work:
        letter = queue_letter(
            work, Letter("task_opened", Holder(person, "Mara Sample", email, "en", "customer"), facts)
        )
    with api.installation.work(tenant) as work:
        mark_kept(work, letter)
    return letter


@pytest.fixture(scope="module")
def sandbox(api: API) -> Tenant:
    return made(api, "Practice")


@pytest.fixture(scope="module")
def mara(api: API, sandbox: Tenant) -> UUID:
    return api.doors.member(made_up_address("mara", sandbox.id), sandbox, "owner")


@pytest.fixture(scope="module")
def mail(api: API, sandbox: Tenant, mara: UUID) -> str:
    return str(keep(api, sandbox, mara, made_up_address("mara", sandbox.id)))


def read(browser: Browser, tenant: Tenant, way: str) -> Answer:
    return browser.get(f"/t/{tenant.id}{way}")


def link_in(answer: Answer) -> str:
    """The path that the mail's button leads to."""
    return "/" + unescape(LINK.findall(answer.text)[0]).split("/", 3)[3]


class TestAMailOfASandbox:
    def test_stands_in_the_inbox_and_in_a_frame_of_its_own_page(self, api: API, sandbox: Tenant, mail: str):
        listed = read(api.admin.browser, sandbox, "/mails")
        assert (listed.status, "Name the team" in listed.text) == (200, True)
        assert f"/t/{sandbox.id}/mails/{mail}" in listed.text
        shown = read(api.admin.browser, sandbox, f"/mails/{mail}")
        assert f'<iframe src="/t/{sandbox.id}/mails/{mail}/letter"' in shown.text
        assert shown.headers["content-security-policy"].endswith("; frame-src 'self'")
        assert "/sign-in/" not in listed.text + shown.text
        assert "signs in as Mara Sample" in shown.text

    def test_runs_no_script_and_is_framed_by_nobody_else(self, api: API, sandbox: Tenant, mail: str):
        policy = read(api.admin.browser, sandbox, f"/mails/{mail}/letter").headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "script-src" not in policy
        assert "frame-ancestors 'self'" in policy
        assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy

    def test_signs_its_made_up_reader_in_once_and_again_when_it_is_looked_at_again(
        self, api: API, sandbox: Tenant, mail: str
    ):
        ways = [link_in(read(api.admin.browser, sandbox, f"/mails/{mail}/letter")) for _look in range(2)]
        assert ways[0] != ways[1]
        for way in ways:
            customer = api.doors.browser()
            nonce = customer.get(way).hidden["nonce"]
            assert customer.post(way, {"nonce": nonce}).headers["location"] == f"/t/{sandbox.id}"
            assert customer.another().get(way).status == 404  # used up

    def test_to_a_real_person_signs_nobody_in(self, api: API, sandbox: Tenant):
        owner = api.doors.staff("boss@northwind.example", api.doors.northwind, "partner_owner")
        letter = keep(api, sandbox, owner, "boss@northwind.example")
        answer = read(api.admin.browser, sandbox, f"/mails/{letter}/letter")
        assert "/sign-in/" not in answer.text
        assert link_in(answer) == f"/t/{sandbox.id}"

    @pytest.mark.parametrize("way", DOORS)
    def test_is_no_business_of_its_reader_of_a_role_without_mail_of_another_partner(
        self, api: API, sandbox: Tenant, mail: str, way: str
    ):
        customer, path = api.doors.browser(), way.format(mail=mail)
        entered = link_in(read(api.admin.browser, sandbox, f"/mails/{mail}/letter"))
        customer.post(entered, {"nonce": customer.get(entered).hidden["nonce"]})
        technical = self.colleague(api, "technical@northwind.example", api.doors.northwind, "technical")
        stranger = self.colleague(
            api, "eve@contoso.example", api.doors.contoso, "partner_owner", host="contoso.localhost"
        )
        assert [read(each, sandbox, path).status for each in (customer, technical, stranger)] == [403, 403, 404]

    @staticmethod
    def colleague(api: API, email: str, organisation: UUID, role: str, *, host: str = "northwind.localhost") -> Browser:
        caller: Caller = api.caller(email, organisation, role, host=host)
        return caller.browser

    def test_is_asked_for_in_vain_in_another_sandbox_and_at_a_customer(self, api: API, mail: str):
        other, customer = made(api, "Other"), made(api, "Acme", "customer")
        assert read(api.admin.browser, other, f"/mails/{mail}").status == 404
        assert [read(api.admin.browser, customer, way.format(mail=mail)).status for way in DOORS] == [404] * 3

    def test_is_on_exactly_one_page_of_many(self, api: API, mara: UUID):
        crowded = made(api, "Crowded")
        for number in range(7):
            keep(api, crowded, mara, made_up_address("mara", crowded.id), f"Step {number}.")
        seen: list[str] = []
        path = f"/t/{crowded.id}/mails?limit=3"
        for _page in range(3):
            answer = api.admin.browser.get(path)
            assert "7 mails" in answer.text
            seen += re.findall(r"Step (\d)\.", answer.text)
            older = re.search(r'class="next" href="([^"]+)"', answer.text)
            path = f"/t/{crowded.id}/mails{unescape(older[1])}&limit=3" if older else ""
        assert (seen, path) == (list("6543210"), "")


class TestSandboxesInThePortal:
    def test_stand_apart_from_customers(self, api: API, sandbox: Tenant):
        made(api, "Real Customer", "customer")
        customers, sandboxes = (api.admin.browser.get(path).text for path in ("/customers", "/customers?kind=sandbox"))
        assert ("Real Customer" in customers, "Practice" in customers) == (True, False)
        assert ("Real Customer" in sandboxes, "Practice" in sandboxes) == (False, True)
        assert f'href="/t/{sandbox.id}"' in sandboxes

    def test_say_that_they_are_still_being_filled(self, api: API, sandbox: Tenant):
        answer = api.admin.browser.get(f"/t/{sandbox.id}")
        assert (answer.status, "is being filled" in answer.text) == (200, True)
