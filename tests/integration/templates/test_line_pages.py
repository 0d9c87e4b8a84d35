"""The pages of a line over HTTP: what is offered, the merge view with a decision, publishing, and the way back."""

from __future__ import annotations

import copy

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
