"""Conditional questions over HTTP: with scripts and without, nothing typed is lost, nothing is asked in vain."""

from __future__ import annotations

import re

import pytest

from app.flow import events as flow
from app.kernel.ids import new_id
from app.onboarding import operations
from app.onboarding.operations import StartRequest, start_onboarding
from app.onboarding.queries.picture import get_picture
from app.templates.operations import pin
from app.templates.overlay import apply_overlays
from tests.factories.doors import Answer
from tests.integration.onboarding.house import House, Place
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.running import BERLIN

FORM = task(
    "ask",
    """fields: [
    {id: migrate, label: {en: Is there old data?}, type: boolean},
    {id: parts, label: {en: What comes along?}, type: choices, when: answers.ask.migrate.given && answers.ask.migrate,
     options: [{id: mail, label: {en: Mail}}, {id: files, label: {en: Files}}]},
    {id: rate, label: {en: How much of it?}, type: decimal, required: true, when: answers.ask.parts.size() > 1},
    {id: wiki, label: {en: Where is it described?}, type: url}]""",
    kind="form",
    owner="client",
)


@pytest.fixture(scope="module")
def asking(house: House) -> Place:
    """An onboarding of Acme's whose form asks by what was answered; Olga answers."""
    effective = apply_overlays(small(milestone("base", FORM, task("later"))))
    with house.installation.work(house.acme.tenant, house.ada) as work:
        people = get_picture(work, house.acme.onboarding_id).onboarding.people
        lead = [each for each in people["onboarding_lead"] if each["id"] == str(house.ada_id)]
        roles = {"lead": lead, "onboarding_lead": lead, "customer_owner": people["customer_owner"]}
        started = flow.Started(by=flow.By(actor="x"), inputs={}, packet={"outcome": "Calm"}, partner=BERLIN,
                               customer=BERLIN, follows=True)  # fmt: skip
        made = start_onboarding(work, StartRequest(new_id(), "Asking", pin(work, effective), started, roles, {})).id
        operations.decide_gate(work, onboarding_id=made, gate="gate.ready", decision="accept")
    return Place(house.acme.tenant, made)


def page_of(asking: Place) -> str:
    return f"/t/{asking.tenant.id}/onboardings/{asking.onboarding_id}/tasks/task.ask"


def asked(text: str) -> list[str]:
    found = re.search(r'name="asked" value="([^"]*)"', text)
    assert found
    return found.group(1).split(",")


def send(house: House, asking: Place, way: str, **typed: object) -> Answer:
    shown = house.olga.browser.get(page_of(asking)).hidden
    return house.olga.browser.post(f"{page_of(asking)}/{way}", shown | typed)


class TestQuestions:
    def test_stand_in_for_whoever_holds_no_role(self, house: House, asking: Place):
        assert house.olga.get(f"{asking.path}/items/task.ask").body["owners"] == ["Olga"]

    def test_are_those_that_nothing_stands_against(self, house: House, asking: Place):
        answer = house.olga.browser.get(page_of(asking))
        assert asked(answer.text) == ["migrate", "wiki"]
        assert "What comes along?" not in answer.text

    def test_follow_what_is_typed_and_keep_it(self, house: House, asking: Place):
        answer = send(house, asking, "questions", migrate="true", parts=["mail", "files"], wiki="https://a.example/<b>")
        assert answer.status == 200
        assert asked(answer.text) == ["migrate", "parts", "rate", "wiki"]
        assert "<html" not in answer.text
        assert len(re.findall(r'value="(?:true|mail|files)" checked', answer.text)) == 3
        assert "https://a.example/&lt;b&gt;" in answer.text

    def test_change_nothing_by_being_asked(self, house: House, asking: Place):
        before = house.lead.get(asking.path).headers["etag"]
        send(house, asking, "questions", migrate="true")
        assert house.lead.get(asking.path).headers["etag"] == before

    def test_of_others_are_not_shown(self, house: House, asking: Place):
        answer = house.gus.browser.post(f"{page_of(asking)}/questions", {"migrate": "true"})
        assert answer.status == 404

    def test_are_known_to_software_with_their_condition(self, house: House, asking: Place):
        questions = house.lead.get(f"{asking.path}/items/task.ask").body["questions"]
        assert [each["when"] for each in questions][::3] == [None, None]
        assert questions[2]["when"] == "answers.ask.parts.size() > 1"


class TestSend:
    def test_shows_a_page_without_scripts_what_its_answers_lead_to(self, house: House, asking: Place):
        answer = send(house, asking, "completion", migrate="true", wiki="https://a.example")
        assert answer.status == 422
        assert "Your answers lead to this question, too." in answer.text
        assert asked(answer.text) == ["migrate", "parts", "wiki"]
        assert 'value="https://a.example"' in answer.text

    def test_needs_what_is_asked_now(self, house: House, asking: Place):
        typed = {"migrate": "true", "parts": ["mail", "files"], "asked": "migrate,parts,rate,wiki"}
        answer = send(house, asking, "completion", **typed)
        assert answer.status == 422
        assert "This is needed." in answer.text

    def test_keeps_what_was_asked(self, house: House, asking: Place):
        typed = {"migrate": "true", "parts": ["mail", "files"], "rate": "12,5", "asked": "migrate,parts,rate,wiki"}
        assert send(house, asking, "completion", **typed).status == 303
        kept = house.lead.get(f"{asking.path}/items/task.ask").body["answers"]
        assert kept == {"migrate": True, "parts": "mail\nfiles", "rate": "12.5"}
        text = house.olga.browser.get(page_of(asking)).text
        assert "Mail, Files" in text
