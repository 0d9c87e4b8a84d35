"""A line over HTTP: what is offered, the merge view with a decision, publishing, the way back; by pages and by API."""

from __future__ import annotations

import copy
import json
from typing import Any

from app.templates.language import Template, address
from app.templates.library import open_shelf
from app.templates.operations import publish
from tests.integration.onboarding.house import House

LINE = "/templates/lines/msp-managed-services"


def newer(house: House) -> str:
    """A version that changes what Northwind has changed, too."""
    base = open_shelf("msp/managed-services").template
    document = copy.deepcopy(dict(base.document))
    document["version"] = "1.5.0"
    document["texts"]["provider"]["en"] = "your MSP"
    template = Template(document, address(document), base.source)
    with house.installation.work(house.home, house.ada) as work:
        publish(work, template)
    house.run()
    return template.digest.removeprefix("sha256:")


class TestLinePages:
    def test_lead_from_what_is_offered_over_the_merge_view_to_what_is_published_and_back(self, house: House):
        to = newer(house)
        browser = house.lead.browser
        assert "Version 1.5.0" in browser.get(LINE).text
        merge = browser.get(f"{LINE}/upgrade?to={to}")
        assert "1 place waits for your decision." in merge.text
        side = "side:northwind-managed-services:texts.provider.en"
        form = {
            "to": to,
            side: "own",
            side.replace("side", "value", 1): "{[",
            "command_key": merge.hidden["command_key"],
        }
        unfit = browser.post(f"{LINE}/upgrade", form | {"action": "look"})
        assert unfit.status == 422
        assert "{[" in unfit.text
        long = {"to": to, "command_key": form["command_key"], side.replace("side", "value", 1): "Northwind " * 60}
        untold = browser.post(f"{LINE}/upgrade", long | {"action": "look"})  # typed, and no side chosen
        assert "Nothing is open." in untold.text
        assert "Northwind " * 60 in untold.text
        seen = browser.post(f"{LINE}/upgrade", form | {side.replace("side", "value", 1): "Northwind", "action": "look"})
        assert "Nothing is open." in seen.text
        sent = form | {side.replace("side", "value", 1): "Northwind", "action": "publish"}
        done = browser.post(f"{LINE}/upgrade", sent | {"seen": seen.hidden["seen"]})
        assert done.status == 303
        assert "This is what is offered now." not in browser.get(LINE).text  # its history comes within seconds
        house.run()
        assert "This is what is offered now." in browser.get(LINE).text
        assert "msp-managed-services 1.5.0 + northwind-managed-services" in browser.get(LINE).text
        key = browser.get(LINE).hidden["command_key"]
        back = browser.post(f"{LINE}/back", {"seq": "1", "reason": "Too early", "command_key": key})
        assert back.status == 303
        house.run()
        assert "Too early" in browser.get(LINE).text

    def test_know_no_line_of_another_name_and_no_entry_that_was_not(self, house: House):
        browser = house.lead.browser
        assert browser.get("/templates/lines/nothing").status == 404
        key = browser.get(LINE).hidden["command_key"]
        for to in ("../x", "%00", "0" * 64):
            assert browser.get(f"{LINE}/upgrade?to={to}").status == 404
        sent = {"to": "../x", "action": "publish", "command_key": key}
        assert browser.post(f"{LINE}/upgrade", sent).status == 404
        for seq in ("999", "x", "9" * 30):
            assert browser.post(f"{LINE}/back", {"seq": seq, "reason": "x", "command_key": key}).status == 404


API = "/api/v1/templates"
PLACE = "texts.provider.en"
LINE_ID, NAME = "api-line", "api-own"


def adapted(house: House) -> dict[str, Any]:
    """Publish a template and an adaptation upon it, from documents; gives the template's."""
    ada = house.lead
    document = copy.deepcopy(dict(open_shelf("msp/managed-services").template.document)) | {"id": LINE_ID}
    first = ada.post(f"{API}/versions", {"source": json.dumps(document)}).body
    house.run()
    ground = {"id": LINE_ID, "version": document["version"], "digest": first["digest"]}
    overlay = {"slipway": "1", "overlay": NAME, "version": "1.0.0", "partner": "own", "base": ground}
    overlay |= {"patch": {"texts": {"provider": {"en": "Northwind"}}}}
    assert ada.post(f"{API}/versions", {"source": json.dumps(overlay)}).body["kind"] == "overlay"
    house.run()
    return document


class TestTheAPI:
    """What a partner's build server does with templates that are kept elsewhere."""

    def test_checks_publishes_and_upgrades_a_line_from_documents(self, house: House):
        ada = house.lead
        document = adapted(house)
        document["version"] = "1.7.0"
        document["texts"]["provider"]["en"] = "your own MSP"
        wish = {"source": json.dumps(document)}
        found = ada.post(f"{API}/checks", wish).body
        assert (found["kind"], found["name"], found["problems"]) == ("template", LINE_ID, [])
        wrong = ada.post(f"{API}/checks", {"source": "id: 7\noverlay: [\n"}).body
        assert (wrong["digest"], wrong["problems"][0]["line"]) == (None, 3)
        assert ada.post(f"{API}/versions", {"source": "id: 7"}).problem == "template-refused"
        for key in ("build-1", "build-1", "build-2"):
            made = ada.post(f"{API}/versions", wish, key=key)
            assert (made.status, made.body["digest"]) == (201, found["digest"])
        house.run()
        assert ada.get(made.headers["location"]).body["document"]["texts"]["provider"]["en"] == "your own MSP"
        document["title"] = dict.fromkeys(document["title"], "Other")
        assert ada.post(f"{API}/versions", {"source": json.dumps(document)}).problem == "version-taken"
        before = ada.get(f"{API}/{LINE_ID}").body
        assert before["chain"][0]["id"] == NAME
        upgrade = {"to": found["digest"]}
        plan = ada.post(f"{API}/{LINE_ID}/upgrade", upgrade).body
        [conflict] = [each for step in plan["steps"] for each in step["conflicts"]]
        assert (plan["ready"], conflict["path"], conflict["theirs"]) == (False, PLACE, "your own MSP")
        real = upgrade | {"dry_run": False}
        assert ada.post(f"{API}/{LINE_ID}/upgrade", real).problem == "upgrade-open"
        deep: object = 1
        for _level in range(60):
            deep = [deep]
        for value, problem in ((deep, "resolution-refused"), ([7], "template-refused")):
            own = {"decisions": {NAME: {PLACE: {"side": "own", "value": value}}}}
            assert ada.post(f"{API}/{LINE_ID}/upgrade", upgrade | own).problem == problem
        said = {"decisions": {NAME: {PLACE: {"side": "own", "value": "Northwind"}}}}
        plan = ada.post(f"{API}/{LINE_ID}/upgrade", upgrade | said).body
        assert plan["ready"] is True
        assert ada.post(f"{API}/{LINE_ID}/upgrade", real | said).problem == "upgrade-moved"
        for _again in range(2):
            done = ada.post(f"{API}/{LINE_ID}/upgrade", real | said | {"seen": plan["seen"]}, key="up")
            assert (done.status, done.body["published"]) == (200, plan["seen"])
        house.run()
        after = ada.get(f"{API}/{LINE_ID}").body
        assert [each["version"] for each in after["chain"]][1] == "1.7.0"
        assert after["history"][0]["why"] == "upgraded"
        back = {"seq": before["history"][0]["seq"], "reason": "Too early"}
        assert ada.post(f"{API}/{LINE_ID}/way-back", back).status == 200
        house.run()
        assert ada.get(f"{API}/{LINE_ID}").body["chain"] == before["chain"]
        [line] = [each for each in ada.get(API).body["items"] if each["template"] == LINE_ID]
        assert line["digest"] == before["chain"][1]["digest"]

    def test_refuses_what_is_huge_or_not_for_them(self, house: House):
        assert house.lead.post(f"{API}/checks", {"source": "x" * 250_001}).problem == "body-unfit"
        assert house.lead.post(f"{API}/checks", {"source": "[" * 200_000}).body["problems"]
        assert house.lead.post(f"{API}/versions", b'"' + b"x" * (2 << 20) + b'"').status == 413
        assert house.lead.post(f"{API}/checks", {"source": "id: a"}, key=None).problem == "idempotency-key-missing"
        assert house.cleo.get(API).status == 200
        for way in ("checks", "versions", "msp-managed-services/upgrade", "msp-managed-services/way-back"):
            assert house.cleo.post(f"{API}/{way}", {}).problem == "not-permitted"
        assert house.lead.get(f"{API}/nothing").status == house.lead.get(f"{API}/versions/{'0' * 64}").status == 404
