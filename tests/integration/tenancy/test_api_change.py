"""Changing, suspending and erasing tenants over HTTP: from the version that was read, with a reason, by two people."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from tests.factories.api import API, Said

TENANTS = "/api/v1/tenants"


@pytest.fixture
def acme(api: API) -> Said:
    """A customer's workspace, as it was answered."""
    return api.admin.post(TENANTS, {"name": "Acme", "limits": {"members": 9}})


class TestUpdate:
    def test_changes_what_is_said_and_tells_the_cell_and_both_trails(self, api: API, acme: Said):
        api.plan("bigger", {"onboardings": 8, "members": 50}, weight=3)
        patch = {"name": "Acme & Sons", "plan": "bigger", "service_package": "gold", "limits": {"onboardings": 4}}
        path = acme.headers["location"]
        changed = api.admin.patch(path, patch, version=acme.headers["etag"])
        assert changed.status == 200, changed.body
        assert changed.body["name"] == "Acme & Sons"
        assert changed.body["limits"] == {"members": 9, "onboardings": 4}
        assert changed.headers["etag"] == api.admin.get(path).headers["etag"] != acme.headers["etag"]
        told = api.installation.cell("SELECT weight, limits FROM cell.tenant WHERE id = %s", acme.body["id"])[0]
        assert told == (3, {"members": 9, "onboardings": 4})
        assert api.actions(acme.body["id"]) == ["tenancy.tenant.created", "tenancy.tenant.changed"]

    def test_takes_away_what_is_null(self, api: API, acme: Said):
        path = acme.headers["location"]
        assert api.admin.patch(path, {"limits": {"members": None}}, version="*").body["limits"] == {}
        set_again = api.admin.patch(path, {"limits": {"members": 1}, "external_id": "x-1"}, version="*").body
        assert (set_again["limits"], set_again["external_id"]) == ({"members": 1}, "x-1")
        gone = api.admin.patch(path, {"limits": None, "external_id": None}, version="*").body
        assert (gone["limits"], gone["external_id"]) == ({}, None)

    def test_that_changes_nothing_leaves_no_trace(self, api: API, acme: Said):
        same = api.admin.patch(acme.headers["location"], {"name": "Acme"}, version=acme.headers["etag"])
        assert (same.status, same.headers["etag"]) == (200, acme.headers["etag"])
        assert api.actions(acme.body["id"]) == ["tenancy.tenant.created"]

    def test_needs_the_version_that_was_read(self, api: API, acme: Said):
        path = acme.headers["location"]
        assert api.admin.patch(path, {"name": "B"}, version=None).status == 428
        assert api.admin.patch(path, {"name": "B"}, version="abc").problem == "precondition-unfit"
        stale = api.admin.patch(path, {"name": "B"}, version='"00000000000000000000000000000000"')
        assert (stale.status, stale.problem) == (412, "stale")
        assert api.admin.patch(path, {"name": "B"}, version=f"W/{acme.headers['etag']}").status == 412
        assert api.admin.patch(path, {"name": "B"}, version=f'"x", {acme.headers["etag"]}').status == 200

    def test_of_two_at_once_the_second_is_stale(self, api: API, acme: Said):
        path, version = acme.headers["location"], acme.headers["etag"]
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda n: api.admin.patch(path, {"name": f"N{n}"}, version=version), range(4)))
        assert {answer.status for answer in said} <= {200, 409, 412}
        assert sum(answer.status == 200 for answer in said) == 1

    @pytest.mark.parametrize(
        ("patch", "status", "problem"),
        [
            ({"plan": "no-such"}, 422, "plan-unknown"),
            ({"name": None}, 422, "body-unfit"),
            ({"kind": "sandbox"}, 422, "body-unfit"),
            ({"state": "active"}, 422, "body-unfit"),
            ({"external_id": "held"}, 409, "external-id-taken"),
            ({"external_id": "held", "plan": "held"}, 409, "external-id-taken"),
            ({"plan": "held", "limits": {"members": 4}}, 422, "limit-wider"),
        ],
    )
    def test_refuses_what_does_not_fit_and_changes_nothing(self, api: API, acme: Said, patch, status, problem):
        if not api.installation.control("SELECT 1 FROM control.plan WHERE key = 'held'"):
            api.plan("held", {"members": 3})
            api.admin.post(TENANTS, {"name": "Holder", "external_id": "held"})
        own = {} if "limits" in patch else {"limits": None}
        said = api.admin.patch(acme.headers["location"], own | patch, version="*")
        assert (said.status, said.problem) == (status, problem)
        assert api.admin.get(acme.headers["location"]).body == acme.body

    def test_needs_the_right_to_and_its_media_type(self, api: API, acme: Said):
        csm = api.caller("cem@northwind.example", api.doors.northwind, "csm")
        assert csm.patch(acme.headers["location"], {"name": "B"}, version="*").problem == "not-permitted"
        text = api.admin.patch(acme.headers["location"], {"name": "B"}, version="*", content_type="text/plain")
        assert text.status == 415

    def test_of_the_own_home_is_for_the_organisation_above(self, api: API):
        home = api.installation.tenant(api.doors.contoso, "Contoso", kind="home")
        cora = api.caller("cora@contoso.example", api.doors.contoso, host="contoso.localhost")
        assert cora.patch(f"{TENANTS}/{home.id}", {"name": "B"}, version="*").problem == "own-home"


class TestState:
    def test_is_suspended_and_resumed_for_a_reason(self, api: API, acme: Said):
        path = acme.headers["location"]
        assert api.admin.post(f"{path}/suspension", {"reason": " "}).problem == "body-unfit"
        stopped = api.admin.post(f"{path}/suspension", {"reason": "Unpaid"}, key="stop")
        assert (stopped.status, stopped.body["state"]) == (200, "suspended")
        assert api.admin.browser.get(f"/t/{acme.body['id']}/connections").status == 503
        again = api.admin.post(f"{path}/suspension", {"reason": "Unpaid"}, key="stop")
        assert (again.body, again.headers["idempotency-replayed"]) == (stopped.body, "true")
        assert api.admin.post(f"{path}/resumption", {"reason": "Paid"}).body["state"] == "active"
        told = ["tenancy.tenant.created", "tenancy.tenant.suspended", "tenancy.tenant.resumed"]
        assert api.actions(acme.body["id"]) == told

    def test_needs_the_right_to(self, api: API, acme: Said):
        lead = api.caller("lea@northwind.example", api.doors.northwind, "onboarding_lead")
        for step in ("suspension", "resumption", "erasure", "erasure/approval"):
            assert lead.post(f"{acme.headers['location']}/{step}", {"reason": "x"}).problem == "not-permitted"


class TestErasure:
    def test_takes_two_people_and_says_when_it_is_effective(self, api: API, acme: Said):
        path = f"{acme.headers['location']}/erasure"
        assert api.admin.get(path).problem == "no-erasure"
        asked = api.admin.post(path, {"reason": "Contract ended"})
        assert (asked.status, asked.body["state"], asked.body["effective_at"]) == (200, "requested", None)
        assert api.admin.post(f"{path}/approval", {"reason": "Yes"}).problem == "second-person-needed"
        ben = api.caller("ben@northwind.example", api.doors.northwind)
        done = ben.post(f"{path}/approval", {"reason": "Yes"})
        assert (done.status, done.body["state"]) == (200, "dropped"), done.body
        assert done.body["effective_at"] > done.body["decided_at"]
        assert api.admin.get(path).body == done.body
        gone = api.admin.get(acme.headers["location"]).body
        assert (gone["state"], gone["name"]) == ("dropped", "")
        assert api.admin.patch(acme.headers["location"], {"name": "Back"}, version="*").problem == "wrong-state"

    @pytest.mark.parametrize("build", ["this", "earlier"])
    def test_leaves_no_answer_behind_that_names_it(self, api: API, build: str):
        wanted, key = {"items": [{"name": "Secret Ltd"}, {"name": "Other Ltd"}]}, f"secret-{build}"
        made = api.admin.post(f"{TENANTS}/bulk", wanted, key=key).body["results"][0]["tenant"]
        path = f"{made['links']['api']}/erasure"
        named = api.installation.control("SELECT tenant_ids FROM control.command WHERE key LIKE %s", f"%{key}")
        assert UUID(made["id"]) in named[0].tenant_ids
        assert len(named[0].tenant_ids) == 2
        if build == "earlier":
            api.installation.control("UPDATE control.command SET tenant_ids = NULL")
        api.admin.post(path, {"reason": "Contract ended"})
        api.caller("ben@northwind.example", api.doors.northwind).post(f"{path}/approval", {"reason": "Yes"})
        held = api.installation.control("SELECT convert_from(body, 'UTF8') AS body FROM control.command")
        assert not [row for row in held if row.body and "Secret Ltd" in row.body]
        again = api.admin.post(f"{TENANTS}/bulk", wanted, key=key).body["results"][0]
        assert (again["status"], again["problem"]["type"].rsplit("/", 1)[-1]) == (409, "request-differs")

    def test_can_be_taken_back_while_nobody_has_agreed(self, api: API, acme: Said):
        path = f"{acme.headers['location']}/erasure"
        assert api.admin.post(f"{path}/withdrawal", {"reason": "No"}).problem == "no-erasure"
        api.admin.post(path, {"reason": "Contract ended"})
        assert api.admin.post(f"{path}/withdrawal", {"reason": "Renewed"}).body["state"] == "withdrawn"
        assert api.admin.get(acme.headers["location"]).body["state"] == "active"
