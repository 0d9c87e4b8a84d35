"""The forms of the course and of exceptions over HTTP: a refused one keeps what was typed, and says what is wrong."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from app.kernel.ids import new_id
from tests.factories.doors import Answer, Browser
from tests.integration.onboarding.house import GATE, House, Place

REPORT = {"item": GATE, "type": "technical_blocker", "reason_code": "integration_failure", "note": "It is away."}
KEPT = "Kept <words>"
NOT_OFFERED = ""


def report(house: House, place: Place, *, blocks: bool = True, **other: str) -> str:
    """The address of a new exception's page, and of what can be sent about it."""
    said = house.lead.post(f"{place.path}/exceptions", REPORT | other | {"blocks": blocks}, if_match="*")
    assert said.status == 201, said.body
    return f"{page_of(place)}/exceptions/{said.body['id']}"


def page_of(place: Place) -> str:
    return place.path.removeprefix("/api/v1").replace("tenants", "t", 1)


def send(who: Browser, path: str, **fields: Any) -> Answer:
    return who.post(path, {"command_key": str(new_id())} | fields)


def journal(house: House, place: Place) -> int:
    return len(house.installation.rows(place.tenant, "SELECT 1 FROM {}.journal"))


@pytest.fixture(scope="module")
def stuck(house: House) -> str:
    """What keeps Acme's first gate."""
    return report(house, house.acme)


class TestRefused:
    @pytest.mark.parametrize(
        ("word", "fields", "status", "wrong"),
        [
            ("hold", {"reason_code": "scope_mismatch", "reason": " "}, 422, "hold-reason"),
            ("hold", {"reason_code": "lunch", "reason": KEPT}, 422, "hold-reason"),
            ("resumption", {"reason": KEPT}, 409, NOT_OFFERED),
            ("assignments", {"item": GATE, "person": "nobody", "reason": KEPT}, 422, "assignments-person"),
            ("assignments", {"item": GATE, "person": str(new_id()), "reason": KEPT}, 422, "assignments-person"),
            ("skips", {"item": "task.kickoff", "reason": ""}, 422, "skips-reason"),
            ("skips", {"item": "stage.handoff", "reason": KEPT}, 409, "skips"),
            ("rollbacks", {"stage": "stage.handoff", "reason": ""}, 422, "rollbacks-reason"),
            ("rollbacks", {"stage": "stage.preparation", "reason": KEPT}, 409, "rollbacks"),
            ("cancellation", {"reason": " "}, 422, "cancellation-reason"),
        ],
    )
    def test_of_the_course_keeps_what_was_typed(
        self, house: House, word: str, fields: dict[str, str], status: int, wrong: str
    ):
        before = journal(house, house.acme)
        said = send(house.lead.browser, f"{page_of(house.acme)}/{word}", **fields)
        assert said.status == status, said.text
        kept(said.text, word, fields, wrong)
        assert journal(house, house.acme) == before

    @pytest.mark.parametrize(
        ("word", "path", "fields", "wrong"),
        [
            ("answer", "answer", {"note": " "}, "note"),
            ("route", "route", {"role": "", "person": "", "note": KEPT}, "role"),
            ("route", "route", {"role": "magician", "note": KEPT}, "note"),
            ("route", "route", {"role": "csm", "person": str(new_id()), "note": KEPT}, "person"),
            ("route", "route", {"role": "csm", "note": " "}, "note"),
            ("retry", "retry", {"at": "soon", "note": KEPT}, "at"),
            ("retry", "retry", {"at": "2020-01-06 09:00", "note": KEPT}, "at"),
            ("resolution", "resolution", {"resolution": "close", "note": KEPT}, "note"),
            ("resolution", "resolution", {"resolution": "retry", "note": ""}, "note"),
            ("resolution", "resolution", {"resolution": "magic", "note": KEPT}, "note"),
            ("rollback", "resolution", {"resolution": "roll_back", "stage": "", "note": KEPT}, "stage"),
        ],
    )
    def test_of_an_exception_keeps_what_was_typed(
        self, house: House, stuck: str, word: str, path: str, fields: dict[str, str], wrong: str
    ):
        before = journal(house, house.acme)
        said = send(house.lead.browser, f"{stuck}/{path}", **fields)
        assert said.status == 422, said.text
        prefix = stuck.rpartition("/")[2] + ("" if word == "resolution" else f"-{word}")
        kept(said.text, prefix, fields, f"{prefix}-{wrong}")
        assert journal(house, house.acme) == before

    def test_to_agree_keeps_what_was_typed(self, house: House):
        problem = report(house, house.globex)
        send(house.lead.browser, f"{problem}/resolution", resolution="roll_back", stage="stage.handoff", note="Anew.")
        own = send(house.lead.browser, f"{problem}/agreement", agreed="yes", note=KEPT)
        assert (own.status, "Another person has to agree." in own.text) == (409, True)
        earlier = {"proposal": "5f2c", "note": KEPT}
        other = send(house.lena.browser, f"{problem}/agreement", agreed="yes", **earlier)
        assert (other.status, "Something else is proposed by now" in other.text) == (409, True)
        page = house.lena.browser.get(f"{page_of(house.globex)}?view=exceptions").text
        read = {"proposal": re.findall(r'name="proposal" value="(\w+)"', page)[0]}
        declined = send(house.lena.browser, f"{problem}/agreement", agreed="no", note=" ", **read)
        assert declined.status == 422
        kept(declined.text, "", {}, problem.rpartition("/")[2] + "-agreement-note")
        assert send(house.lena.browser, f"{problem}/agreement", agreed="no", note="Why?", **read).status == 303
        gone = send(house.lena.browser, f"{problem}/agreement", agreed="yes", note=KEPT)
        assert (gone.status, "Nothing is proposed for this exception." in gone.text) == (409, True)

    def test_about_what_is_not_there_finds_nothing(self, house: House, stuck: str):
        before = journal(house, house.acme)
        other = f"{page_of(house.globex)}/exceptions/{stuck.rpartition('/')[2]}"
        assert send(house.lead.browser, f"{other}/answer", note="Mine").status == 404
        assert send(house.gus.browser, f"{stuck}/answer", note="Mine").status == 404
        assert send(house.olga.browser, f"{stuck}/answer", note="Mine").status == 403
        assert send(house.olga.browser, f"{page_of(house.acme)}/skips", item=GATE, reason="No").status == 403
        assert journal(house, house.acme) == before


class TestGivenByName:
    def test_is_told_and_shown_and_is_theirs_in_the_queues(self, house: House):
        problem = report(house, house.globex, item="task.kickoff", blocks=False)
        sent = send(house.lead.browser, f"{problem}/route", person=str(house.lena_id), note="She knows them.")
        assert sent.status == 303
        shown = house.lead.browser.get(f"{page_of(house.globex)}?view=exceptions").text
        assert "Lena <span" in shown
        house.run()
        queue = house.lena.get("/api/v1/work?view=mine&queue=exceptions").body["items"]
        queue += house.lena.get("/api/v1/work?view=mine&queue=cleanup").body["items"]
        assert str(house.lena_id) in {each["assignee"] for each in queue}

    def test_is_for_people_of_the_side_of_its_role(self, house: House):
        problem = report(house, house.globex, item="task.kickoff", blocks=False)
        [gus] = house.installation.control("SELECT id FROM control.person WHERE email LIKE 'gus@%%'")
        for person in (gus.id, house.cleo_id):
            refused = send(house.lead.browser, f"{problem}/route", person=str(person), note=KEPT)
            assert refused.status == 422
            assert "This person holds no role of that side here." in refused.text
        given = send(house.lead.browser, f"{problem}/route", role="customer_owner", person=str(gus.id), note=KEPT)
        assert given.status == 303


class TestTheHistory:
    def test_says_on_which_step_a_problem_was_opened(self, house: House):
        report(house, house.globex, item="task.kickoff", blocks=False)
        text = house.lead.browser.get(f"{page_of(house.globex)}?view=trail").text
        [opened, *_] = re.findall(r'Exception opened</span>.*?<p class="facts-line">([^<]*)', text, re.DOTALL)
        assert unescape(opened).startswith("Hold the kickoff")


def kept(text: str, prefix: str, fields: dict[str, str], wrong: str) -> None:
    """The page says what is wrong, takes focus there, and still has what was typed."""
    assert "data-takes-focus" in text
    if wrong and wrong != prefix:
        assert re.search(rf'<(input|textarea|select)[^>]* id="{wrong}"[^>]*aria-invalid="true"', text), wrong
        assert f'href="#{wrong}"' in text
    if not wrong:
        return
    unshown = {"resolution", "lunch", "magician", "stage.preparation", "nobody"}
    for name, value in fields.items():
        if value.strip() and not {name, value} & unshown and not (name == "person" and "-" in value):
            assert shown(text, f"{prefix}-{name}") == value, name


def shown(text: str, id_: str) -> str:
    """What a field holds."""
    place = rf'<(?:input|textarea|select)[^>]* id="{id_}".*?(?:</textarea>|</select>|</div>)'
    [field] = re.findall(place, text, re.DOTALL)
    chosen = re.findall(r'value="([^"]*)"(?: selected|[^>]*>\s*</div>)', field)
    return unescape(chosen[0] if chosen else field.rpartition("</textarea>")[0].rpartition(">")[2])
