"""Access over HTTP, as both sides meet it: the page in words, the forms, the API, the reason of a decision."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from app.kernel.ids import new_id
from tests.factories.api import Caller
from tests.factories.doors import Browser
from tests.integration.access.conftest import Street


class TestThePage:
    def test_carries_a_request_from_the_partner_to_the_customers_yes_and_to_its_end(self, street: Street):
        assert street.dana.get(f"/t/{street.acme.id}").status == 404
        page = street.dana.get(street.page)
        assert (page.status, "You have no access here" in page.text) == (200, True)
        until = (street.doors.installation.cell("SELECT now() + interval '30 days' AS at")[0].at).date()
        sent = street.send(
            street.dana, f"{street.page}/requests", roles="csm", reason="Go-live", ends_on=until.isoformat()
        )
        assert sent.status == 303
        page = street.olga.get(street.page)
        assert "Dana@Northwind.Example of Northwind asks for access" in page.text
        [asked] = street.listed(street.olga)
        street.doors.prove(street.olga, minutes_ago=16)
        form = {"version": asked["version"], "ends_on": until.isoformat(), "may": "onboarding:onboarding:read"}
        assert street.send(street.olga, f"{street.page}/{asked['id']}/approval", **form).status == 403
        street.doors.prove(street.olga)
        assert street.send(street.olga, f"{street.page}/{asked['id']}/approval", **form).status == 303
        [given] = street.listed(street.olga)
        assert given["state"] == "active"
        assert given["roles"][0].startswith("csm!"), "what was left unticked is taken away"
        assert "onboarding:task:complete" in given["roles"][0]
        again = street.send(street.olga, f"{street.page}/{asked['id']}/approval", **form)
        assert (again.status, "has moved on" in again.text) == (412, True)
        assert street.dana.get(street.page).status == 200
        assert "Dana@Northwind.Example" in street.olga.get(street.page).text
        assert street.send(street.olga, f"{street.page}/{asked['id']}/end", reason="Done").status == 303
        assert street.dana.get(f"/t/{street.acme.id}").status == 404
        page = street.olga.get(street.page)
        assert "Nobody outside your company has access" in page.text

    def test_gives_back_what_was_typed_and_says_what_is_wrong(self, street: Street):
        sent = street.send(street.dana, f"{street.page}/requests", reason="Because", ends_on="2020-01-01", roles="csm")
        assert sent.status == 422
        assert "Because" in sent.text
        assert "The end has to be in the future" in sent.text

    def test_is_nobody_elses(self, street: Street):
        assert street.eve.get(street.page).status == 404
        assert street.eve.another("northwind.localhost").get(street.page).status == 303
        assert street.send(street.eve, f"{street.page}/requests", roles="csm", reason="x").status == 404
        assert street.send(street.olga, f"{street.page}/requests", roles="csm", reason="x").status == 403
        assert street.send(street.olga, f"{street.page}/{new_id()}/end", reason="x").status == 404
        assert street.send(street.olga, f"{street.page}/{new_id()}/nonsense", reason="x").status == 404

    def test_lists_the_partners_access_by_customers_names(self, street: Street):
        street.doors.installation.run_due({})
        page = street.ada.get("/delegations?state=over&q=acm")
        assert page.status == 200
        assert street.olga.get("/delegations").status == 404


class TestTheAPI:
    def test_breaks_the_glass_once_and_says_so_again(self, street: Street):
        ada, wish = Caller(street.ada), {"roles": ["csm"], "reason": "Stuck", "hours": 1}
        first = ada.post(f"{street.api}/delegations/emergency", wish, key="glass")
        assert (first.status, first.body["kind"]) == (201, "break_glass")
        again = ada.post(f"{street.api}/delegations/emergency", wish, key="glass")
        assert again.headers["idempotency-replayed"] == "true"
        assert (again.body, again.headers["etag"]) == (first.body, first.headers["etag"])
        refused = ada.post(f"{street.api}/delegations/emergency", wish)
        assert (refused.status, refused.problem) == (409, "glass-too-soon")
        assert Caller(street.dana).post(f"{street.api}/delegations/emergency", wish).status == 403
        assert "let themselves in without having asked" in street.olga.get(street.page).text
        ended = Caller(street.olga).post(f"{street.api}/delegations/{first.body['id']}/end", {"reason": "No"})
        assert ended.body["ended_by"] == "customer"

    def test_narrows_a_version_that_was_read(self, street: Street):
        dana, olga = Caller(street.dana), Caller(street.olga)
        now = street.doors.installation.cell("SELECT now() AS at")[0].at
        wish = {
            "roles": ["csm", "implementation"],
            "reason": "Go-live",
            "ends_at": (now + timedelta(days=9)).isoformat(),
        }
        asked = dana.post(f"{street.api}/delegations", wish)
        assert asked.status == 201
        path = f"{street.api}/delegations/{asked.body['id']}"
        assert olga.get(path).headers["etag"] == asked.headers["etag"]
        assert olga.post(f"{path}/approval", {}).status == 428
        given = olga.post(f"{path}/approval", {"roles": ["csm"]}, if_match=asked.headers["etag"])
        assert (given.status, given.body["roles"]) == (200, ["csm"])
        assert olga.post(f"{path}/narrowing", {"roles": ["csm"]}, if_match=asked.headers["etag"]).status == 412
        match = {"if-match": given.headers["etag"]}
        groups = {"groups": [{"id": str(new_id()), "name": "Acme's own IT", "roles": ["csm"]}]}
        strange = dana.send("PUT", f"{path}/groups", groups, match | {"idempotency-key": "strange"})
        assert (strange.status, strange.problem) == (422, "group-unknown")
        groups["groups"][0]["id"] = street.group("Care")
        mapped = dana.send("PUT", f"{path}/groups", groups, match | {"idempotency-key": "g"})
        assert (mapped.status, mapped.body["groups"][0]["name"]) == (200, "Care"), "its directory calls it so"
        assert dana.post(f"{path}/end", {"reason": "Done"}).status == 403
        assert Caller(street.ada).post(f"{path}/end", {"reason": "Done"}).body["ended_by"] == "partner"


class TestTheReason:
    def explain(self, who: Browser, street: Street, permission: str, **more: str) -> Any:
        query = "&".join(f"{name}={value}" for name, value in {"permission": permission, **more}.items())
        return Caller(who).get(f"{street.api}/explain?{query}")

    def test_names_rule_role_assignment_and_delegation(self, street: Street):
        street.doors.delegation(street.acme, json.dumps(["onboarding_lead"]))
        told = self.explain(street.dana, street, "onboarding:gate:decide").body
        assert told["allowed"]
        assert told["rule"] == "p, onboarding_lead, onboarding:gate:decide, allow"
        assert told["decided_by"][0]["source"] == "delegation"
        assert told["assigned"] == [
            {"organisation": "Northwind", "role": "onboarding_lead", "own_name": None, "means": "onboarding_lead"}
        ]
        assert told["delegations"][0]["would_allow"]
        page = street.dana.get(f"{street.page}?why=onboarding:gate:decide")
        assert "p, onboarding_lead, onboarding:gate:decide, allow" in page.text

    def test_says_what_is_missing_and_of_others_only_to_who_may(self, street: Street):
        told = self.explain(street.olga, street, "partners:brand:edit").body
        assert (told["allowed"], told["rule"]) == (False, None)
        dana = str(street.doors.staff("dana@northwind.example", street.doors.northwind, "onboarding_lead"))
        about = self.explain(street.olga, street, "onboarding:gate:decide", person=dana).body
        mine = self.explain(street.dana, street, "onboarding:gate:decide").body
        assert (about["allowed"], about["rule"], about["holds"]) == (mine["allowed"], mine["rule"], mine["holds"])
        olga = about["person"] and self.explain(street.olga, street, "onboarding:gate:decide").body["person"]
        assert self.explain(street.dana, street, "onboarding:gate:decide", person=olga).status == 403
        assert self.explain(street.olga, street, "made:up:thing").status == 400
        assert self.explain(street.eve, street, "onboarding:gate:decide").status == 404


class TestRolesOfOnesOwn:
    def test_are_made_changed_and_removed(self, street: Street):
        ada, wish = Caller(street.ada), {"name": "Care", "base": "csm", "removed": ["intake:deal:read"]}
        made = ada.post("/api/v1/roles", wish, key="care")
        assert (made.status, made.body["means"]) == (201, "csm!intake:deal:read")
        assert ada.post("/api/v1/roles", wish, key="care").body == made.body
        assert ada.post("/api/v1/roles", wish | {"name": "Other"}, key="care").problem == "command-key-reused"
        path = f"/api/v1/roles/{made.body['id']}"
        assert ada.send("PUT", path, wish, {"if-match": '"old"'}).status == 412
        changed = ada.send("PUT", path, wish | {"name": "Care team"}, {"if-match": made.headers["etag"]})
        assert (changed.status, changed.body["name"]) == (200, "Care team")
        assert [each["name"] for each in ada.get("/api/v1/roles").body["items"]] == ["Care team"]
        assert ada.send("DELETE", path, None, {}).status == 204
        assert ada.get(path).status == 404
        assert Caller(street.dana).post("/api/v1/roles", wish).status == 403
