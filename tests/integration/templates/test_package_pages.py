"""Packages over HTTP: drawn up section by section, until they are sold, and until they are not."""

from __future__ import annotations

from typing import Any

import pytest

from app.templates.packages.queries import list_offers, list_releases
from tests.factories.doors import Answer
from tests.integration.onboarding.house import House

DESK = "/packages/drafts/silver"


def send(house: House, path: str, page: str = "/packages/new", **typed: Any) -> Answer:
    browser = house.lead.browser
    form = {"command_key": browser.get(page).hidden["command_key"]} | typed
    return browser.post(path, form)


def save(house: House, section: str, of: str = "", **typed: Any) -> Answer:
    seen = house.lead.browser.get(DESK).hidden["seen"]
    return send(house, DESK, DESK, section=section, of=of, seen=seen, **typed)


@pytest.fixture(scope="module")
def desk(house: House) -> str:
    made = send(house, "/packages/drafts", id="silver", title="Silver", template="msp-managed-services")
    assert (made.status, made.headers["location"]) == (303, DESK)
    return DESK


class TestPackageEditor:
    def test_refuses_a_name_that_is_taken_or_unfit_and_gives_back_what_was_typed(self, house: House, desk: str):
        again = send(house, "/packages/drafts", id="silver", title="Once more", template="msp-managed-services")
        assert (again.status, "Once more" in again.text) == (409, True)
        unfit = send(house, "/packages/drafts", id="Silver!", title="Silver", template="msp-managed-services")
        assert (unfit.status, "small letters, digits and hyphens" in unfit.text) == (422, True)
        assert house.lead.browser.get(desk).status == 200

    def test_keeps_each_section_and_says_what_is_wrong(self, house: House, desk: str):
        offer = {"title.en": "Silver", "called": "SLV\nSilver 8x5", "price_monthly.en": "19 €", "members": "10"}
        wrong = save(house, "offer", **(offer | {"members": "many"}))
        assert (wrong.status, "19 €" in wrong.text, "Write a whole number" in wrong.text) == (422, True, True)
        assert save(house, "offer", **offer).status == 303
        assert save(house, "add_ons", new_title="Second visit").headers["location"].endswith("of=second-visit")
        place = "milestone.people_ready"
        added = {"title.en": "Second visit", "new_task": "Visit once more", "new_place": place}
        assert save(house, "add_ons", "second-visit", **added).status == 303
        shown = house.lead.browser.get(f"{desk}?section=add_ons&of=second-visit&with=second-visit").text
        assert shown.count("Visit once more") > 1, "in its form and among what would run"
        assert "(of the package)" in shown

    def test_shows_what_would_run_as_it_is_typed_and_keeps_nothing(self, house: House, desk: str):
        typed = {"section": "parts", "of": "", "kept": "stage.value"}
        said = send(house, f"{desk}/preview", desk, **typed).text
        assert ("<html" in said, "to put right" in said) == (False, True)
        assert "Hold the kickoff" in house.lead.browser.get(desk).text

    def test_refuses_what_was_read_before_somebody_else_changed_it(self, house: House, desk: str):
        old = send(house, desk, desk, section="offer", of="", seen="1", **{"title.en": "Old"})
        assert (old.status, "Somebody has changed this draft" in old.text) == (409, True)

    def test_publishes_what_fits_and_takes_it_off_sale(self, house: House, desk: str):
        wanted = house.lead.browser.get(desk).hidden
        wanted = {"command_key": wanted["command_key"], "seen": wanted["seen"], "version": "1.0.0"}
        assert send(house, f"{desk}/publication", desk, **(wanted | {"version": "1.0"})).status == 422
        moved = send(house, f"{desk}/publication", desk, version="1.0.0", seen="1")
        assert (moved.status, "Somebody has changed this draft" in moved.text) == (409, True)
        for _twice in range(2):
            published = house.lead.browser.post(f"{desk}/publication", wanted)
            assert (published.status, published.headers["location"]) == (303, "/packages")
        assert send(house, f"{desk}/publication", seen=wanted["seen"], version="1.0.0").status == 404
        house.run()
        listed = house.lead.browser.get("/packages").text
        assert ("19 €" in listed, "Second visit" in listed) == (True, True)
        with house.installation.work(house.home, house.ada) as work:
            [release] = list_releases(work.session, "silver")
            assert release.package.add_on("second-visit").adds[0].brings["tasks"]
        copied = "SELECT kind, template_id FROM control.template_version WHERE digest = %s"
        assert tuple(house.installation.control(copied, release.package.digest)[0]) == (
            "package",
            "msp-managed-services",
        )
        address = release.package.digest.removeprefix("sha256:")
        key = house.lead.browser.get("/templates/drafts/new").hidden["command_key"]
        wanted = {"command_key": key, "begin": "version", "address": address}
        assert house.lead.browser.get(f"/templates/{address}/differences").status == 404
        assert house.lead.browser.post("/templates/drafts", wanted).status == 404
        assert house.lead.browser.post(f"/templates/{address}/trials", {"command_key": key}).status == 404
        assert send(house, "/packages/silver/retirement", "/packages").status == 303
        with house.installation.work(house.home, house.ada) as work:
            assert [each.retired for each in list_offers(work.session)] == [True]
        assert "Not sold any more" in house.lead.browser.get("/packages").text

    def test_is_for_who_may_publish(self, house: House, desk: str):
        assert house.cleo.browser.get("/packages").status == 200
        assert house.cleo.browser.get(desk).status == 403
        assert house.cleo.browser.get("/packages/new").status == 403
