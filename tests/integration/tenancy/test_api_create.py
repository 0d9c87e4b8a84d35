"""Creating tenants over HTTP: usable at once, once for each key, by who may, within what is allowed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.kernel.ids import new_id
from tests.factories.api import API

TENANTS = "/api/v1/tenants"


class TestCreate:
    def test_gives_a_workspace_that_is_usable_in_the_same_answer(self, api: API):
        made = api.admin.post(TENANTS, {"name": "Acme", "external_id": "crm-1"})
        assert made.status == 201, made.body
        assert (made.body["state"], made.body["organisation"]) == ("active", "northwind")
        assert made.body["links"]["portal"] == f"http://northwind.localhost:8000/t/{made.body['id']}"
        assert made.headers["location"] == f"{TENANTS}/{made.body['id']}"
        read = api.admin.get(made.headers["location"])
        assert (read.status, read.body, read.headers["etag"]) == (200, made.body, made.headers["etag"])
        assert api.admin.browser.get(f"/t/{made.body['id']}/connections").status == 200  # the partner's people get in

    def test_obeys_the_plan_and_narrower_limits_of_its_own(self, api: API):
        api.plan("small", {"onboardings": 5, "members": 3}, weight=7)
        made = api.admin.post(TENANTS, {"name": "Acme", "plan": "small", "limits": {"members": 2}})
        assert made.body["limits"] == {"members": 2}
        assert made.body["effective_limits"] == {"onboardings": 5, "members": 2}
        told = api.installation.cell("SELECT kind, weight, limits FROM cell.tenant WHERE id = %s", made.body["id"])[0]
        assert told == ("customer", 7, {"onboardings": 5, "members": 2})
        wider = api.admin.post(TENANTS, {"name": "Acme", "plan": "small", "limits": {"members": 4}})
        assert (wider.status, wider.problem) == (422, "limit-wider")
        assert wider.body["errors"][0]["pointer"] == "/limits/members"

    def test_of_a_sandbox_is_possible_and_counts_for_no_quota(self, api: API):
        assert api.admin.post(TENANTS, {"name": "Trial", "kind": "sandbox"}).body["kind"] == "sandbox"

    @pytest.mark.parametrize(
        ("body", "status", "problem", "pointer"),
        [
            ({"name": "A", "plan": "no-such"}, 422, "plan-unknown", "/plan"),
            ({"name": "A", "region": "moon"}, 422, "region-unknown", "/region"),
            ({"name": "A", "organisation": "contoso"}, 422, "organisation-unknown", "/organisation"),
            ({"name": "A", "cell": "main"}, 403, "operator-only", "/cell"),
            ({"name": "A", "kind": "home"}, 422, "body-unfit", "/kind"),
            ({"name": ""}, 422, "body-unfit", "/name"),
            ({"name": "A\u0000"}, 422, "body-unfit", "/name"),
            ({"name": "A\n"}, 422, "body-unfit", "/name"),
            ({"name": "A", "limits": {"members": -1}}, 422, "body-unfit", "/limits/members"),
            ({"name": "A", "limits": {"seats": 1}}, 422, "body-unfit", "/limits"),
            ({"name": "A", "limits": {"members": 10**30}}, 422, "body-unfit", "/limits/members"),
            ({"name": "A", "color": "red"}, 422, "body-unfit", ""),
            ([], 422, "body-unfit", ""),
            (b"{", 400, "body-unreadable", ""),
            (b'{"name": "\\ud800"}', 400, "body-unreadable", ""),
            (b'{"name": "\xff"}', 400, "body-unreadable", ""),
            (b"[" * 100_000, 400, "body-unreadable", ""),
        ],
    )
    def test_says_what_does_not_fit_and_where(self, api: API, body, status, problem, pointer):
        before = api.installation.control("SELECT count(*) FROM control.tenant")
        said = api.admin.post(TENANTS, body)
        assert (said.status, said.problem) == (status, problem)
        assert said.body["errors"][0]["pointer"] == pointer
        assert said.headers["content-type"] == "application/problem+json"
        assert api.installation.control("SELECT count(*) FROM control.tenant") == before

    def test_takes_json_only(self, api: API):
        assert api.admin.post(TENANTS, {"name": "A"}, content_type="text/plain").status == 415


class TestWho:
    def test_needs_a_person_who_is_signed_in(self, api: API):
        stranger = api.stranger()
        assert stranger.post(TENANTS, {"name": "A"}).problem == "not-signed-in"

    def test_needs_a_role_in_the_organisation_of_the_host(self, api: API):
        foreign = api.caller("eve@contoso.example", api.doors.contoso, host="contoso.localhost")
        foreign.browser.host = "northwind.localhost"  # the session is Contoso's
        assert foreign.post(TENANTS, {"name": "A"}).status == 401

    def test_needs_the_right_to(self, api: API):
        csm = api.caller("cem@northwind.example", api.doors.northwind, "csm")
        refused = csm.post(TENANTS, {"name": "A"})
        assert (refused.status, refused.problem) == (403, "not-permitted")
        assert refused.body["permission"] == "tenancy:tenant:create"
        assert csm.post(f"{TENANTS}/bulk", {"items": [{"name": "A"}]}).status == 403

    def test_needs_to_come_from_this_very_host(self, api: API):
        api.admin.origin = False
        try:
            assert api.admin.post(TENANTS, {"name": "A"}).problem == "not-from-here"
            assert api.admin.post(TENANTS, {"name": "A"}, origin="http://evil.example").problem == "not-from-here"
        finally:
            api.admin.origin = True

    def test_may_act_for_a_partner_below(self, api: API):
        made = api.admin.post(TENANTS, {"name": "Below", "organisation": "reseller"})
        assert (made.status, made.body["organisation"]) == (201, "reseller")
        assert made.body["links"]["portal"].startswith("http://reseller.localhost")
        rita = api.caller("rita@reseller.example", api.reseller, host="reseller.localhost")
        assert rita.get(made.headers["location"]).body["name"] == "Below"
        above = rita.post(TENANTS, {"name": "A", "organisation": "northwind"})
        assert (above.status, above.problem) == (422, "organisation-unknown")

    def test_of_the_operator_says_for_which_partner(self, api: API):
        operator = api.caller("olga@platform.example", api.doors.platform, "operator", host="localhost")
        assert operator.post(TENANTS, {"name": "A"}).problem == "partner-needed"
        wanted = {"name": "A", "organisation": "contoso", "cell": "main", "plan": api.plan("tiny", {"members": 1})}
        made = operator.post(TENANTS, wanted | {"limits": {"members": 9}})
        assert (made.status, made.body["effective_limits"]) == (201, {"members": 9})
        assert operator.post(TENANTS, wanted | {"cell": "nowhere"}).problem == "region-unknown"


class TestOnce:
    def test_needs_a_key(self, api: API):
        refused = api.admin.post(TENANTS, {"name": "A"}, key=None)
        assert (refused.status, refused.problem) == (400, "idempotency-key-missing")
        assert api.admin.post(TENANTS, {"name": "A"}, key="a b").problem == "idempotency-key-unfit"
        assert api.admin.post(TENANTS, {"name": "A"}, key="k" * 201).problem == "idempotency-key-unfit"

    def test_is_the_same_answer_to_the_same_request(self, api: API):
        key = new_id().hex
        first = api.admin.post(TENANTS, {"name": "Once"}, key=key)
        assert "idempotency-replayed" not in first.headers
        api.installation.control("UPDATE control.tenant SET name = 'Twice' WHERE id = %s", first.body["id"])
        again = api.admin.post(TENANTS, {"name": "Once"}, key=f'"{key}"')
        assert (again.status, again.body) == (first.status, first.body)
        assert {name: again.headers[name] for name in ("location", "etag")} == {
            name: first.headers[name] for name in ("location", "etag")
        }
        assert again.headers["idempotency-replayed"] == "true"

    def test_refuses_the_key_for_another_request(self, api: API):
        key = new_id().hex
        api.admin.post(TENANTS, {"name": "Once"}, key=key)
        other = api.admin.post(TENANTS, {"name": "Other"}, key=key)
        assert (other.status, other.problem) == (422, "command-key-reused")

    def test_keeps_the_keys_of_two_people_apart(self, api: API):
        key = new_id().hex
        ben = api.caller("ben@northwind.example", api.doors.northwind)
        made = {
            api.admin.post(TENANTS, {"name": "A"}, key=key).body["id"],
            ben.post(TENANTS, {"name": "B"}, key=key).body["id"],
        }
        assert len(made) == 2

    def test_holds_for_many_at_the_same_moment(self, api: API):
        key = new_id().hex
        with ThreadPoolExecutor(6) as pool:
            said = list(pool.map(lambda _n: api.admin.post(TENANTS, {"name": "Crowd"}, key=key), range(6)))
        assert {answer.status for answer in said} == {201}
        assert len({answer.body["id"] for answer in said}) == 1
        assert len(api.installation.control("SELECT 1 FROM control.tenant WHERE name = 'Crowd'")) == 1

    def test_goes_on_where_a_killed_process_left_off(self, api: API):
        key = new_id().hex
        made = api.admin.post(TENANTS, {"name": "Killed"}, key=key)
        api.installation.control("UPDATE control.command SET status = NULL, body = NULL WHERE key LIKE %s", f"%{key}")
        again = api.admin.post(TENANTS, {"name": "Killed"}, key=key)
        assert (again.status, again.body["id"]) == (201, made.body["id"])

    def test_does_not_keep_a_refusal(self, api: API):
        key = new_id().hex
        wanted = {"name": "Later", "plan": "later"}
        assert api.admin.post(TENANTS, wanted, key=key).status == 422
        api.plan("later", {})
        assert api.admin.post(TENANTS, wanted, key=key).status == 201

    def test_forgets_a_key_after_72_hours(self, api: API):
        key = new_id().hex
        api.admin.post(TENANTS, {"name": "Old"}, key=key)
        api.installation.control(
            "UPDATE control.command SET made_at = now() - interval '73 hours' WHERE key LIKE %s", f"%{key}"
        )
        other = api.admin.post(TENANTS, {"name": "New"}, key=key)
        assert (other.status, other.problem) == (409, "request-differs")  # the workspace itself still knows its key


class TestWithin:
    def test_the_external_id_is_taken_once_in_an_organisation(self, api: API):
        api.admin.post(TENANTS, {"name": "A", "external_id": "twice"})
        refused = api.admin.post(TENANTS, {"name": "B", "external_id": "twice"})
        assert (refused.status, refused.problem) == (409, "external-id-taken")
        assert api.admin.post(TENANTS, {"name": "C", "external_id": "twice", "organisation": "reseller"}).status == 201

    def test_the_quota_of_the_organisation_holds_at_the_same_moment(self, api: API):
        few = api.doors.organisation("few", "Few", parent=api.doors.northwind)
        api.installation.control("UPDATE control.organisation SET limits = '{\"tenants\": 2}' WHERE id = %s", few)
        with ThreadPoolExecutor(5) as pool:
            said = list(pool.map(lambda n: api.admin.post(TENANTS, {"name": f"Q{n}", "organisation": "few"}), range(5)))
        assert sorted(answer.status for answer in said) == [201, 201, 409, 409, 409]
        assert {answer.problem for answer in said if answer.status == 409} == {"quota-reached"}
        assert api.admin.post(TENANTS, {"name": "S", "organisation": "few", "kind": "sandbox"}).status == 201

    def test_no_cell_with_room_asks_to_try_again(self, api: API):
        api.installation.control("UPDATE control.cell SET state = 'closed'")
        api.runtime.placement._known = None
        try:
            refused = api.admin.post(TENANTS, {"name": "A"})
        finally:
            api.installation.control("UPDATE control.cell SET state = 'open'")
            api.runtime.placement._known = None
        assert (refused.status, refused.problem, refused.headers["retry-after"]) == (503, "cells-busy", "30")
        assert "main" not in refused.body["detail"]  # which cells there are is the operator's business

    def test_a_place_that_is_away_is_promised(self, api: API, monkeypatch: pytest.MonkeyPatch):
        key = new_id().hex
        api.cell_is_away(monkeypatch)
        asked = api.admin.post(TENANTS, {"name": "Promised"}, key=key)
        assert (asked.status, asked.body["state"]) == (202, "requested")
        assert api.admin.get(asked.headers["location"]).body["state"] == "requested"
        monkeypatch.undo()
        api.resume()
        assert api.admin.get(asked.headers["location"]).body["state"] == "active"
        assert api.admin.post(TENANTS, {"name": "Promised"}, key=key).status == 202  # the answer of then
