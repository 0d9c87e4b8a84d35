"""The pages on which directories are set up: the token once, no role beyond one's own, everybody else refused."""

from __future__ import annotations

import re
from urllib.parse import urlencode
from uuid import UUID

from app.kernel.ids import new_id
from tests.factories.doors import Answer, Browser
from tests.integration.identity.scim.directories import Directories, Directory

CHANGED = "identity.directory.changed"
_TOKEN = re.compile(r"<code>([A-Za-z0-9_-]{43})</code>")


def signed_in(at_work: Directories, email: str, *, host: str = "northwind.localhost") -> Browser:
    browser = at_work.doors.browser(host)
    at_work.doors.sign_in(browser, email, proved=True)
    return browser


def admin(at_work: Directories) -> Browser:
    """An administrator of Northwind."""
    email = f"{new_id().hex}@northwind.example"
    at_work.doors.staff(email, at_work.doors.northwind, "partner_admin")
    return signed_in(at_work, email)


def send(browser: Browser, path: str, key: str | None = None, **fields: str) -> Answer:
    return browser.post(path, {"command_key": key or str(new_id()), **fields})


def token_of(answer: Answer) -> str:
    assert answer.status == 200, answer.text
    return _TOKEN.search(answer.text)[1]  # type: ignore[index]  # it is there, or the test fails


def row(at_work: Directories, name: str) -> UUID:
    return UUID(str(at_work.installation.control("SELECT id FROM control.directory WHERE name = %s", name)[0].id))


class TestToken:
    def test_is_shown_once_and_works(self, at_work: Directories):
        browser, key = admin(at_work), str(new_id())
        made = send(browser, "/settings/scim", key, name="Okta once", default_role="csm")
        directory = Directory(at_work.doors, row(at_work, "Okta once"), "northwind.localhost", token_of(made))
        assert directory.get("/Users").status == 200
        again = send(browser, "/settings/scim", key, name="Okta once", default_role="csm")
        assert (again.status, _TOKEN.search(again.text)) == (200, None)
        page = browser.get("/settings/scim")
        assert directory.token not in page.text
        assert "/Users" in page.text  # what it sent last
        stored = at_work.installation.control("SELECT token_hash FROM control.directory WHERE id = %s", directory.id)
        assert directory.token.encode() not in bytes(stored[0].token_hash)

    def test_is_rolled_over_with_an_overlap_or_at_once(self, at_work: Directories):
        browser = admin(at_work)
        first = token_of(send(browser, "/settings/scim", name="Okta rolled"))
        directory = Directory(at_work.doors, row(at_work, "Okta rolled"), "northwind.localhost", first)
        path, key = f"/settings/scim/{directory.id}/token", str(new_id())
        second = token_of(send(browser, path, key))
        assert _TOKEN.search(send(browser, path, key).text) is None  # sent twice, rolled once
        assert directory.get("/Users").status == 200
        directory.token = second
        assert directory.get("/Users").status == 200
        third = token_of(send(browser, path, at_once="true"))
        assert directory.get("/Users").status == 401
        directory.token = third
        assert directory.get("/Users").status == 200

    def test_stops_with_the_directory(self, at_work: Directories):
        browser = admin(at_work)
        token = token_of(send(browser, "/settings/scim", name="Okta stopped"))
        directory = Directory(at_work.doors, row(at_work, "Okta stopped"), "northwind.localhost", token)
        assert send(browser, f"/settings/scim/{directory.id}/state", state="disabled").status == 303
        assert directory.get("/Users").status == 401
        assert send(browser, f"/settings/scim/{directory.id}/state", state="active").status == 303
        assert directory.get("/Users").status == 200
        told = at_work.told(at_work.homes[at_work.doors.northwind], CHANGED)
        assert [entry.body["what"] for entry in told if entry.subject_id == directory.id] == ["made", "state", "state"]


class TestRoles:
    def test_of_a_group_reach_its_people_at_once(self, at_work: Directories):
        browser = admin(at_work)
        token = token_of(send(browser, "/settings/scim", name="Okta roles", default_role="csm"))
        directory = Directory(at_work.doors, row(at_work, "Okta roles"), "northwind.localhost", token)
        user = directory.create("rosa@roles.example").body["id"]
        group = directory.group("Technicians", user)
        path = f"/settings/scim/{directory.id}/roles"
        assert send(browser, path, **{"default_role": "csm", f"group-{group}": "technical"}).status == 303
        assert at_work.roles("rosa@roles.example") == {"technical"}
        assert send(browser, path, **{"default_role": "", f"group-{group}": ""}).status == 303
        assert at_work.roles("rosa@roles.example") == set()

    def test_end_where_those_of_whoever_sets_it_up_do(self, at_work: Directories):
        at_work.doors.member("it@acme.example", at_work.acme, "admin")
        browser, path = signed_in(at_work, "it@acme.example"), f"/t/{at_work.acme.id}/scim"
        for beyond in ("owner", "approver", "partner_admin", "operator"):
            refused = send(browser, path, name="Too much", default_role=beyond)
            assert refused.status == 403, beyond
        assert at_work.installation.control("SELECT 1 FROM control.directory WHERE name = 'Too much'") == []
        token = token_of(send(browser, path, name="Acme's own", default_role="contributor"))
        directory = Directory(at_work.doors, row(at_work, "Acme's own"), "northwind.localhost", token)
        directory.create("rolf@acme.example")
        assert at_work.member("rolf@acme.example") == ("contributor", "active")
        group = directory.group("Everybody")
        raised = send(browser, f"{path}/{directory.id}/roles", **{f"group-{group}": "owner"})
        assert raised.status == 403

    def test_of_a_customer_are_not_a_partner_s_to_give_by_its_delegation(self, at_work: Directories):
        """A delegation ends; members whom it could make by a directory would stay."""
        at_work.doors.delegation(at_work.acme, '["partner_admin"]')
        refused = send(admin(at_work), f"/t/{at_work.acme.id}/scim", name="By delegation", default_role="viewer")
        assert refused.status == 403


class TestEverybodyElse:
    def test_is_refused(self, at_work: Directories):
        at_work.doors.staff("lead@northwind.example", at_work.doors.northwind, "onboarding_lead")
        at_work.doors.staff("admin@contoso.example", at_work.doors.contoso, "partner_admin")
        at_work.doors.member("viewer@acme.example", at_work.acme, "viewer")
        lead = signed_in(at_work, "lead@northwind.example")
        stranger = signed_in(at_work, "admin@contoso.example", host="contoso.localhost")
        viewer = signed_in(at_work, "viewer@acme.example")
        theirs = f"/t/{at_work.acme.id}/scim"
        for browser, path, status in [
            (lead, "/settings/scim", 403),
            (viewer, "/settings/scim", 404),
            (viewer, theirs, 403),
            (stranger, theirs, 404),
            (admin(at_work), f"/t/{at_work.homes[at_work.doors.northwind].id}/scim", 404),
        ]:
            assert browser.get(path).status == status, path
            assert send(browser, path, name="Mine now").status == status, path
        assert at_work.installation.control("SELECT 1 FROM control.directory WHERE name = 'Mine now'") == []

    def test_cannot_touch_another_place_s_directory(self, at_work: Directories):
        browser, contoso, customer = admin(at_work), at_work.contoso.id, at_work.customer.id
        for directory_id in (contoso, customer, new_id()):
            for what in ("token", "roles", "state"):
                answer = send(browser, f"/settings/scim/{directory_id}/{what}", state="disabled", default_role="csm")
                assert answer.status == 404, (directory_id, what)
        assert at_work.contoso.get("/Users").status == at_work.customer.get("/Users").status == 200

    def test_needs_a_form_of_this_very_site(self, at_work: Directories):
        browser = admin(at_work)
        body = urlencode({"command_key": str(new_id()), "name": "Forged"}).encode()
        headers = {"content_type": "application/x-www-form-urlencoded", "origin": "http://evil.example"}
        assert browser.send("POST", "/settings/scim", body=body, headers=headers).status == 403
