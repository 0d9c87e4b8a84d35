"""Sending over a real connection: what passes and what does not, TLS and accounts, and goodbyes that change nothing."""

import socket
import threading
from datetime import UTC, datetime
from uuid import UUID

import pytest

from app.notifications import smtp
from app.notifications.compose import Mail, Mailbox, compose
from app.notifications.smtp import MailNotTaken, MailRefused, send
from tests.unit.notifications.servers import Server, Told, certificate, free_port, only_jean, serving

MESSAGE = compose(
    Mail(
        id=UUID(int=7),
        sender=Mailbox("hello@northwind.example", "Northwind"),
        recipient=Mailbox("jean@acme.example", "Jean"),
        subject="Hallo",
        text="Grüße",
        html="<p>Grüße</p>",
    ),
    datetime(2026, 11, 21, 12, 30, tzinfo=UTC),
)
PASSWORD = "correct horse"


class TestSend:
    def test_hands_the_mail_over(self):
        told = Told()
        with serving(told) as port:
            send(Server(port), MESSAGE)
        (envelope,) = told.taken
        assert (envelope.mail_from, envelope.rcpt_tos) == ("hello@northwind.example", ["jean@acme.example"])
        assert envelope.content == MESSAGE.as_bytes()

    def test_greets_with_the_brands_host(self):
        told = Told()
        with serving(told) as port:
            send(Server(port), MESSAGE)
        assert set(told.greeted_as) == {"northwind.example"}

    @pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
    def test_tells_later_from_never(self, step):
        with serving(Told(**{step: "451 4.3.0 try again"})) as port, pytest.raises(MailNotTaken, match="try again"):
            send(Server(port), MESSAGE)
        with serving(Told(**{step: "550 5.1.1 no such person"})) as port, pytest.raises(MailRefused, match="no such"):
            send(Server(port), MESSAGE)

    def test_a_strange_goodbye_does_not_undo_what_was_taken(self):
        told = Told(quit="451 not now")
        with serving(told) as port:
            send(Server(port), MESSAGE)
        assert len(told.taken) == 1

    def test_a_broken_connection_passes(self):
        with serving(Told(**{"break": "yes"})) as port, pytest.raises(MailNotTaken):
            send(Server(port), MESSAGE)

    def test_says_that_nobody_answers(self):
        with pytest.raises(MailNotTaken, match="refused"):
            send(Server(free_port()), MESSAGE)

    def test_gives_up_on_a_silent_server(self, monkeypatch):
        monkeypatch.setattr(smtp, "TIMEOUT", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(MailNotTaken, match="timed out"):
            send(Server(silent.getsockname()[1]), MESSAGE)

    @pytest.mark.parametrize("greeting", [b"554 go away\r\n", b"421 busy\r\n", b"hello?\r\n", b"\xff\xfe\x00\r\n", b""])
    def test_survives_a_server_that_is_none(self, greeting):
        with socket.create_server(("127.0.0.1", 0)) as strange:

            def answer():
                caller, _address = strange.accept()
                with caller:
                    caller.sendall(greeting)

            speaking = threading.Thread(target=answer)
            speaking.start()
            with pytest.raises(MailNotTaken):
                send(Server(strange.getsockname()[1]), MESSAGE)
            speaking.join()


class TestTLS:
    def test_is_asked_for_where_it_is_offered(self, tmp_path):
        server, client = certificate(tmp_path)
        told = Told()
        with serving(told, tls_context=server, require_starttls=True) as port:
            send(Server(port), MESSAGE, tls=client)
        assert len(told.taken) == 1

    def test_stands_from_the_first_byte_where_the_setting_says_so(self, tmp_path):
        server, client = certificate(tmp_path)
        told = Told()
        with serving(told, ssl_context=server) as port:
            send(Server(port, tls=True), MESSAGE, tls=client)
        assert len(told.taken) == 1

    @pytest.mark.parametrize("implicit", [True, False])
    def test_trusts_only_whom_it_should(self, tmp_path, implicit):
        server, _client = certificate(tmp_path)
        told = Told()
        options = {"ssl_context": server} if implicit else {"tls_context": server}
        with serving(told, **options) as port, pytest.raises(MailNotTaken, match="not trusted"):
            send(Server(port, tls=implicit), MESSAGE)
        assert not told.taken

    def test_is_not_spoken_to_a_server_that_has_none(self):
        with serving(Told()) as port, pytest.raises(MailNotTaken):
            send(Server(port, tls=True), MESSAGE)


class TestAccount:
    def test_signs_in_inside_tls(self, tmp_path):
        server, client = certificate(tmp_path)
        told = Told()
        with serving(told, tls_context=server, auth_required=True, authenticator=only_jean) as port:
            send(Server(port, user="jean", password=PASSWORD), MESSAGE, tls=client)
        assert len(told.taken) == 1

    def test_a_wrong_password_passes_once_it_is_mended_and_is_not_repeated_in_the_error(self, tmp_path):
        server, client = certificate(tmp_path)
        with (
            serving(Told(), tls_context=server, auth_required=True, authenticator=only_jean) as port,
            pytest.raises(MailNotTaken, match="Check user and password") as trouble,
        ):
            send(Server(port, user="jean", password="wrong-canary"), MESSAGE, tls=client)
        assert "wrong-canary" not in str(trouble.value)

    def test_sends_no_password_in_the_clear_to_another_machine(self, monkeypatch):
        told = Told()
        monkeypatch.setattr(smtp, "_is_here", lambda _host: False)
        with (
            serving(told, authenticator=only_jean, auth_require_tls=False) as port,
            pytest.raises(MailNotTaken, match="no TLS"),
        ):
            send(Server(port, user="jean", password=PASSWORD), MESSAGE)
        assert not told.taken

    @pytest.mark.parametrize(
        ("host", "here"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)]
    )
    def test_knows_this_machine(self, host, here):
        assert smtp._is_here(host) is here
