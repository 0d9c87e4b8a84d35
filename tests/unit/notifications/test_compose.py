"""A composed mail reads the same at the other end, and nothing a person typed becomes a header."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.policy import default
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.notifications.compose import LONGEST_SUBJECT, AddressUnusable, Mail, Mailbox, compose, message_id, one_line

NOW = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
MAIL = Mail(
    id=UUID("0192d000-0000-7000-8000-00000000acde"),
    sender=Mailbox("hello@northwind.example", "Northwind Müller & Söhne"),
    recipient=Mailbox("jean@acme.example", "Jean Świątek"),
    subject="Ihre nächsten Schritte",
    text="Grüße,\n你好",
    html="<p>Grüße, <a href='https://x.example/a?b=1&c=2'>weiter</a></p>",
    locale="de",
)
HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress"),
    *("Content-Language", "MIME-Version", "Content-Type"),
}
NASTY = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    [
        "a\r\nBcc: x@evil.example",
        "a\nX: y",
        "\r\n\r\n<b>body",
        "a\u2028Bcc: x@evil.example",
        "\x00",
        '"; <x@evil.example>',
        "=?utf-8?q?x?=",
    ]
)


def travelled(mail, now=NOW):
    return message_from_bytes(compose(mail, now).as_bytes(), policy=default)


def text_of(read):
    return read.get_body(("plain",)).get_content().replace("\r\n", "\n").rstrip("\n")


class TestCompose:
    def test_reads_the_same_at_the_other_end(self):
        read = travelled(MAIL)
        assert str(read["Subject"]) == MAIL.subject
        assert read["From"].addresses[0].display_name == "Northwind Müller & Söhne"
        assert read["To"].addresses[0].display_name == "Jean Świątek"
        assert read["To"].addresses[0].addr_spec == "jean@acme.example"
        assert text_of(read) == MAIL.text
        assert read.get_body(("html",)).get_content().rstrip("\r\n") == MAIL.html
        assert [part.get_content_type() for part in read.iter_parts()] == ["text/plain", "text/html"]

    def test_has_exactly_the_headers_of_a_good_sender(self):
        read = travelled(MAIL)
        assert set(read.keys()) == HEADERS
        assert read["Auto-Submitted"] == "auto-generated"
        assert read["Content-Language"] == "de"
        assert read["Date"].datetime == NOW

    def test_is_seven_bit_and_short_lined(self):
        content = compose(replace(MAIL, text="ü" * 5000 + "\n.\n..\nFrom x"), NOW).as_bytes()
        assert content.isascii()
        assert max(map(len, content.split(b"\r\n"))) <= 998

    def test_the_date_is_the_moment_in_any_zone(self):
        tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
        assert travelled(MAIL, tokyo)["Date"].datetime == NOW

    def test_sent_again_is_the_same_mail(self):
        first, second = compose(MAIL, NOW), compose(MAIL, NOW)
        assert first.as_bytes() == second.as_bytes()
        later = compose(MAIL, NOW + timedelta(hours=1))
        assert later["Message-ID"] == first["Message-ID"] == f"<{MAIL.id}@northwind.example>"
        assert compose(replace(MAIL, id=UUID(int=1)), NOW)["Message-ID"] != first["Message-ID"]
        assert message_id(MAIL.id, "a.example") == f"<{MAIL.id}@a.example>"

    def test_names_no_host_but_the_brands(self):
        content = compose(replace(MAIL, html="<p>x</p>"), NOW).as_bytes().lower()
        assert b"slipway" not in content
        assert b"python" not in content
        assert b"=====" not in content

    def test_answers_go_where_they_are_asked_to_go(self):
        read = travelled(replace(MAIL, reply_to=Mailbox("help@northwind.example", "Dana")))
        assert read["Reply-To"].addresses[0].addr_spec == "help@northwind.example"

    @given(NASTY, NASTY, NASTY, NASTY)
    def test_nothing_typed_becomes_a_header(self, subject, sender, recipient, locale):
        mail = replace(
            MAIL,
            subject=subject,
            locale=locale,
            sender=Mailbox("hello@northwind.example", sender),
            recipient=Mailbox("jean@acme.example", recipient),
        )
        read = travelled(mail)
        assert set(read.keys()) == HEADERS
        assert [one.addr_spec for one in read["To"].addresses] == ["jean@acme.example"]
        assert [one.addr_spec for one in read["From"].addresses] == ["hello@northwind.example"]
        assert text_of(read) == MAIL.text

    @given(NASTY)
    def test_any_text_arrives(self, text):
        body = " ".join(text.split())
        assert text_of(travelled(replace(MAIL, text=body))) == body

    def test_a_long_subject_is_cut(self):
        assert len(str(travelled(replace(MAIL, subject="x y" * 500))["Subject"])) <= LONGEST_SUBJECT
        assert one_line("a\r\n\tb") == "a b"


class TestMailbox:
    @pytest.mark.parametrize(
        "email",
        [
            *("", "jean", "@acme.example", "jean@", "jean@acme..example", "jean@-acme.example", "je an@acme.example"),
            *(
                "jean@acme.example\r\nBcc: x@evil.example",
                "jean\n@acme.example",
                "a@b@acme.example",
                "<jean@acme.example>",
            ),
            *("jean@acme.example,x@evil.example", "jean;x@acme.example", "jéan@acme.example", "x" * 250 + "@a.example"),
            *(
                "jean@[127.0.0.1]",
                "jean(comment)@acme.example",
                '"jean"@acme.example',
                "jean@acme.example>",
                "\x00@a.example",
            ),
        ],
    )
    def test_refuses_what_no_mail_reaches(self, email):
        with pytest.raises(AddressUnusable, match="Use another one"):
            compose(replace(MAIL, recipient=Mailbox(email)), NOW)

    @pytest.mark.parametrize(
        ("email", "sent_to"),
        [
            ("jean+acme@acme.example", "jean+acme@acme.example"),
            (" Jean.O'Neil@ACME.example ", "Jean.O'Neil@acme.example"),
            ("jean@müller.example", "jean@xn--mller-kva.example"),
            ("jean@localhost", "jean@localhost"),
        ],
    )
    def test_takes_what_people_have(self, email, sent_to):
        assert travelled(replace(MAIL, recipient=Mailbox(email)))["To"].addresses[0].addr_spec == sent_to
