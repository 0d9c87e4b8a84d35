"""Mails as they arrive: whom an answer goes to, and that nobody is asked for one that would go nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import pytest

from app.notifications.mail_folder import StoredMail
from app.notifications.postroom import Draft, Postroom
from app.notifications.sink import MailSink
from app.web.assets import Assets
from app.web.frame import BrandView, HelpContact
from tests.look.brands import VIEWS
from tests.look.examples import EXAMPLES
from tests.unit.notifications.servers import Server

MESSAGES = sorted({name.split("/")[1] for name in EXAMPLES if name.startswith("emails/")})
NORTHWIND = VIEWS["northwind"]


class Maria(NamedTuple):
    """A reader."""

    email: str = "maria@contoso.example"
    name: str = "Maria Lopez"
    locale: str = "en"


@pytest.fixture
def sink(tmp_path, monkeypatch):
    monkeypatch.setattr("app.web.rendering.built_assets", lambda: Assets({"icons.svg": "icons.svg"}))
    with MailSink(tmp_path / "mail") as running:
        yield running


def received(sink: MailSink, message: str, brand: BrandView) -> StoredMail:
    facts = EXAMPLES[f"emails/{message}/body.html"][0]
    at = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
    Postroom(Server(port=sink.port), "no-reply@localhost").post(Draft(UUID(int=7), message, Maria(), brand, facts, at))
    (mail,) = sink.messages()
    return mail


class TestPostroom:
    @pytest.mark.parametrize("message", MESSAGES)
    def test_leads_answers_to_the_brand_s_contact(self, sink, message):
        mail = received(sink, message, NORTHWIND)
        assert dict(mail.headers)["Reply-To"] == "Dana Weber <dana@northwind.example>"
        assert mail.sender == "Northwind Services <no-reply@northwind.example>"
        assert "Reply to this mail" in mail.text
        assert "mailto:dana@northwind.example" in mail.links

    @pytest.mark.parametrize("contact", [None, HelpContact("Dana Weber", "dana at northwind")])
    @pytest.mark.parametrize("message", MESSAGES)
    def test_asks_for_no_answer_where_none_would_arrive(self, sink, message, contact):
        mail = received(sink, message, replace(NORTHWIND, help=contact))
        assert "Reply-To" not in dict(mail.headers)
        assert "Reply" not in mail.text + mail.html

    def test_signs_with_a_line_for_the_sender_and_one_for_each_link(self, sink):
        lines = received(sink, "task_opened", NORTHWIND).text.strip().split("\n")
        assert lines[-2:] == [
            f"{NORTHWIND.legal_name} · {NORTHWIND.address}",
            f"{NORTHWIND.links[-1].name}: {NORTHWIND.origin}{NORTHWIND.links[-1].path}",
        ]

    @pytest.mark.parametrize("message", MESSAGES)
    def test_says_the_same_in_both_parts(self, sink, message):
        mail = received(sink, message, NORTHWIND)
        greeting, first, *_rest = mail.text.split("\n\n")
        assert greeting == "Hello Maria Lopez,"
        assert not first[0].islower()  # a sentence of its own, also after a greeting that ends in a comma
        assert mail.html.count(first) == 2  # in the mail, and before it as the preview in a list of mails
