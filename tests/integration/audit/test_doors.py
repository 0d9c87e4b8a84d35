"""The trail over HTTP: read by filter and page, taken out and verified, erased from, refused and written down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html import escape
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest

from app.audit.bundle.verifying import verify_bundle
from app.audit.operations.sequence import sequence_trail
from app.cli import main
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from app.kernel.work import open_work
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant
from tests.factories.api import API, Caller
from tests.factories.trails import Noted


@pytest.fixture(scope="module")
def tenant(api: API) -> Tenant:
    made = api.admin.post("/api/v1/tenants", {"name": "Acme"}).body
    with lookup_session(api.runtime.databases) as (session, _now):
        found = find_tenant(session, UUID(made["id"]))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def owner(api: API, tenant: Tenant) -> Caller:
    return customer(api, tenant, "olga@acme.example", "owner")


def customer(api: API, tenant: Tenant, email: str, role: str) -> Caller:
    api.doors.member(email, tenant, role)
    browser = api.doors.browser()
    api.doors.sign_in(browser, email, proved=True)
    return Caller(browser)


def note(api: API, tenant: Tenant, count: int, **more) -> UUID:
    """So many entries about one thing; gives the thing."""
    subject = new_id()
    with open_work(api.runtime, tenant, job_actor(new_id(), "test"), trace_id="t") as work:
        for number in range(count):
            work.record(Noted(subject_id=subject, number=number, **more))
    return subject


def settle(api: API, tenant: Tenant) -> None:
    """The sequencer, until nothing is left."""
    added = 1
    while added:
        with open_work(api.worker, tenant, job_actor(new_id(), "audit.sequence"), trace_id="") as work:
            added = sequence_trail(work).added


def path(tenant: Tenant, tail: str = "", **query: str) -> str:
    return f"/api/v1/tenants/{tenant.id}/trail{tail}" + (f"?{urlencode(query)}" if query else "")


class TestReading:
    def test_gives_the_newest_first_and_every_entry_once(self, api: API, tenant: Tenant, owner: Caller):
        subject, seen, where = str(note(api, tenant, 7)), [], path(tenant, limit="3")
        where = path(tenant, subject=subject, limit="3")
        while where:
            said = owner.get(where)
            assert said.status == 200
            seen += [entry["body"]["number"] for entry in said.body["items"]]
            cursor = said.body["next"]
            where = path(tenant, subject=subject, limit="3", cursor=cursor) if cursor else ""
        assert seen == [6, 5, 4, 3, 2, 1, 0]

    def test_filters_by_person_kind_and_period(self, api: API, tenant: Tenant, owner: Caller):
        note(api, tenant, 1)
        everything = owner.get(path(tenant, action="test")).body["items"]
        assert {entry["action"] for entry in everything} == {"test.noted"}
        person = everything[0]["actor"]["id"]
        assert {entry["actor"]["id"] for entry in owner.get(path(tenant, person=person)).body["items"]} == {person}
        at = everything[0]["at"]
        later = owner.get(path(tenant, action="test", since=at)).body["items"]
        earlier = owner.get(path(tenant, action="test", until=at)).body["items"]
        assert everything[0]["id"] in {entry["id"] for entry in later}
        assert everything[0]["id"] not in {entry["id"] for entry in earlier}

    @pytest.mark.parametrize(
        "query",
        [
            {"person": "x"},
            {"limit": "0"},
            {"cursor": "x"},
            {"since": "1"},
            {"odd": "1"},
            {"since": "2026-13-01T00:00:00Z"},
        ],
    )
    def test_refuses_what_it_does_not_understand(self, tenant: Tenant, owner: Caller, query: dict[str, str]):
        assert owner.get(path(tenant, **query)).status == 400

    def test_is_for_who_has_the_right(self, api: API, tenant: Tenant, owner: Caller):
        contributor = customer(api, tenant, "carl@acme.example", "contributor")
        assert contributor.get(path(tenant)).status == 403
        assert contributor.get(path(tenant, "/export")).status == 403
        elsewhere = api.caller("eve@contoso.example", api.doors.contoso, host="contoso.localhost")
        assert elsewhere.get(path(tenant)).status == 404
        assert api.stranger().get(path(tenant)).status == 401
        assert owner.get(path(tenant)).status == 200

    def test_that_was_refused_is_in_the_trail(self, api: API, tenant: Tenant, owner: Caller):
        reader = customer(api, tenant, "rita@acme.example", "viewer")
        assert [reader.get(path(tenant)).status for _knock in range(3)] == [403, 403, 403]
        found = owner.get(path(tenant, action="audit.access")).body["items"]
        rita = [entry for entry in found if entry["actor"]["name"].startswith("Rita")]
        assert [entry["body"] for entry in rita] == [{"permission": "audit:trail:read", "count": 1}]


class TestTakingItOut:
    def test_proves_itself_with_neither_database_nor_network(
        self, api: API, tenant: Tenant, owner: Caller, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ):
        note(api, tenant, 5, reason="said")
        settle(api, tenant)
        answer = owner.browser.get(path(tenant, "/export"))
        assert answer.headers["content-disposition"].endswith('.trail.jsonl"')
        bundle, key = tmp_path / "acme.trail.jsonl", owner.get(path(tenant)).body["head"]["key"]
        bundle.write_bytes(answer.text.encode())
        lines = bundle.read_bytes().splitlines(keepends=True)
        assert verify_bundle(lines).entries == answer.text.count('"entry":')
        bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd())}  # no settings, so no database
        run = [sys.executable, "-m", "app.cli", "trail", "verify", str(bundle), "--key", key]
        good = subprocess.run(run, env=bare, capture_output=True, text=True, check=False)
        assert (good.returncode, good.stderr) == (0, "")
        assert key in good.stdout
        lines[2] = lines[2].replace(b'"v":2', b'"v":3')
        bundle.write_bytes(b"".join(lines))
        assert main(["trail", "verify", str(bundle), "--key", key]) == 1
        assert capsys.readouterr().err.startswith("slipway: Line 3 (entry 1): ")
        actions = [entry["action"] for entry in owner.get(path(tenant, action="audit.trail")).body["items"]]
        assert actions[0] == "audit.trail.exported"

    def test_as_a_table_begins_no_cell_like_a_formula(self, api: API, tenant: Tenant, owner: Caller):
        note(api, tenant, 1, reason="=HYPERLINK(1)")
        settle(api, tenant)
        answer = owner.browser.get(path(tenant, "/export", format="csv"))
        assert answer.headers["content-type"].startswith("text/csv")
        assert '"\'=HYPERLINK(1)"' in answer.text

    def test_as_ocsf_has_a_class_and_a_type_on_every_line(self, api: API, tenant: Tenant, owner: Caller):
        note(api, tenant, 1)
        settle(api, tenant)
        lines = owner.browser.get(path(tenant, "/export", format="ocsf")).text.splitlines()
        events = [json.loads(line) for line in lines]
        assert all(event["type_uid"] == event["class_uid"] * 100 + event["activity_id"] for event in events)
        assert {event["metadata"]["tenant_uid"] for event in events} == {str(tenant.id)}
        assert {event["class_uid"] for event in events} <= {3001, 3002, 6003}


class TestErasing:
    def test_is_done_once_for_its_key_and_needs_the_owner(self, api: API, tenant: Tenant, owner: Caller):
        jean = note(api, tenant, 2, reason="Jean asked")
        wanted, key = {"person_id": str(jean), "reason": "left"}, new_id().hex
        assert owner.post(path(tenant, "/erasures"), wanted, key=key).body == {"entries": 2}
        assert owner.post(path(tenant, "/erasures"), wanted, key=key).body == {"entries": 2}
        admin = customer(api, tenant, "adam@acme.example", "admin")
        assert admin.post(path(tenant, "/erasures"), wanted).status == 403
        items = owner.get(path(tenant, subject=str(jean), action="test")).body["items"]
        assert {entry["reason"] for entry in items} == {None}


class TestThePage:
    def test_shows_entries_in_words_with_the_state_of_the_proof(self, api: API, tenant: Tenant, owner: Caller):
        settle(api, tenant)
        page = owner.browser.get(f"/t/{tenant.id}/trail")
        assert page.status == 200
        assert "created this workspace" in page.text
        assert "is signed" in page.text
        filtered = owner.browser.get(f"/t/{tenant.id}/trail?action=tenancy&since=2020-01-01&person=nonsense")
        assert filtered.status == 200

    def test_changes_what_is_kept_and_says_so(self, api: API, tenant: Tenant, owner: Caller):
        hidden = owner.browser.get(f"/t/{tenant.id}/trail").hidden
        fields = {"command_key": str(new_id()), "months": "24", "addresses": "audit@acme.example"}
        assert hidden
        assert owner.browser.post(f"/t/{tenant.id}/trail/keeping", fields).status == 303
        newest = owner.get(path(tenant, action="audit.settings")).body["items"][0]["body"]
        assert newest["after"] == {"months": 24, "addresses": ["audit@acme.example"]}
        assert "audit@acme.example" in owner.browser.get(f"/t/{tenant.id}/trail").text

    @pytest.mark.parametrize(
        "wrong",
        [{"months": "0"}, {"months": "x"}, {"addresses": "nobody"}, {"addresses": "a@b.example\nBcc: c@d.example"}],
    )
    def test_refuses_settings_that_cannot_be(self, tenant: Tenant, owner: Caller, wrong: dict[str, str]):
        fields = {"command_key": str(new_id()), "months": "", "addresses": ""} | wrong
        refused = owner.browser.post(f"/t/{tenant.id}/trail/keeping", fields)
        assert (refused.status, "needs your attention" in refused.text) == (422, True)
        assert all(escape(line) in refused.text for typed in wrong.values() for line in typed.split("\n"))
        assert 'aria-invalid="true"' in refused.text

    def test_says_on_the_page_that_nobody_is_named_to_be_told(self, api: API, tenant: Tenant, owner: Caller):
        settings = {"command_key": str(new_id()), "months": "36", "addresses": ""}
        assert owner.browser.post(f"/t/{tenant.id}/trail/keeping", settings).status == 303
        refused = owner.browser.post(f"/t/{tenant.id}/trail/checkpoint", {"command_key": str(new_id())})
        assert (refused.status, "Name at least one address first." in refused.text) == (422, True)
        assert 'value="36"' in refused.text, "the page of the trail, with what holds"
