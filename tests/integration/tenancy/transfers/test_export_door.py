"""Exports by API: asked for once, written by a worker, followed, fetched, taken away; refused to whom it is not for."""

from __future__ import annotations

import hashlib
import http.client
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.tenancy.bundles.verification import verify_file
from app.tenancy.folder import BundleFolder
from app.tenancy.operations.transferring import transfers
from app.tenancy.operations.transferring.transfers import follow_all
from tests.factories.api import API
from tests.integration.tenancy.transfers.moves import (
    TENANTS,
    customer,
    export,
    files,
    fingerprint,
    some_key,
    state,
    swept,
    trail,
    work,
)


def fetch(api: API, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """A file over HTTP, as bytes."""
    browser = api.admin.browser
    connection = http.client.HTTPConnection("127.0.0.1", browser.port, timeout=20)
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    told = {"host": f"{browser.host}:{browser.port}", "cookie": cookie}
    connection.request("GET", path, headers=told | {k.replace("_", "-"): v for k, v in headers.items()})
    answer = connection.getresponse()
    got = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return got


class TestAnExport:
    def test_is_asked_for_written_followed_and_fetched(self, api: API, tmp_path: Path):
        tenant = customer(api)
        asked = export(api, tenant, reason="to their own house")
        path = asked.headers["location"]
        assert (asked.status, asked.body["state"], asked.body["rows"]) == (202, "queued", 0)
        assert path == f"{TENANTS}/{tenant}/exports/{asked.body['id']}"
        early = api.admin.get(f"{path}/bundle")
        assert (early.status, early.problem, early.headers["retry-after"]) == (409, "bundle-not-ready", "5")
        assert work(api) == ["tenancy.write_bundle"]
        done = api.admin.get(path).body
        assert (done["state"], done["trouble"], done["signed_by"]) == ("done", None, fingerprint(api))
        status, headers, content = fetch(api, done["links"]["bundle"])
        assert (status, headers["content-length"], headers["etag"]) == (200, str(len(content)), f'"{done["sha256"]}"')
        assert hashlib.sha256(content).hexdigest() == done["sha256"]
        (tmp_path / "x").write_bytes(content)
        checked = verify_file(tmp_path / "x")
        assert (str(checked.header.tenant), checked.header.secrets) == (tenant, False)
        assert (checked.rows, len(checked.manifest.parts), len(content)) == (done["rows"], done["parts"], done["bytes"])
        assert state(api, tenant) == ("active", "active")

    def test_is_fetched_from_some_byte_on(self, api: API):
        path = export(api, customer(api)).headers["location"] + "/bundle"
        work(api)
        _status, headers, whole = fetch(api, path)
        status, part_headers, part = fetch(api, path, range="bytes=100-299", if_range=headers["etag"])
        assert (status, part, part_headers["content-range"]) == (206, whole[100:300], f"bytes 100-299/{len(whole)}")
        assert fetch(api, path, range="bytes=512-")[2] == whole[512:]
        for ignored in ("bytes=9-3", f"bytes={len(whole)}-", "bytes=-5", "lines=1-2"):
            assert fetch(api, path, range=ignored)[::2] == (200, whole)
        assert fetch(api, path, range="bytes=1-2", if_range='"another"')[2] == whole
        assert fetch(api, path, if_none_match=headers["etag"])[0] == 304

    def test_is_told_in_both_trails_with_who_for_whom_and_why(self, api: API):
        tenant = customer(api)
        asked = export(api, tenant, reason="because").body
        work(api)
        told = [
            entry
            for entry in trail(api, api.doors.northwind)
            if asked["id"] in str(entry[2]) or tenant in str(entry[2])
        ]
        kinds = [(action, kind) for action, kind, _body in told]
        assert kinds == [("tenancy.export.requested", "person"), ("tenancy.transfer.ended", "job")]
        assert told[0][2]["fingerprint"] == asked["recipient_fingerprint"]
        assert (told[0][2]["to"], told[0][2]["why"]) == (asked["recipient"], "because")
        own = [action for action in api.actions(tenant) if ".export." in action]
        assert own == ["tenancy.export.requested", "tenancy.export.began", "tenancy.export.ended"]

    def test_happens_once_for_its_key(self, api: API):
        tenant = customer(api)
        first, second = export(api, tenant, key="once-1"), export(api, tenant, key="once-1")
        assert (second.body, second.headers["idempotency-replayed"]) == (first.body, "true")
        assert export(api, tenant, key="once-1", stays=True).problem == "command-key-reused"
        assert work(api) == ["tenancy.write_bundle"]

    def test_of_two_at_once_is_one(self, api: API):
        tenant = customer(api)
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda _n: export(api, tenant, key="both"), range(2)))
        assert {answer.status for answer in said} <= {202, 409}
        assert len({answer.body["id"] for answer in said if answer.status == 202}) == 1
        assert work(api) == ["tenancy.write_bundle"]

    def test_is_one_at_a_time(self, api: API):
        tenant = customer(api)
        assert export(api, tenant).status == 202
        assert export(api, tenant).problem == "export-running"
        work(api)
        assert export(api, tenant).status == 202

    def test_of_a_suspended_workspace_leaves_it_suspended(self, api: API):
        tenant = customer(api)
        api.admin.post(f"{TENANTS}/{tenant}/suspension", {"reason": "unpaid"})
        path = export(api, tenant).headers["location"]
        work(api)
        assert (api.admin.get(path).body["state"], state(api, tenant)) == ("done", ("suspended", "suspended"))

    def test_of_one_that_moves_leaves_it_at_rest(self, api: API):
        tenant = customer(api)
        export(api, tenant, stays=True)
        work(api)
        assert state(api, tenant) == ("exporting", "exporting")

    @pytest.mark.parametrize("more", [{}, {"secrets": True}])
    def test_goes_only_to_whom_the_operator_named(self, api: API, monkeypatch: pytest.MonkeyPatch, more: Any):
        """Staff would else read with a key of their own what the customer has not delegated to them."""
        tenant, key = customer(api), some_key()
        assert export(api, tenant, recipient=key, **more).problem == "recipient-not-named"
        assert state(api, tenant) == ("active", "active")
        named = replace(api.folder, vouched=frozenset({key}))
        monkeypatch.setitem(api.runtime.services, BundleFolder, named)
        path = export(api, tenant, recipient=key, **more).headers["location"]
        work(api)
        assert api.admin.get(path).body["state"] == "done"


class TestARefusal:
    def test_of_whom_it_is_not_for(self, api: API):
        tenant = customer(api)
        stranger = api.caller("eve@contoso.example", api.doors.contoso, host="contoso.localhost")
        done = export(api, tenant)
        work(api)
        assert export(api, tenant, stranger).status == 404
        assert stranger.get(done.headers["location"]).status == 404
        assert stranger.get(done.headers["location"] + "/bundle").status == 404
        assert stranger.send("DELETE", done.headers["location"], None, {}).status == 404
        assert api.stranger().get(done.headers["location"]).status == 401
        manager = api.caller("csm@northwind.example", api.doors.northwind, "csm")
        assert export(api, tenant, manager).problem == "not-permitted"
        assert manager.get(done.headers["location"] + "/bundle").status == 403
        assert manager.send("DELETE", done.headers["location"], None, {}).status == 403
        other = customer(api, "Other")
        assert api.admin.get(f"{TENANTS}/{other}/exports/{done.body['id']}").problem == "transfer-unknown"
        assert api.admin.get(f"{TENANTS}/imports/{done.body['id']}").problem == "transfer-unknown"

    def test_of_homes(self, api: API):
        homes = {
            row.organisation_id: row.id
            for row in api.installation.control("SELECT id, organisation_id FROM control.tenant WHERE kind = 'home'")
        }
        assert export(api, str(homes[api.doors.northwind])).problem == "own-home"
        assert export(api, str(homes[api.reseller])).problem == "home-stays"
        assert export(api, str(homes[api.doors.contoso])).status == 404

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            ({"recipient": "slwb1-" + "A" * 43}, "bundle-key-unreadable"),  # a point that nothing can be sealed to
            ({"recipient": "slwb1-" + "_" * 43}, "bundle-key-unreadable"),
            ({"recipient": "../../etc/passwd"}, "body-unfit"),
            ({"reason": "   "}, "body-unfit"),
            ({"file": "x"}, "body-unfit"),
        ],
    )
    def test_of_what_does_not_fit(self, api: API, body: dict[str, Any], problem: str):
        assert export(api, customer(api), **body).problem == problem

    def test_of_tricks_with_paths(self, api: API):
        path = export(api, customer(api)).headers["location"]
        for trick in ("/../../bundle", "/%2e%2e/bundle", "/bundle/..%2f..%2fkeys", ".part/bundle", "%00/bundle"):
            assert api.admin.browser.get(path + trick, accept="application/json").status in {400, 404}


class TestTheEndOfAFile:
    def test_comes_when_it_is_removed(self, api: API):
        path = export(api, customer(api)).headers["location"]
        work(api)
        removed = api.admin.send("DELETE", path, None, {})
        assert (removed.status, removed.body["state"], removed.body["links"]["bundle"]) == (200, "done", None)
        assert api.admin.get(f"{path}/bundle").status == 410
        assert api.admin.get(f"{path}/bundle").problem == "bundle-gone"
        assert not [name for name in files(api) if removed.body["id"] in name]
        assert api.admin.send("DELETE", path, None, {}).status == 200

    def test_comes_when_it_has_expired(self, api: API):
        asked = export(api, customer(api))
        work(api)
        assert swept(api) == 0
        api.installation.control("UPDATE control.transfer SET expires_at = now() WHERE id = %s", asked.body["id"])
        assert api.admin.get(asked.headers["location"] + "/bundle").status == 410
        assert swept(api) == 1
        assert not [name for name in files(api) if asked.body["id"] in name]

    def test_comes_when_the_workspace_is_erased(self, api: API):
        tenant = customer(api)
        asked = export(api, tenant)
        work(api)
        api.admin.post(f"{TENANTS}/{tenant}/erasure", {"reason": "gone"})
        ben = api.caller("ben@northwind.example", api.doors.northwind)
        assert ben.post(f"{TENANTS}/{tenant}/erasure/approval", {"reason": "gone"}).body["state"] == "dropped"
        assert api.admin.get(asked.headers["location"] + "/bundle").status == 410
        assert swept(api) == 1

    def test_is_private_all_the_time(self, api: API):
        export(api, customer(api))
        work(api)
        assert api.folder.path.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in api.folder.path.iterdir()} == {0o600}


class TestARequestThatWasCutOff:
    def test_is_begun_by_the_platforms_round(self, api: API, monkeypatch: pytest.MonkeyPatch):
        with monkeypatch.context() as cut:
            cut.setattr(transfers, "home_of", lambda *_given: None)
            path = export(api, customer(api)).headers["location"]
        assert work(api) == []
        assert follow_all(api.worker, seconds=0) == 1
        assert follow_all(api.worker, seconds=0) == 0
        assert work(api) == ["tenancy.write_bundle"]
        assert api.admin.get(path).body["state"] == "done"
