"""The connector of files: a real SFTP server, with everything that goes wrong between two folders."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paramiko
import pytest

from app.connectors.auth.schemes import WAY
from app.connectors.catalog.sftp_csv import stand_in
from app.connectors.catalog.sftp_csv.stand_in import FileFault, SftpStandIn
from app.connectors.files.sftp import fingerprint_of
from app.connectors.kit.contract import ActionCall, CallReport
from app.connectors.kit.runner import Runner
from app.connectors.kit.settings import ConnectionConfig
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import NO_ENTRIES, AddressBook
from app.kernel.outcomes import Done, GiveUp, NeedsPerson, TryAgain
from app.vault.secret import Secret
from tests.contract.conftest import REGISTRY

CONNECTOR = REGISTRY.get("sftp_csv")
PASSWORD = "canary-p4ssw0rd-of-files"
ROW = {"customer_no": "C-1", "name": "Contoso", "seats": 40, "start": "2026-03-01"}
HOST = "files.partner.example"


class Exchange:
    """The server, and a runner whose calls lead to it."""

    def __init__(self, server: SftpStandIn) -> None:
        self.server = server
        self.client = OutboundClient(AddressBook({(HOST, 22): server.port}))
        self.runner = Runner(REGISTRY, self.client, time_limit=3.0)
        self.settings: dict[str, Any] = {
            **CONNECTOR.fixture("connection")["settings"],
            "fingerprint": server.fingerprint,
        }

    def call(self, action: str, *, settings: dict[str, Any] | None = None, **changes: Any) -> CallReport:
        """One attempt; every text of its report is looked through for the password."""
        given: dict[str, Any] = {
            "provider": "sftp_csv",
            "action": action,
            "input": {},
            "idempotency_key": "run-1",
            "secrets": {"password": Secret(PASSWORD)},
            "config": ConnectionConfig(version=1, settings=self.settings | (settings or {}), level="write"),
        }
        report = self.runner.call(ActionCall(**given | changes))
        assert PASSWORD not in f"{report} {report.excerpt}"
        return report

    def put(self, name: str = "orders.csv", rows: list[dict[str, Any]] | None = None, **more: Any) -> CallReport:
        """Write rows."""
        replace = {"replace": True} if more.pop("replace", False) else {}
        return self.call("put_csv", input={"name": name, "rows": [ROW] if rows is None else rows, **replace}, **more)

    def fetch(self, content: bytes, **more: Any) -> CallReport:
        """Read what the server holds."""
        (self.server.folder / "in.csv").write_bytes(content)
        return self.call("fetch_csv", input={"name": "in.csv"}, **more)

    def files(self) -> list[str]:
        """What lies in the folder."""
        return sorted(each.name for each in self.server.folder.iterdir())


@pytest.fixture(scope="module")
def server() -> Iterator[SftpStandIn]:
    made = stand_in.start(0, {PASSWORD: "acme"})
    yield made
    made.stop()


@pytest.fixture
def files(server: SftpStandIn) -> Exchange:
    for each in server.folder.iterdir():
        each.unlink()
    server.effects.clear()
    server.faults.clear()
    return Exchange(server)


def result(report: CallReport) -> dict[str, Any]:
    assert isinstance(report.outcome, Done), report
    assert report.certain
    return dict(report.outcome.result or {})


@contextmanager
def other_key(server: SftpStandIn) -> Iterator[None]:
    before, server.host_key = server.host_key, paramiko.ECDSAKey.generate()
    yield
    server.host_key = before


class TestSigningIn:
    def test_by_password_lists_plain_files_only(self, files: Exchange):
        (files.server.folder / "a.csv").write_bytes(b"x")
        (files.server.folder / "b.csv").symlink_to("/etc/passwd")
        assert [each["name"] for each in result(files.call("check_access"))["files"]] == ["a.csv"]

    @pytest.mark.parametrize("kind", [paramiko.Ed25519Key, paramiko.RSAKey])
    def test_by_key(self, files: Exchange, kind: Any):
        key, text = (paramiko.RSAKey.generate(2048), io.StringIO()) if kind is paramiko.RSAKey else ed25519()
        if kind is paramiko.RSAKey:
            key.write_private_key(text)
        files.server.public_keys.add(fingerprint_of(key))
        secrets = {"private_key": Secret(text.getvalue())}
        assert result(files.call("check_access", secrets=secrets, auth={WAY: "key"})) == {"files": []}

    def test_with_a_wrong_password_is_tried_anew_once_then_shown_to_a_person(self, files: Exchange):
        wrong = {"password": Secret("wrong")}
        assert isinstance(files.call("check_access", secrets=wrong).outcome, TryAgain)
        last = files.call("check_access", secrets=wrong, attempt=2)
        assert (type(last.outcome), last.status) == (NeedsPerson, 401)

    @pytest.mark.parametrize("secrets", [{}, {"private_key": Secret("no key at all")}])
    def test_with_nothing_of_use_never_calls(self, files: Exchange, secrets: dict[str, Secret]):
        before = files.server.sessions
        report = files.call("check_access", secrets=secrets, auth={WAY: "key"} if secrets else {})
        assert (type(report.outcome), files.server.sessions) == (NeedsPerson, before)

    def test_shows_a_first_key_to_a_person_and_sends_no_password(
        self, files: Exchange, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(stand_in._Gate, "check_auth_password", lambda *_: pytest.fail("a password was sent"))
        del files.settings["fingerprint"]
        report = files.call("check_access")
        assert isinstance(report.outcome, NeedsPerson)
        assert files.server.fingerprint in str(report.outcome)

    def test_stops_at_another_key_and_sends_no_password(self, files: Exchange, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(stand_in._Gate, "check_auth_password", lambda *_: pytest.fail("a password was sent"))
        with other_key(files.server):
            report = files.call("put_csv", input={"name": "a.csv", "rows": [ROW]})
        assert (type(report.outcome), report.code, report.certain) == (NeedsPerson, "settings_unfit", True)
        assert "not the known one" in str(report.outcome)


def ed25519() -> tuple[paramiko.PKey, io.StringIO]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    return paramiko.Ed25519Key.from_private_key(io.StringIO(pem.decode())), io.StringIO(pem.decode())


class TestTheWay:
    def test_is_the_egress_guards(self, files: Exchange):
        book, files.client.book = files.client.book, NO_ENTRIES
        calls = {
            host: files.call("check_access", settings={"host": host}) for host in ("files.local", "10.0.0.7.nip.test")
        }
        assert {report.code for report in calls.values()} == {"egress_special_name"}
        files.client._resolve = lambda *_: ["127.0.0.1"]
        assert files.call("check_access", settings={"host": "files.evil.com"}).code == "egress_loopback"
        assert files.call("check_access", sandbox=True).code == "egress_sandbox"
        files.client.book = book

    def test_may_be_cut_before_anything_was_sent(self, files: Exchange):
        gone = OutboundClient(AddressBook({(HOST, 22): 1}))
        files.runner = Runner(REGISTRY, gone, time_limit=1.0)
        report = files.put()
        assert (type(report.outcome), report.code, report.certain) == (TryAgain, "unreachable", True)

    def test_may_lead_to_something_that_is_no_ssh(self, files: Exchange):
        import socket

        with socket.create_server(("127.0.0.1", 0)) as silent:
            mute = OutboundClient(AddressBook({(HOST, 22): silent.getsockname()[1]}))
            files.runner = Runner(REGISTRY, mute, time_limit=0.5)
            began = time.monotonic()
            assert files.call("check_access").code == "unreachable"
        assert time.monotonic() - began < 5


class TestPut:
    def test_writes_the_whole_file_at_once(self, files: Exchange):
        told = result(files.put())
        content = (files.server.folder / "orders.csv").read_bytes()
        assert content == b"customer_no,name,seats,start\r\nC-1,Contoso,40,2026-03-01\r\n"
        assert (told["written"], told["size"], told["rows"], files.files()) == (True, len(content), 1, ["orders.csv"])

    def test_changes_nothing_the_second_time(self, files: Exchange):
        first, second = result(files.put()), result(files.put())
        assert (second["written"], second["digest"]) == (False, first["digest"])
        assert files.server.effects == ["orders.csv"]

    def test_does_not_take_the_place_of_another_unasked(self, files: Exchange):
        files.put()
        other = files.put(rows=[{**ROW, "seats": 41}])
        assert (type(other.outcome), other.status, other.certain) == (GiveUp, 409, True)
        assert result(files.put(rows=[{**ROW, "seats": 41}], replace=True))["written"] is True
        assert b",41," in (files.server.folder / "orders.csv").read_bytes()

    @pytest.mark.parametrize("kind", ["cut_after_effect", "silent_after_effect"])
    def test_is_not_doubled_when_its_end_was_not_seen(self, files: Exchange, kind: Any):
        files.server.break_next(FileFault(kind, seconds=2.0))
        files.runner = Runner(REGISTRY, files.client, time_limit=1.0)
        first = files.put()
        assert (type(first.outcome), first.certain) == (TryAgain, False), first
        again = files.put(attempt=2, earlier_unknown=True)
        assert result(again)["written"] is False
        assert files.server.effects == ["orders.csv"]

    def test_is_not_written_anew_when_it_may_have_been_picked_up(self, files: Exchange):
        """Who watches such a folder takes files away; then nothing tells that it was ever there."""
        files.server.break_next(FileFault("cut_after_effect"))
        files.put()
        (files.server.folder / "orders.csv").unlink()
        again, last = (files.put(attempt=n, earlier_unknown=True) for n in (2, 6))
        assert (type(again.outcome), type(last.outcome), last.certain) == (TryAgain, NeedsPerson, False)
        assert (files.files(), files.server.effects) == ([], ["orders.csv"])

    def test_cut_in_the_middle_leaves_no_half_file_under_the_name(self, files: Exchange):
        files.server.break_next(FileFault("cut_before_effect"))
        first = files.put()
        assert (type(first.outcome), first.certain) == (TryAgain, False)
        assert [name.endswith(".part") for name in files.files()] == [True]
        assert result(files.put(attempt=2, earlier_unknown=True))["written"] is True
        assert files.files() == ["orders.csv"]

    @pytest.mark.parametrize("kind", ["short_write", "full"])
    def test_that_was_not_kept_whole_gets_no_name(self, files: Exchange, kind: Any):
        files.server.break_next(FileFault(kind))
        assert not isinstance(files.put().outcome, Done)
        assert "orders.csv" not in files.files()

    @pytest.mark.parametrize(
        "name",
        [
            "../x.csv",
            "a/b.csv",
            "/etc/passwd",
            "..",
            "a\nb.csv",
            "a\x00.csv",
            ".ssh",
            "",
            "a..csv",
            "x" * 121,
            "a\u202e.csv",
        ],
    )
    def test_of_a_name_that_leads_elsewhere_is_never_sent(self, files: Exchange, name: str):
        before = files.server.sessions
        for report in (files.put(name), files.call("fetch_csv", input={"name": name})):
            assert (type(report.outcome), report.sent) == (GiveUp, False)
        assert files.server.sessions == before

    def test_does_not_write_through_a_link(self, files: Exchange, tmp_path: Any):
        aim = tmp_path / "aim"
        aim.write_bytes(b"before")
        (files.server.folder / "orders.csv").symlink_to(aim)
        assert files.put(replace=True).status == 409
        assert aim.read_bytes() == b"before"
        assert files.call("fetch_csv", input={"name": "orders.csv"}).status == 409

    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1"])
    def test_gives_no_spreadsheet_a_formula(self, files: Exchange, text: str):
        assert isinstance(files.put(rows=[{**ROW, "name": text}]).outcome, Done)
        assert f"C-1,'{text},40".encode() in (files.server.folder / "orders.csv").read_bytes()

    def test_refuses_rows_that_do_not_fit_their_columns(self, files: Exchange):
        for row in ({"customer_no": "C-1"}, {**ROW, "seats": "many"}, {**ROW, "name": "a\x00b"}):
            report = files.put(rows=[row])
            assert (type(report.outcome), report.status) == (GiveUp, 422)
            assert "Row 1" in report.excerpt
        assert files.files() == []

    def test_of_many_rows_is_read_back_as_it_was(self, files: Exchange):
        rows = [{**ROW, "customer_no": f"C-{n}", "name": f'Müller; "{n}"\nGmbH'} for n in range(5_000)]
        assert result(files.put("big.csv", rows))["rows"] == 5_000
        assert result(files.call("fetch_csv", input={"name": "big.csv"}))["rows"] == rows


class TestFetch:
    def test_tells_bad_rows_by_line_and_column_and_gives_the_good_ones(self, files: Exchange):
        told = result(files.fetch(
            b"name,customer_no,seats,start,extra\r\nContoso,C-1,40,2026-03-01,x\r\n\r\n"
            b"Acme,,many,01.03.2026,x\r\nGlobex,C-3,,,x\r\n"
        ))  # fmt: skip
        assert [row["name"] for row in told["rows"]] == ["Contoso", "Globex"]
        assert told["rows"][1] == {"customer_no": "C-3", "name": "Globex", "seats": None, "start": None}
        assert [(bad["line"], bad["column"]) for bad in told["bad"]] == [(4, "customer_no"), (4, "seats"), (4, "start")]
        assert (told["good_count"], told["bad_count"]) == (2, 1)

    def test_takes_line_feeds_alone_for_the_end_of_a_row(self, files: Exchange):
        """Python knows ten more ends of lines, which spreadsheets leave within a cell."""
        odd = "a\u2028b\u2029c\x85d\u001fe"
        told = result(files.fetch(f'customer_no,name\r\nC-1,{odd[:-2]}\nC-2,"x\r\ny"\nC-3,z'.encode()))
        assert [row["name"] for row in told["rows"]] == [odd[:-2], "x\r\ny", "z"]
        assert result(files.fetch(f"customer_no,name\nC-1,{odd}\n".encode()))["bad"][0]["line"] == 2

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "no column 'customer_no'"),
            (b"name\r\nx\r\n", "no column 'customer_no'"),
            (b"customer_no,name,name\r\n", "twice"),
            (b"customer_no,name\r\nC-1,M\xfcller\r\n", "not utf-8"),
            (b'customer_no,name\r\nC-1,"open\r\n', "cannot be read"),
            (b"customer_no,name\r\n" + b"C,x\r\n" * 10_001, "more than 10000 rows"),
            (b"customer_no,name\r\nC-1," + b"x" * 200_000, "cannot be read"),
            (b"PK\x03\x04" + os.urandom(500), ""),
        ],
    )
    def test_refuses_a_file_that_is_no_such_table(self, files: Exchange, content: bytes, said: str):
        report = files.fetch(content)
        assert (type(report.outcome), report.status) == (GiveUp, 422), report
        assert said in report.excerpt

    def test_reads_other_encodings_and_delimiters(self, files: Exchange):
        other = {"encoding": "windows-1252", "delimiter": ";"}
        assert (
            result(files.fetch("customer_no;name\nC-1;Müller €\n".encode("cp1252"), settings=other))["rows"][0]["name"]
            == "Müller €"
        )
        marked = result(files.fetch("\ufeffcustomer_no,name\nC-1,Müller\n".encode()))
        assert marked["rows"][0]["name"] == "Müller"

    def test_of_a_huge_file_stops_before_it_is_read(self, files: Exchange):
        with (files.server.folder / "in.csv").open("wb") as file:
            file.truncate(6 << 20)
        report = files.call("fetch_csv", input={"name": "in.csv"})
        assert (type(report.outcome), report.status) == (GiveUp, 409)

    def test_of_what_is_not_there_gives_up(self, files: Exchange):
        report = files.call("fetch_csv", input={"name": "nothing.csv"})
        assert (type(report.outcome), report.status) == (GiveUp, 404)

    def test_may_be_done_again_after_a_cut(self, files: Exchange, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(stand_in._Files, "open", lambda self, *_: self._stand_in.cut())
        report = files.fetch(b"customer_no,name\r\n")
        assert (type(report.outcome), report.certain) == (TryAgain, True)
