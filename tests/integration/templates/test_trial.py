"""What an author does with the template of docs/templates.md: publish it, and see it run in a new sandbox."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from app.kernel.ids import new_id
from app.templates.language import read_template
from app.templates.library import open_shelf
from app.templates.operations import publish
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tests.integration.onboarding.house import House
from tests.unit.flow.parts.small import NEEDED, small_text

GUIDE = (Path(__file__).parents[3] / "docs" / "templates.md").read_text("utf-8")
DRAFTS = "/templates/drafts"


class TestTrial:
    def test_of_the_guides_template_runs_in_a_sandbox(self, house: House):
        browser, text = house.lead.browser, GUIDE.split("```yaml\n", 1)[1].split("```", 1)[0]
        sent = {"source": text, "command_key": browser.get(f"{DRAFTS}/new").hidden["command_key"]}
        draft = browser.post(DRAFTS, sent).headers["location"]
        assert browser.post(f"{draft}/publications", browser.get(draft).hidden | {"source": text}).status == 303
        house.run()
        listed = browser.get("/templates").text
        [way] = set(re.findall(r"/templates/[0-9a-f]{64}(?=[^<]*>Move of mailboxes)", listed))
        shown = browser.get(way)
        tabs = re.findall(r'href="(/templates/[0-9a-f]{64}\?[^"]*view=[^"]*)"', shown.text)
        assert tabs
        assert {browser.get(unescape(way)).status for way in tabs} == {200}
        wanted = TenantRequest(house.doors.northwind, kind="sandbox", name="Trial", key="trial")
        tenant = create_tenant(house.doors.runtime, house.ada, wanted, trace_id="set-up")
        house.run()
        [row] = house.installation.rows(tenant, "SELECT id, name, state FROM {}.onboarding")
        assert row.state == "running"
        keys = {each.key for each in house.installation.rows(tenant, "SELECT key FROM {}.item WHERE state = 'open'")}
        assert "gate.handoff" in keys
        gate = f"/t/{tenant.id}/onboardings/{row.id}/gates/gate.handoff"
        asked = browser.get(gate).hidden | {"decision": "accept"}
        assert browser.post(f"{gate}/decision", asked).status == 303
        [decided] = re.findall(r"<dt>By</dt><dd>(.*?),", browser.get(gate).text)
        assert decided.strip()  # who plays a role in a sandbox holds none, and is named all the same

    def test_of_a_version_starts_that_very_version_with_its_adaptation_although_another_is_newer(self, house: House):
        browser = house.lead.browser
        address = open_shelf("msp/managed-services").template.digest.removeprefix("sha256:")
        sent = {"command_key": browser.get(f"/templates/{address}").hidden["command_key"]}
        answer = browser.post(f"/templates/{address}/trials", sent)
        assert answer.status == 303
        assert browser.post(f"/templates/{address}/trials", sent).headers["location"] == answer.headers["location"]
        house.run()
        shown = browser.get(browser.get(answer.headers["location"]).headers["location"]).text
        assert "Give the security briefing" in shown
        assert "Managed services with your service provider 1.0.0" in shown
        assert house.cleo.browser.post(f"/templates/{address}/trials", sent).status == 403
        assert browser.post(f"/templates/{'0' * 64}/trials", sent | {"command_key": str(new_id())}).status == 404

    def test_says_on_its_page_why_a_template_cannot_run_on_made_up_facts(self, house: House):
        text = small_text(NEEDED, inputs="- {id: answer, label: {en: A}, type: integer, minimum: 99, required: true}")
        text = text.replace("id: small", "id: cannot", 1).replace("minimum: 99", "minimum: 99, maximum: 98")
        with house.installation.work(house.home, house.ada) as work:
            publish(work, read_template(text, "cannot.yaml"))
        house.run()
        wanted = TenantRequest(house.doors.northwind, kind="sandbox", name="Not", key="not")
        tenant = create_tenant(house.doors.runtime, house.ada, wanted, trace_id="set-up")
        house.run()
        shown = house.lead.browser.get(f"/t/{tenant.id}").text
        assert "The onboarding cannot start" in shown
