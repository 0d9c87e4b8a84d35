"""A partner's catalogue over HTTP: what was published, as its customers would see it; nobody else's."""

from __future__ import annotations

import pytest

from app.templates.library import open_shelf
from tests.integration.onboarding.house import House


def address(*, view: str = "board", **asked: str) -> str:
    digest = open_shelf("msp/managed-services").template.digest.removeprefix("sha256:")
    return f"/templates/{digest}?" + "&".join(f"{name}={value}" for name, value in ({"view": view} | asked).items())


class TestCatalogue:
    def test_lists_what_was_published(self, house: House):
        text = house.lead.browser.get("/templates").text
        assert "msp-managed-services" in text
        assert address().partition("?")[0] in text
        assert "Northwind Managed Services" in text

    def test_is_for_staff(self, house: House):
        assert house.olga.browser.get("/templates").status in {403, 404}
        assert house.doors.browser().get("/templates").status == 303

    def test_is_read_by_whoever_may_read_templates(self, house: House):
        assert house.cleo.browser.get("/templates").status == 200


class TestTemplate:
    @pytest.mark.parametrize(
        ("view", "words"),
        [
            ("board", "Give the security briefing"),
            ("timeline", "working days, if everybody is on time"),
            ("forms", "Do you have a cyber insurance?"),
            ("needs", "facts block"),
            ("nonsense", "Give the security briefing"),
        ],
    )
    def test_is_shown_with_the_partners_own_adaptation(self, house: House, view: str, words: str):
        answer = house.lead.browser.get(address(view=view))
        assert answer.status == 200
        assert words in answer.text

    def test_is_shown_alone_on_request(self, house: House):
        text = house.lead.browser.get(address(base="true")).text
        assert "Give the security briefing" not in text
        assert "Show it with your adaptation" in text

    def test_is_shown_in_its_own_languages(self, house: House):
        text = house.lead.browser.get(address(language="de")).text
        assert "Sicherheitseinweisung geben" in text
        assert 'lang="de"' in text
        assert "Give the security briefing" in house.lead.browser.get(address(language="xx")).text

    def test_of_another_partner_is_not_there(self, house: House):
        lakeside = house.doors.organisation("lakeside", "Lakeside", accent="#204080")
        house.doors.staff("lou@lakeside.example", lakeside, "partner_admin")
        browser = house.doors.browser("lakeside.localhost")
        assert house.doors.sign_in(browser, "lou@lakeside.example", proved=True).status == 303
        assert browser.get(address()).status == 404
        assert house.lead.browser.get(f"/templates/{'0' * 64}").status == 404

    def test_is_no_overlay(self, house: House):
        digest = open_shelf("msp/managed-services").overlays["northwind"].digest.removeprefix("sha256:")
        assert house.lead.browser.get(f"/templates/{digest}").status == 404
