"""Mail sent over a real connection is found again in the sink: newest first, whole, bounded, also across programs."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.compose import Mail, Mailbox, compose
from app.notifications.mail_folder import MailFolder, find_links, link_name, read_mail
from app.notifications.sink import MailSink, SinkNotStarted, listen, main
from app.notifications.smtp import MailRefused, send
from tests.unit.notifications.servers import Server

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
MAIL = Mail(
    id=UUID(int=7),
    sender=Mailbox("hello@northwind.example", "Northwind Müller"),
    recipient=Mailbox("jean@acme.example", "Jean Świątek"),
    subject="Ihr Zugang: jetzt öffnen",
    text="Öffnen Sie https://northwind.example/t/1?a=1&b=2.\n\n.\nGruß",
    html='<a href="https://northwind.example/t/1?a=1&amp;b=2">Öffnen</a> <a href="mailto:help@northwind.example">?</a>',
)


@pytest.fixture
def sink(tmp_path):
    """A running sink."""
    with MailSink(tmp_path / "mail") as running:
        yield running


def deliver(sink, **changes):
    send(Server(port=sink.port), compose(replace(MAIL, **changes), NOW))


class TestMailSink:
    def test_keeps_a_mail_as_the_reader_sees_it(self, sink):
        deliver(sink)
        (mail,) = sink.messages()
        assert mail.subject == MAIL.subject
        assert mail.to == "Jean Świątek <jean@acme.example>"
        assert mail.sender == "Northwind Müller <hello@northwind.example>"
        assert mail.text.rstrip() == MAIL.text
        assert mail.html.rstrip() == MAIL.html
        assert mail.recipients == ("jean@acme.example",)
        assert mail.message_id == f"<{MAIL.id}@northwind.example>"
        assert mail.links == ("https://northwind.example/t/1?a=1&b=2", "mailto:help@northwind.example")

    def test_answers_at_once_line_by_line(self):
        """Asyncio sends small lines at once on a socket that was made for TCP, and only there."""
        with listen(0) as listening:
            assert listening.proto == socket.IPPROTO_TCP

    def test_shows_the_newest_first_and_each_persons_own(self, sink):
        for number in range(5):
            deliver(sink, subject=str(number), recipient=Mailbox(f"p{number % 2}@acme.example"))
        assert [mail.subject for mail in sink.messages()] == ["4", "3", "2", "1", "0"]
        assert [mail.subject for mail in sink.messages(to="P1@acme.example")] == ["3", "1"]
        assert sink.messages(to="p@acme.example") == []

    def test_a_resend_is_recognised_by_its_message_id(self, sink):
        deliver(sink)
        deliver(sink)
        assert len({mail.id for mail in sink.messages()}) == 2
        assert len({mail.message_id for mail in sink.messages()}) == 1

    def test_takes_mail_from_many_at_once(self, sink):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: deliver(sink, subject=f"n{number}"), range(40)))
        assert sorted(mail.subject for mail in sink.messages()) == sorted(f"n{number}" for number in range(40))

    def test_finds_one_by_its_id_and_nothing_outside_its_folder(self, sink, tmp_path):
        deliver(sink)
        (mail,) = sink.messages()
        assert sink.folder.find(mail.id) == mail
        (tmp_path / "secret.eml").write_text("Subject: no\n\nno")
        for attempt in ("../secret", "", "0" * 36, f"../mail/{mail.id}", "/etc/passwd"):
            assert sink.folder.find(attempt) is None

    def test_keeps_only_so_many(self, tmp_path):
        with MailSink(tmp_path, kept=3) as sink:
            for number in range(6):
                deliver(sink, subject=str(number))
            assert [mail.subject for mail in sink.messages()] == ["5", "4", "3"]
            assert len(list(tmp_path.iterdir())) == 3

    def test_refuses_a_mail_that_is_too_large(self, tmp_path):
        with MailSink(tmp_path, largest=20_000) as sink:
            with pytest.raises(MailRefused, match="552"):
                deliver(sink, text="x" * 50_000)
            deliver(sink, subject="small")
            assert [mail.subject for mail in sink.messages()] == ["small"]

    def test_forgets_everything_when_asked(self, sink):
        deliver(sink)
        sink.folder.clear()
        assert sink.messages() == []

    def test_says_that_its_port_is_taken(self, sink, tmp_path):
        with pytest.raises(SinkNotStarted, match=str(sink.port)):
            MailSink(tmp_path / "other").start(sink.port)
        assert main(["--port", str(sink.port), "--folder", str(tmp_path)]) == 1

    def test_stops_with_a_conversation_open(self, tmp_path):
        sink = MailSink(tmp_path)
        port = sink.start()
        with socket.create_connection(("127.0.0.1", port)) as open_one:
            assert open_one.recv(100).startswith(b"220")
            sink.stop()
            sink.stop()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))

    def test_names_neither_itself_nor_this_machine(self, sink):
        with smtplib.SMTP("127.0.0.1", sink.port, local_hostname="x.example") as connection:
            banner = connection.ehlo()[1].decode() + connection.noop()[1].decode()
        assert socket.gethostname() not in banner.split()
        assert "slipway" not in banner.lower()


class TestAsAProgram:
    def test_serves_until_it_is_asked_to_stop(self, tmp_path):
        command = [sys.executable, "-m", "app.notifications.sink", "--folder", str(tmp_path / "mail")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as program:
            try:
                assert program.stdout
                port = int(program.stdout.readline().rsplit(":", 1)[1])
                send(Server(port=port), compose(MAIL, NOW))
                assert [mail.subject for mail in MailFolder(tmp_path / "mail").messages()] == [MAIL.subject]
                program.send_signal(signal.SIGTERM)
                assert program.wait(10) == 0
            finally:
                program.kill()


class TestReadMail:
    @given(st.binary(max_size=300))
    def test_survives_anything(self, content):
        assert read_mail("x", content).id == "x"

    @pytest.mark.parametrize(
        "content",
        [
            b"Content-Type: text/plain; charset=made-up\n\nhello",
            b"From: =?utf-8?b?//8=?= <@@>\nTo: ,,,<\nSubject: =?x?y?z?=\nDate: never\n\nhello",
            b"Content-Type: multipart/alternative\n\nno boundary",
            b"Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n%%%",
            b'Message-ID: <\nFrom: "\nTo: a@[\n\n',
            b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\n\n--a--",
        ],
    )
    def test_survives_what_was_broken_on_purpose(self, content):
        read_mail("x", content)

    def test_finds_links_once_in_the_order_of_the_page(self):
        text = "See (https://a.example/1), https://b.example/2. https://a.example/1"
        html = '<A HREF="https://b.example/2">b</A><a>none</a><img src="https://no.example/x.png"><a href="/rel">r</a>'
        assert find_links(text, html) == ("https://b.example/2", "/rel", "https://a.example/1")


class TestLinkName:
    @pytest.mark.parametrize(
        ("html", "name"),
        [
            ('<a href="/x"><b>Open</b>\n  it</a> <a href="/x">/x</a>', "Open it"),
            ('<a href="/y">Other</a><a href="/x">Open', "Open"),
            ('<a href="/x"></a><a name="x">Words</a>', ""),
            ("no link at all", ""),
        ],
    )
    def test_is_what_the_mail_calls_the_link_first(self, html, name):
        assert link_name(html, "/x") == name
