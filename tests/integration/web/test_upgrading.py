"""A workspace whose schema is too old for this build answers 503, with a page that says so, and when to come back."""

from __future__ import annotations

import json

import pytest

from tenants import sessions
from tenants.schema.head import tenant_revision


@pytest.fixture
def signed_in(rooms, monkeypatch):
    tenant = rooms.installation.tenant(rooms.northwind, "Acme", kind="customer")
    rooms.member("cleo@acme.example", tenant)
    browser = rooms.browser()
    rooms.sign_in(browser, "cleo@acme.example")
    monkeypatch.setattr(sessions, "outdated_revisions", lambda: frozenset({tenant_revision()}))
    return browser, tenant


class TestAWorkspaceThatIsBeingUpgraded:
    def test_answers_with_a_page(self, signed_in):
        browser, tenant = signed_in
        answer = browser.get(f"/t/{tenant.id}/note")
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert "This workspace is being upgraded." in answer.text
        assert "Northwind" in answer.text

    def test_answers_in_the_language_that_was_chosen(self, signed_in):
        browser, tenant = signed_in
        browser.post("/preferences", {"locale": "de", "return_to": "/nothing"})
        assert "wird gerade aktualisiert" in browser.get(f"/t/{tenant.id}/note").text

    def test_answers_software_with_a_problem(self, signed_in):
        browser, tenant = signed_in
        answer = browser.get(f"/api/v1/tenants/{tenant.id}/note")
        assert (answer.status, answer.headers["retry-after"]) == (503, "60")
        assert json.loads(answer.text)["type"].endswith("/problems/tenant-upgrading")
