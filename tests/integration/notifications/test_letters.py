"""Letters: in the partner's name, with a link for one use, and never lost in silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.kernel.ids import new_id
from app.notifications.operations import Letter, queue_letter
from app.notifications.postroom import Postroom
from app.onboarding.people import Holder
from app.settings.values import MailServer
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob

Place = tuple[Tenant, UUID]
NOWHERE = MailServer("127.0.0.1", 9, tls=False, user=None, password=None)


@pytest.fixture(scope="module")
def place(shop: MainJob) -> Place:
    deal = shop.sell()
    shop.tell(deal)
    shop.run()
    return shop.started(deal)


def write(shop: MainJob, place: Place, *, email: str = "dana@northwind.example", locale: str = "en") -> UUID:
    """Queue a letter to the lead, whatever address they have now."""
    person = Holder(shop.lead.id, "Dana Weber", email, locale, "partner")
    title = {"en": "Name the team", "de": "Team benennen"}
    facts: dict[str, Any] = {"title": title, "text": {}, "onboarding": "Contoso", "due_at": None}
    with shop.installation.work(place[0], shop.lead) as work:
        return queue_letter(work, Letter("task_opened", person, facts, place[1]))


def message(shop: MainJob, place: Place, letter: UUID) -> Any:
    return shop.installation.rows(place[0], "SELECT * FROM {}.message WHERE id = %s", letter)[0]


class TestSendLetter:
    def test_speaks_in_the_partners_name_and_never_in_the_platforms(self, shop: MainJob, place: Place):
        address = f"{new_id().hex[-8:]}@northwind.example"
        letter = write(shop, place, email=address, locale="de")
        shop.run()
        [mail] = shop.mail.messages(to=address)
        assert message(shop, place, letter).state == "sent"
        assert mail.sender.startswith("Northwind <no-reply@")
        assert "Team benennen" in mail.text
        assert len(mail.links) >= 1
        assert str(letter) in mail.message_id
        assert "slipway" not in str(mail).lower()

    def test_holds_a_link_that_works_once(self, shop: MainJob, place: Place):
        addresses = [f"{new_id().hex[-8:]}@northwind.example" for _each in range(2)]
        for address in addresses:
            write(shop, place, email=address)
        shop.run()
        links = [shop.mail.messages(to=address)[0].links[0] for address in addresses]
        assert links[0] != links[1]
        assert all(link.startswith("http://northwind.localhost") for link in links)

    def test_of_a_sandbox_is_kept_and_sent_to_nobody(self, shop: MainJob, place: Place):
        address = f"{new_id().hex[-8:]}@northwind.example"
        shop.installation.control("UPDATE control.tenant SET kind = 'sandbox' WHERE id = %s", place[0].id)
        letter = write(shop, place, email=address)
        shop.run()
        shop.installation.control("UPDATE control.tenant SET kind = 'customer' WHERE id = %s", place[0].id)
        kept = message(shop, place, letter)
        assert (kept.state, kept.error) == ("kept", "Sandbox: not sent.")
        assert shop.mail.messages(to=address) == []

    def test_is_sent_once_the_mail_server_is_back(self, shop: MainJob, place: Place):
        address = f"{new_id().hex[-8:]}@northwind.example"
        self.without_mail(shop)
        letter = write(shop, place, email=address)
        shop.run()
        assert message(shop, place, letter).state == "queued"
        self.with_mail(shop)
        shop.finish()
        assert message(shop, place, letter).state == "sent"
        assert len(shop.mail.messages(to=address)) == 1

    def test_fails_with_a_reason_when_the_mail_server_stays_away(self, shop: MainJob, place: Place):
        self.without_mail(shop)
        letter = write(shop, place)
        shop.finish()
        self.with_mail(shop)
        found = message(shop, place, letter)
        assert (found.state, bool(found.error), found.sent_at) == ("failed", True, None)

    @pytest.mark.parametrize("address", ["", "nobody", "a b@c.example", "x@", "a@b.example\r\nBcc: c@d.example"])
    def test_fails_with_a_reason_for_an_address_that_is_none(self, shop: MainJob, place: Place, address: str):
        before = len(shop.mail.messages())
        letter = write(shop, place, email=address)
        shop.run()
        found = message(shop, place, letter)
        assert (found.state, bool(found.error)) == ("failed", True)
        assert len(shop.mail.messages()) == before

    @staticmethod
    def without_mail(shop: MainJob) -> None:
        """The mail server is away."""
        post = shop.runtime.services[Postroom]
        assert isinstance(post, Postroom)
        shop.runtime.services[Postroom] = replace(post, server=NOWHERE)

    @staticmethod
    def with_mail(shop: MainJob) -> None:
        """It is back."""
        server = MailServer("127.0.0.1", shop.mail.port, tls=False, user=None, password=None)
        shop.runtime.services[Postroom] = Postroom(server, "no-reply@localhost")
