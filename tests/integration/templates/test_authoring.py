"""Authors over HTTP: what is wrong is said with its place, what is right is published once, versions never go back."""

from __future__ import annotations

import pytest

from app.templates.library import LIBRARY, open_shelf
from tests.factories.doors import Answer
from tests.integration.onboarding.house import House
from tests.unit.flow.parts.small import milestone, small_text, task

DRAFTS = "/templates/drafts"
TEXT = small_text(milestone("base", task("build")))


def write(house: House, text: str, way: str = "") -> Answer:
    browser = house.lead.browser
    key = browser.get(f"{DRAFTS}/new").hidden["command_key"]
    return browser.post(f"{DRAFTS}{way}", {"source": text, "command_key": key})


def versioned(version: str, title: str = "Small") -> str:
    return TEXT.replace("version: 1.0.0", f"version: {version}").replace("{en: Small}", f"{{en: {title}}}")


class TestCheck:
    def test_says_what_is_wrong_and_where(self, house: House):
        answer = write(house, TEXT.replace("owner: lead", "owner: leed", 1), "/checks")
        assert answer.status == 200
        assert "There is no role “leed”." in answer.text
        assert "Did you mean “lead”?" in answer.text
        assert "<html" not in answer.text

    def test_says_when_nothing_is(self, house: House):
        assert "Nothing is wrong" in write(house, TEXT, "/checks").text

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "The file is empty"),
            ("a: &b [*b, *b]", "Anchors and aliases are not allowed."),
            ("id: x\nid: y", "is written twice"),
            ("x" * 250_001, "The file is larger than 250 kB."),
            ("component: x", "This is a component."),
            ("[" * 100, "deeper than 24 levels"),
            ("title: {en: '<script>alert(1)</script>'}", "is missing here"),
        ],
    )
    def test_takes_no_harm_from_bad_texts(self, house: House, text: str, words: str):
        answer = write(house, text, "/checks")
        assert answer.status == 200
        assert words in answer.text
        assert "<script>alert" not in answer.text

    def test_knows_overlays_and_the_templates_they_stand_upon(self, house: House):
        overlay = (LIBRARY / "msp/managed-services/overlays/northwind.yaml").read_text("utf-8")
        assert "Nothing is wrong" in write(house, overlay, "/checks").text
        other = overlay.replace(open_shelf("msp/managed-services").template.digest, f"sha256:{'0' * 64}")
        assert "No published template of yours has this address." in write(house, other, "/checks").text

    def test_is_for_those_who_publish(self, house: House):
        assert house.cleo.browser.get(f"{DRAFTS}/new").status == 403
        assert house.cleo.browser.post(f"{DRAFTS}/checks", {"source": TEXT}).status == 403


class TestPublish:
    def test_puts_a_template_into_the_catalogue(self, house: House):
        answer = write(house, versioned("1.0.0"))
        assert (answer.status, answer.headers["location"]) == (303, "/templates?published=true")
        assert (
            "Published. It stands in this list within seconds."
            in house.lead.browser.get(answer.headers["location"]).text
        )
        house.run()
        assert ">Small</a>" in house.lead.browser.get("/templates").text

    def test_twice_is_once(self, house: House):
        browser = house.lead.browser
        sent = {"source": versioned("1.0.0"), "command_key": browser.get(f"{DRAFTS}/new").hidden["command_key"]}
        assert [browser.post(DRAFTS, sent).status for _ in range(2)] == [303, 303]

    @pytest.mark.parametrize(
        ("version", "words"),
        [("1.0.0", "Versions never change; raise it."), ("0.9.0", None), ("1.0.0-rc.1", "would go back")],
    )
    def test_never_goes_back(self, house: House, version: str, words: str | None):
        answer = write(house, versioned(version, "Other"))
        if words is None:  # an earlier major number goes on beside a later one
            assert answer.status == 303
            return
        assert answer.status == 409
        assert words in answer.text
        assert "title: {en: Other}" in answer.text

    def test_publishes_nothing_that_is_wrong(self, house: House):
        answer = write(house, versioned("2.0.0").replace("owner: lead", "owner: leed", 1))
        assert answer.status == 422
        assert "There is no role “leed”." in answer.text
        house.run()
        assert "2.0.0" not in house.lead.browser.get("/templates").text
