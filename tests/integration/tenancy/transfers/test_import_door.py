"""Imports by API: received in pieces, checked before anything is written, refused with the reason, done once."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.kernel.ids import new_id
from app.tenancy.operations.transferring import imports, transfers
from app.tenancy.operations.transferring.transfers import follow_all
from app.vault.bundle_keys import fingerprint_of, write_bundle_key
from tests.factories.api import API, MOST, Caller
from tests.factories.bundles import Site
from tests.integration.tenancy.transfers.moves import (
    FILE,
    TENANTS,
    customer,
    export,
    files,
    killed_at,
    state,
    swept,
    trail,
    upload,
    work,
)


@pytest.fixture
def sent(there: Site, api: API, tmp_path: Path) -> tuple[str, bytes]:
    """The id and the bundle of a workspace of another installation, sealed for this one."""
    tenant = there.customer()
    path = tmp_path / "sent.bundle"
    receiver = type("Receiver", (), {"keys": api.safe.open()})()
    there.export(tenant, path, receiver)
    return str(tenant.id), path.read_bytes()


def sender(there: Site) -> str:
    return fingerprint_of(there.keys.signer).replace("+", "%2B")


class TestAnImport:
    def test_makes_the_workspace_here(self, api: API, owner: Caller, there: Site, sent: tuple[str, bytes]):
        tenant, content = sent
        digest = hashlib.sha256(content).hexdigest()
        said = upload(api, owner, content, sender=sender(there), reason="welcome", sha256=digest)
        assert (said.status, said.body["state"], said.body["sha256"]) == (202, "queued", digest)
        assert work(api) == ["tenancy.read_bundle"]
        done = owner.get(said.headers["location"]).body
        assert (done["state"], done["tenant_id"], done["secrets"]) == ("done", tenant, True)
        assert state(api, tenant) == ("active", "active")
        assert owner.get(done["links"]["tenant"]).body["organisation"] == "northwind"
        assert files(api) == []
        told = [entry for entry in trail(api, api.doors.northwind) if entry[2]["why"] == "welcome"]
        assert [entry[:2] for entry in told] == [
            ("tenancy.import.requested", "person"),
            ("tenancy.transfer.ended", "job"),
        ]
        twice = upload(api, owner, content, sender=sender(there))
        work(api)
        refused = owner.get(twice.headers["location"]).body
        assert (refused["state"], refused["trouble"]["type"]) == ("failed", "tenant-is-here")
        assert state(api, tenant) == ("active", "active")

    def test_goes_to_a_partner_below(self, api: API, owner: Caller, there: Site, sent: tuple[str, bytes]):
        tenant, content = sent
        said = upload(api, owner, content, sender=sender(there), organisation="reseller")
        work(api)
        assert owner.get(f"{TENANTS}/{tenant}").body["organisation"] == "reseller"
        assert owner.get(said.headers["location"]).body["state"] == "done"

    def test_happens_once_for_its_key(self, api: API, owner: Caller, there: Site, sent: tuple[str, bytes]):
        _tenant, content = sent
        first = upload(api, owner, content, key="in-1", sender=sender(there))
        second = upload(api, owner, content, key="in-1", sender=sender(there))
        assert (second.body, second.headers["idempotency-replayed"]) == (first.body, "true")
        assert upload(api, owner, content + b"x", key="in-1", sender=sender(there)).problem == "command-key-reused"
        assert files(api) == [f"{first.body['id']}.bundle"]
        assert work(api) == ["tenancy.read_bundle"]

    def test_of_two_at_once_is_one(self, api: API, owner: Caller, there: Site, sent: tuple[str, bytes]):
        with ThreadPoolExecutor(2) as pool:
            said = list(pool.map(lambda _n: upload(api, owner, sent[1], key="in-2", sender=sender(there)), range(2)))
        assert [answer.status for answer in said] == [202, 202]
        assert len({answer.body["id"] for answer in said}) == 1
        assert files(api) == [f"{said[0].body['id']}.bundle"]
        assert work(api) == ["tenancy.read_bundle"]

    @pytest.mark.parametrize("step", ["end", "_conclude"])
    def test_whose_worker_died_after_it_is_done_all_the_same(
        self,
        api: API,
        owner: Caller,
        there: Site,
        sent: tuple[str, bytes],
        monkeypatch: pytest.MonkeyPatch,
        step: str,
    ):
        said = upload(api, owner, sent[1], sender=sender(there))
        killed_at(api, monkeypatch, step)
        done = owner.get(said.headers["location"]).body
        assert (done["state"], done["tenant_id"]) == ("done", sent[0])

    def test_that_was_cut_off_is_begun_by_the_platforms_round(
        self, api: API, owner: Caller, there: Site, sent: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
    ):
        with monkeypatch.context() as cut:
            cut.setattr(transfers, "home_of", lambda *_given: None)
            said = upload(api, owner, sent[1], sender=sender(there))
        assert work(api) == []
        assert follow_all(api.worker, seconds=0) == 1
        assert work(api) == ["tenancy.read_bundle"]
        assert owner.get(said.headers["location"]).body["state"] == "done"


class TestABundleThatIsRefused:
    def test_says_why_and_changes_nothing(self, api: API, owner: Caller, there: Site, sent: tuple[str, bytes]):
        tenant, content = sent
        altered = bytearray(content)
        altered[len(content) // 2] ^= 1
        wrong = fingerprint_of(api.safe.open().signer).replace("+", "%2B")
        cases = [
            (bytes(altered), sender(there), "bundle-broken"),
            (content[:-700], sender(there), "bundle-broken"),
            (content, wrong, "sender-unknown"),
        ]
        for sent_bytes, signer, problem in cases:
            said = upload(api, owner, sent_bytes, sender=signer)
            work(api)
            refused = owner.get(said.headers["location"]).body
            assert (said.status, refused["state"], refused["trouble"]["type"]) == (202, "failed", problem)
            assert refused["trouble"]["detail"]
            assert str(api.folder.path) not in str(refused)
        assert owner.get(f"{TENANTS}/{tenant}").status == 404
        assert files(api) == []

    def test_because_it_is_for_another_installation(self, api: API, owner: Caller, there: Site, tmp_path: Path):
        there.export(there.customer(), tmp_path / "x", there)
        said = upload(api, owner, (tmp_path / "x").read_bytes(), sender=sender(there))
        work(api)
        assert owner.get(said.headers["location"]).body["trouble"]["type"] == "bundle-for-others"

    @pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"\0" * 2000, b"x" * 5000, b"\0" * 1024])
    def test_because_it_is_none_is_refused_at_the_door(self, api: API, owner: Caller, content: bytes):
        said = upload(api, owner, content)
        assert (said.status, said.problem) == (422, "bundle-broken")
        assert str(api.folder.path) not in str(said.body)
        assert files(api) == []

    def test_because_it_is_not_the_file_that_was_meant(self, api: API, owner: Caller):
        said = upload(api, owner, b"bundle.json", sha256="0" * 64)
        assert (said.status, said.problem) == (422, "bundle-damaged")
        assert files(api) == []


class TestAnUpload:
    def test_is_not_received_from_whom_may_not_import(self, api: API, owner: Caller):
        assert upload(api, api.admin, b"x").problem == "not-permitted"
        assert upload(api, api.stranger(), b"x").status == 401
        assert upload(api, owner, b"x", organisation="contoso").problem == "organisation-unknown"
        path = f"{TENANTS}/imports?sender=SHA256:{'A' * 43}&reason=x"
        assert owner.send("POST", path, b"x", {"content_type": FILE}).problem == "idempotency-key-missing"
        more = {"content_type": "application/json", "idempotency_key": new_id().hex}
        assert owner.send("POST", path, b"x", more).status == 415
        assert upload(api, owner, b"x", file="..%2f..%2fkeys").problem == "query-unfit"
        assert upload(api, owner, b"x", sender="me").problem == "query-unfit"
        assert files(api) == []

    def test_waits_outside_while_many_wait_inside(
        self, api: API, owner: Caller, there: Site, sent: tuple[str, bytes], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(imports, "MOST", 1)
        first = upload(api, owner, sent[1], key="in-3", sender=sender(there))
        full = upload(api, owner, sent[1], sender=sender(there))
        assert (full.status, full.problem, full.headers["retry-after"]) == (409, "imports-waiting", "30")
        assert upload(api, owner, sent[1], key="in-3", sender=sender(there)).body == first.body
        assert upload(api, owner, sent[1], sender=sender(there), organisation="reseller").status == 202
        work(api)
        assert files(api) == []

    def test_that_is_too_large_is_refused_before_it_is_read(self, api: API, owner: Caller):
        head = _head(owner, f"content-length: {MOST + 1}")
        assert b" 413 " in _send(owner, head)
        assert files(api) == []

    def test_that_grows_too_large_is_stopped(self, api: API, owner: Caller):
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        answer = _send(owner, _head(owner, "transfer-encoding: chunked"), *([piece] * (MOST // 0x10000 + 2)))
        assert b" 413 " in answer
        assert files(api) == []

    def test_that_is_cut_leaves_nothing(self, api: API, owner: Caller):
        with socket.create_connection(("127.0.0.1", owner.browser.port), timeout=10) as line:
            line.sendall(_head(owner, "content-length: 100000") + b"x" * 500)
            _await(lambda: bool(files(api)))
        _await(lambda: not files(api))

    def test_that_a_killed_program_left_is_swept(self, api: API):
        api.folder.prepare()
        left = api.folder.path / f"{new_id()}.upload"
        left.write_bytes(b"x")
        assert swept(api) == 0

        os.utime(left, (1, 1))
        assert swept(api) == 1
        assert files(api) == []

    def test_round_trip_of_our_own_export_is_refused_since_it_is_here(self, api: API, owner: Caller):
        tenant = customer(api)
        asked = export(api, tenant, recipient=write_bundle_key(api.safe.open().public_key))
        work(api)
        said = upload(api, owner, api.folder.file(UUID(asked.body["id"])).read_bytes())
        work(api)
        assert owner.get(said.headers["location"]).body["trouble"]["type"] == "tenant-is-here"
        assert state(api, tenant) == ("active", "active")
        api.admin.send("DELETE", asked.headers["location"], None, {})


def _head(caller: Caller, length: str) -> bytes:
    browser = caller.browser
    host = f"{browser.host}:{browser.port}"
    lines = [
        f"POST {TENANTS}/imports?sender=SHA256:{'A' * 43}&reason=x HTTP/1.1",
        f"host: {host}",
        f"origin: http://{host}",
        "cookie: " + "; ".join(f"{name}={value}" for name, value in browser.cookies.items()),
        f"content-type: {FILE}",
        f"idempotency-key: {new_id().hex}",
        length,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _send(caller: Caller, *pieces: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", caller.browser.port), timeout=10) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except OSError:  # it has answered and hung up: that is what is asked
            pass
        return line.recv(4096)


def _await(condition: Any) -> None:

    tick = threading.Event()
    for _ in range(500):
        if condition():
            return
        tick.wait(0.02)
    raise AssertionError("it did not come about")
