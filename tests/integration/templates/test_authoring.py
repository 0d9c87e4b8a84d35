"""Authors over HTTP: drafts that are kept, two who save at once, forms that change the source, publishing."""

from __future__ import annotations

import re

import pytest

from app.templates.library import LIBRARY, open_shelf
from app.templates.studio.operations import simulations
from app.templates.studio.starting import skeleton
from tests.factories.doors import Answer
from tests.integration.onboarding.house import House
from tests.unit.flow.parts.small import milestone, small_text, task

DRAFTS = "/templates/drafts"
TEXT = small_text(milestone("base", task("build")))
BUILD = "stages.work.milestones.base.tasks.build"


def begin(house: House, **sent: str) -> str:
    """Begin a draft; gives its address."""
    answer = house.lead.browser.post(DRAFTS, sent | {"command_key": new_key(house)})
    assert answer.status == 303, answer.text
    return answer.headers["location"]


def new_key(house: House) -> str:
    return house.lead.browser.get(f"{DRAFTS}/new").hidden["command_key"]


def opened(house: House, draft: str, at: str = "") -> dict[str, str]:
    """What the page of a draft would send."""
    return house.lead.browser.get(f"{draft}?at={at}").hidden


def send(house: House, draft: str, way: str, **sent: str) -> Answer:
    """Send what the page holds, with something else."""
    hidden = opened(house, draft, sent.get("at", ""))
    return house.lead.browser.post(f"{draft}/{way}", hidden | sent)


def source(house: House, draft: str) -> str:
    """The text that is kept."""
    found = re.search(
        r"<textarea[^>]*name=\"source\"[^>]*>\n(.*?)</textarea>", house.lead.browser.get(draft).text, re.DOTALL
    )
    assert found
    text = found[1]
    for name, sign in (("&#34;", '"'), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(name, sign)
    return text


def versioned(version: str, title: str = "Small") -> str:
    return TEXT.replace("version: 1.0.0", f"version: {version}").replace("{en: Small}", f"{{en: {title}}}")


class TestBegin:
    def test_with_what_works(self, house: House):
        draft = begin(house, begin="skeleton")
        assert source(house, draft) == skeleton()
        assert "Nothing is wrong" in house.lead.browser.get(draft).text
        assert draft in house.lead.browser.get("/templates").text
        begin(house, source="id: a\ntitle: {en: Fresh start, de: Frischer Beginn}\n")
        cookies, chosen = house.lead.browser.cookies, house.doors.front.cookie_name("locale")
        for language, title in (("de", "Frischer Beginn"), ("en", "Fresh start")):
            cookies[chosen] = language
            assert title in house.lead.browser.get("/templates").text
        del cookies[chosen]

    def test_upon_a_published_version(self, house: House):
        digest = open_shelf("msp/managed-services").template.digest.removeprefix("sha256:")
        draft = begin(house, begin="version", address=digest)
        assert "version: 1.1.0" in source(house, draft)
        page = house.lead.browser.get(f"{draft}/differences").text
        assert "1.0.0" in page
        assert "<del>1.0.0</del>" in page
        overlay = begin(house, begin="adaptation", address=digest)
        assert f"digest: sha256:{digest}" in source(house, overlay)
        assert "Nothing is wrong" in house.lead.browser.get(overlay).text
        answer = house.lead.browser.post(
            DRAFTS, {"begin": "version", "address": "0" * 64, "command_key": new_key(house)}
        )
        assert answer.status == 404

    def test_is_for_those_who_write(self, house: House):
        draft = begin(house, begin="empty")
        for path in (f"{DRAFTS}/new", draft, f"{draft}/simulation", f"{draft}/differences"):
            assert house.cleo.browser.get(path).status == 403
        assert house.cleo.browser.post(f"{draft}/checks", {"source": TEXT}).status == 403
        assert draft not in house.cleo.browser.get("/templates").text
        assert house.lead.browser.get(f"{DRAFTS}/0197a1b2-0000-7000-8000-000000000001").status == 404


class TestCheck:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            (TEXT.replace("owner: lead", "owner: leed", 1), "Did you mean “lead”?"),
            ("", "The file is empty"),
            ("a: &b [*b, *b]", "Anchors and aliases are not allowed."),
            ("id: x\nid: y", "is written twice"),
            ("x" * 250_001, "The file is larger than 250 kB."),
            ("component: x", "This is a component."),
            ("[" * 100, "deeper than 24 levels"),
            ("title: {en: '<script>alert(1)</script>'}", "is missing here"),
            ("stages: 3\nroles: [1, {id: 2}]\ntexts: [a]\nhandoff: no", "is missing here"),
            ((LIBRARY / "msp/managed-services/overlays/northwind.yaml").read_text("utf-8"), "Nothing is wrong"),
        ],
    )
    def test_takes_no_harm_from_bad_texts(self, house: House, text: str, words: str):
        draft = begin(house, begin="empty")
        answer = house.lead.browser.post(f"{draft}/checks", {"source": text, "at": BUILD})
        assert answer.status == 200
        assert words in answer.text
        assert "<html" not in answer.text
        assert "<script>alert" not in answer.text


class TestEdit:
    def test_of_a_form_changes_one_line_of_the_source(self, house: House):
        draft = begin(house, source=skeleton())
        at = "stages.preparation.milestones.known.tasks.describe"
        answer = send(
            house, draft, "edits", at=at, source=skeleton(), **{"of.due": "4", "of.due.unit": "business_days"}
        )
        assert (answer.status, answer.headers["location"]) == (303, f"{draft}?at={at}")
        kept = source(house, draft)
        assert kept == skeleton().replace(
            "due: {business_days: 2}\n            fields", "due: {business_days: 4}\n            fields"
        )

    def test_opens_another_element_without_losing_what_was_typed(self, house: House):
        draft = begin(house, source=TEXT)
        sent = {"source": TEXT + "# mine\n", "do": "open:roles.lead", "at": BUILD, "of.title.en": "Erect"}
        answer = send(house, draft, "edits", **sent)
        assert answer.headers["location"] == f"{draft}?at=roles.lead"
        assert "title: {en: Erect}" in source(house, draft)
        assert "# mine" in source(house, draft)

    def test_sent_twice_is_done_once(self, house: House):
        draft = begin(house, source=TEXT)
        sent = opened(house, draft) | {"source": TEXT, "do": "add:stages@"}
        assert [house.lead.browser.post(f"{draft}/edits", sent).status for _ in range(2)] == [303, 303]
        assert source(house, draft).count("id: new_stage") == 1

    @pytest.mark.parametrize(
        ("sent", "status", "words"),
        [
            ({"of.due": "soon", "at": BUILD}, 422, "Write a whole number."),
            ({"do": "remove", "at": "stages.gone"}, 409, "That element is no longer in the source."),
            ({"do": "up", "source": "a: [", "at": BUILD}, 422, "The source cannot be read"),
        ],
    )
    def test_that_cannot_be_made_loses_nothing(self, house: House, sent: dict[str, str], status: int, words: str):
        draft = begin(house, source=TEXT)
        answer = send(house, draft, "edits", **({"source": TEXT} | sent))
        assert answer.status == status
        assert words in answer.text
        assert sent.get("of.due", "") in answer.text
        assert source(house, draft) == TEXT

    def test_of_an_unreadable_text_is_kept_all_the_same(self, house: House):
        draft = begin(house, source=TEXT)
        assert send(house, draft, "edits", source="a: [\r\n", do="save").status == 303
        assert source(house, draft) == "a: [\n"

    def test_refuses_what_is_too_large(self, house: House):
        draft = begin(house, source=TEXT)
        answer = send(house, draft, "edits", source="x" * 250_001, do="save")
        assert answer.status == 422
        assert "Nothing was saved." in answer.text

    def test_of_two_at_once_saves_one_and_loses_neither(self, house: House):
        draft = begin(house, source=TEXT)
        mine, theirs = opened(house, draft), opened(house, draft)
        assert (
            house.lead.browser.post(f"{draft}/edits", theirs | {"source": versioned("1.0.1"), "do": "save"}).status
            == 303
        )
        answer = house.lead.browser.post(f"{draft}/edits", mine | {"source": versioned("1.0.2"), "do": "save"})
        assert answer.status == 409
        assert "Somebody else has saved this draft meanwhile." in answer.text
        assert "version: 1.0.2" in answer.text
        assert "version: 1.0.1" in source(house, draft)
        over = answer.hidden | {"source": versioned("1.0.2"), "over": "2"}
        assert house.lead.browser.post(f"{draft}/edits", over).status == 303
        assert "version: 1.0.2" in source(house, draft)


class TestPublish:
    def test_puts_a_template_into_the_catalogue_and_keeps_its_comments(self, house: House):
        text = versioned("1.0.0") + "# mine\n"
        draft = begin(house, source=text)
        answer = send(house, draft, "publications", source=text)
        assert (answer.status, answer.headers["location"]) == (303, "/templates?published=true")
        house.run()
        page = house.lead.browser.get(answer.headers["location"]).text
        assert "Published. It stands in this list within seconds." in page
        assert ">Small</a>" in page
        digest = re.search(r"/templates/([0-9a-f]{64})\">Small<", page)
        assert digest
        following = source(house, begin(house, begin="version", address=digest[1]))
        assert "version: 1.1.0" in following
        assert following.endswith("# mine\n")
        send(house, draft, "edits", source=text + "# not published\n", do="save")
        assert "# not published" not in source(house, begin(house, begin="version", address=digest[1]))

    @pytest.mark.parametrize(
        ("version", "words"),
        [("1.0.0", "Versions never change; raise it."), ("0.9.0", None), ("1.0.0-rc.1", "would go back")],
    )
    def test_never_goes_back(self, house: House, version: str, words: str | None):
        draft = begin(house, source=TEXT)
        answer = send(house, draft, "publications", source=versioned(version, "Other"))
        if words is None:  # an earlier major number goes on beside a later one
            assert answer.status == 303
            return
        assert answer.status == 409
        assert words in answer.text
        assert "title: {en: Other}" in answer.text

    def test_publishes_nothing_that_is_wrong(self, house: House):
        draft = begin(house, source=TEXT)
        answer = send(house, draft, "publications", source=versioned("2.0.0").replace("owner: lead", "owner: leed", 1))
        assert answer.status == 422
        assert "There is no role “leed”." in answer.text


class TestDiscard:
    def test_takes_a_draft_away_as_it_was_seen(self, house: House):
        draft = begin(house, source=TEXT)
        sent = opened(house, draft)
        send(house, draft, "edits", source=versioned("1.0.1"), do="save")
        assert house.lead.browser.post(f"{draft}/removal", sent).status == 409
        assert send(house, draft, "removal").status == 303
        assert house.lead.browser.get(draft).status == 404


class TestSimulation:
    def test_says_what_histories_of_the_draft_find(self, house: House):
        draft = begin(house, source=skeleton())
        sent = {"command_key": house.lead.browser.get(f"{draft}/simulation").hidden["command_key"]}
        assert house.lead.browser.post(f"{draft}/simulation", sent).status == 303
        assert "Under way" in house.lead.browser.get(f"{draft}/simulation").text
        house.run()
        assert "No dead ends" in house.lead.browser.get(f"{draft}/simulation").text

    def test_of_a_draft_with_problems_is_refused(self, house: House):
        draft = begin(house, source="id: x")
        sent = {"command_key": house.lead.browser.get(f"{draft}/simulation").hidden["command_key"]}
        house.lead.browser.post(f"{draft}/simulation", sent)
        house.run()
        assert "Put them right first." in house.lead.browser.get(f"{draft}/simulation").text

    def test_that_fails_for_good_says_so_and_may_be_asked_for_again(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ):
        def fail(*_given: object) -> None:
            raise RecursionError

        draft = begin(house, source=skeleton())
        sent = {"command_key": house.lead.browser.get(f"{draft}/simulation").hidden["command_key"]}
        monkeypatch.setattr(simulations, "check_text", fail)
        house.lead.browser.post(f"{draft}/simulation", sent)
        house.run()
        house.installation.cell("UPDATE cell.job SET run_at = now() WHERE state = 'ready' AND run_at > now()")
        house.run()
        page = house.lead.browser.get(f"{draft}/simulation").text
        assert ("Could not be done" in page, "Under way" in page, "Walk it again" in page) == (True, False, True)
