"""The search for secrets finds one that is planted, in each kind of place: or its silence would prove nothing."""

from __future__ import annotations

import asyncio
import base64
import gzip
import os
import secrets
import smtplib
import subprocess
import sys
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from litestar import Litestar, get
from litestar.response import Redirect

from app.connectors.trials.bench import TOKEN
from app.connectors.webhooks.sender import Sender
from app.kernel.outbound.client import OutboundClient
from app.notifications.sink import MailSink
from app.vault.envelope import make_key
from tests import cluster
from tests.canaries import listening, marks, places
from tests.canaries.lawful import LAWFUL, unlawful
from tests.canaries.marks import MARK, OF_THE_BENCH, Find, search, spelled
from tests.fixtures.canaries import pytest_runtest_logreport

ROOT = Path(__file__).parents[2]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> str:
    """A value that only this test looks for, so that what it plants is no find of the run."""
    value = f"planted{secrets.token_hex(6)}"
    monkeypatch.setattr(marks, "LOOKED_FOR", tuple(spelled(value).items()))
    monkeypatch.setattr(listening, "FOUND", [])
    monkeypatch.setattr(places, "WRITTEN", places.WrittenLog())
    monkeypatch.setattr(places, "CLEAN", set())
    return value


def ask(handler: Any, path: str = "/") -> None:
    """One request to an application with that door."""

    said = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        for message in said:
            return message
        return await asyncio.Future()  # who asked stays until the end

    async def send(_message: Any) -> None:
        return

    app = Litestar([handler], openapi_config=None)
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
    }
    more = {
        "http_version": "1.1",
        "scheme": "http",
        "server": ("x", 80),
        "client": ("x", 1),
        "root_path": "",
        "app": app,
    }
    asyncio.run(app(scope | more, receive, send))  # type: ignore[arg-type]  # a scope as a server makes it


def answer(value: str, _folder: Path) -> None:
    @get("/", media_type="text/html")
    async def page() -> str:
        return f"<p>{value}</p>"

    ask(page)


def header(value: str, _folder: Path) -> None:
    @get("/")
    async def page() -> Redirect:
        return Redirect(f"/elsewhere?token={value}")

    ask(page)


def mail(value: str, folder: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@localhost", "b@localhost", "x"
    message.set_content(f"{'ü' * 60} your token {value}", cte="base64")
    with MailSink(folder) as sink, smtplib.SMTP("127.0.0.1", sink.port) as server:
        server.send_message(message)


def delivery(value: str, _folder: Path) -> None:
    Sender(OutboundClient()).send("https://127.0.0.1/in", {}, f'{{"was": "{value}"}}'.encode(), sandbox=True)


def output(value: str, _folder: Path) -> None:
    program = [sys.executable, "-c", "import sys; print(sys.stdin.read())"]
    subprocess.run(program, input=value, capture_output=True, text=True, check=True)


def log(value: str, _folder: Path) -> None:
    said = [("Captured stderr call", f"worker.job token={value}")]
    report: Any = pytest.TestReport("x", ("x", 1, "x"), {}, "passed", None, "call", sections=said)
    pytest_runtest_logreport(report)


class TestWhatIsSaid:
    @pytest.mark.parametrize("plant", [answer, header, mail, delivery, output, log], ids=lambda each: each.__name__)
    def test_is_searched(self, planted: str, tmp_path: Path, plant: Callable[[str, Path], None]):
        plant(planted, tmp_path)
        assert listening.FOUND, "it was said and not heard"
        assert plant.__name__ in {find.where.split()[0].rstrip("s") for find in listening.FOUND}

    def test_is_searched_also_where_a_test_takes_it(self, planted: str, capfd: pytest.CaptureFixture[str]):
        print(planted)  # noqa: T201  what a program prints
        assert planted in capfd.readouterr().out
        assert [find.where for find in listening.FOUND] == ["output taken by the test"]

    def test_is_searched_where_it_comes_in_pieces(self, planted: str):
        pieces = [planted[:9].encode(), planted[9:].encode()]

        async def streamed(_app: Any, _scope: Any, _receive: Any, send: Any) -> None:
            for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})

        async def send(_message: Any) -> None:
            return

        assert not [find for piece in pieces for find in search("answer", piece)], "or they would show nothing"
        asyncio.run(listening._answers(streamed)(None, {"method": "GET", "path": "/live"}, None, send))
        assert [find.where for find in listening.FOUND] == ["answer GET /live"]


class TestWhatIsLeft:
    def test_in_the_database_is_found_though_the_row_is_gone(self, planted: str):
        made = cluster.create_databases()
        with psycopg.connect(made.cell_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept (value bytea)")
            connection.execute("INSERT INTO kept VALUES (%s)", [base64.b64encode(b"x" + planted.encode())])
            connection.execute("DELETE FROM kept")
        cluster.drop_databases(made)
        assert {find.where.partition(" 0")[0] for find in places.WRITTEN.search(now=True)} == {"write-ahead log"}

    def test_in_the_log_of_writes_is_found_also_where_a_page_of_it_ends(self, planted: str):
        """Its pages begin with headers, which may stand in a secret's middle or between it and the words before it."""
        times = 5000  # which is a dozen pages
        made = cluster.create_databases()
        with psycopg.connect(made.cell_url, autocommit=True) as connection:
            connection.execute("SELECT pg_logical_emit_message(true, 'x', repeat(%s, %s))", [planted, times])
        cluster.drop_databases(made)
        assert len(places.WRITTEN.search(now=True)) >= times

    def test_in_files_and_valkey_is_found_packed_or_not(self, planted: str, tmp_path: Path):
        (tmp_path / "log").write_text(planted[::-1])
        (tmp_path / "export.gz").write_bytes(gzip.compress(f"a,{planted},b".encode()))
        client = redis.Redis.from_url(cluster.fresh_redis_url())
        client.set("x", planted.encode().hex())
        try:
            found = {(find.where.split()[0], find.spelling) for find in places.what_is_left(tmp_path)}
        finally:
            client.delete("x")
            client.save()
        assert {("file", "backwards"), ("file", "plain"), ("valkey", "hex"), ("server", "hex")} <= found

    def test_in_a_file_is_found_beside_others_and_each_time(self, planted: str):
        """A content that held nothing is not searched again; one that held something is told wherever it lies."""
        sources = [("a", b"nothing"), ("b", planted.encode()), ("c", b"nothing"), ("d", planted.encode())]
        for _twice in range(2):
            assert [find.where for find in places.find_in("file", sources)] == ["file b", "file d"]

    def test_of_any_spelling_is_found(self, planted: str):
        for spelling, form in spelled(planted).items():
            assert [find.spelling for find in search("x", b"\xff" + form)] == [spelling]
        shifted = [base64.b64encode(b"x" * before + planted.encode() + b"y" * 5) for before in range(6)]
        assert all(search("x", text) for text in shifted)


class TestTheMark:
    def test_is_in_every_secret_that_is_drawn_and_in_no_salt(self):
        assert MARK in secrets.token_urlsafe(32)
        assert MARK.encode() in secrets.token_bytes(32)
        assert MARK.encode() in make_key().reveal_bytes()
        assert (len(secrets.token_urlsafe(32)), len(secrets.token_bytes(32))) == (43, 32)
        assert not search("salt", secrets.token_hex(32).encode() + secrets.token_bytes(12))

    def test_of_the_bench_is_the_one_it_uses(self):
        assert OF_THE_BENCH == TOKEN

    def test_is_lawful_only_right_after_the_words_that_are_named(self):
        link, page = "http://x.localhost/sign-in/aB-_12", "answer GET /sign-in/{token}"
        assert not unlawful(
            [Find("mail Please sign in", "plain", link), Find(page, "plain", 'action="/sign-in/aB-_12')]
        )
        for where, before in ((page, "token: aB-_12"), ("log stderr", link), ("answer GET /t/{tenant_id}", link)):
            assert unlawful([Find(where, "plain", before)]), (where, before)
        assert all(each.why and each.where and each.before for each in LAWFUL)


def test_a_run_in_which_one_is_found_fails(tmp_path: Path):
    """Where another process of the run finds it, as in `make test`."""
    leak = 'import secrets\n\ndef test_leak(tmp_path):\n    (tmp_path / "x").write_text(secrets.token_urlsafe(32))\n'
    (tmp_path / "test_leak.py").write_text(leak)
    (tmp_path / "conftest.py").write_text(
        "from tests.canaries.drawing import mark_what_is_drawn\nmark_what_is_drawn()\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.fixtures.canaries", "-p", "no:cacheprovider"]
    own = ["--rootdir", str(tmp_path), "-c", os.devnull, "--basetemp", str(tmp_path.parent / "inner")]
    ran = subprocess.run(
        [*command, *own, "-n", "1", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, "1 passed" in ran.stdout) == (1, True), ran.stdout + ran.stderr
    assert "file test_leak0/x: plain" in ran.stdout
