"""Letters before they have words: whose words they are, in which language, and whom answers reach."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.kernel.ids import new_id
from app.notifications.drafting import draft_of
from app.notifications.queries import StoredLetter
from tests.look.brands import VIEWS

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
BRAND = VIEWS["northwind"]
TEXT = {"en": "One.\n\nTwo,\nthree.", "de": "Eins.\n \n\nZwei,\ndrei."}


def letter(locale: str = "de", **facts: Any) -> StoredLetter:
    """A message of the template to somebody who reads that language."""
    own: dict[str, Any] = {"title": {"en": "Tell"}, "subject": {"en": "Hi", "de": "Hallo"}, "text": TEXT}
    own |= {"onboarding": "Acme", "meant_for": {}, "reply_to": None}
    return StoredLetter(new_id(), "communication", None, new_id(), "Kim", "kim@acme.example", locale, own | facts, NOW)


def drafted(each: StoredLetter) -> Any:
    return draft_of(each, BRAND, link="https://northwind.example/x", now=NOW)


class TestWords:
    def test_are_paragraphs_of_lines_in_the_readers_language(self):
        facts = drafted(letter()).facts
        assert (facts["subject"], facts["paragraphs"]) == ("Hallo", [["Eins."], ["Zwei,", "drei."]])

    def test_are_as_a_person_wrote_them_for_every_reader(self):
        for locale in ("de", "en"):
            facts = drafted(letter(locale, subject={"und": "Bonjour"}, text={"und": "Salut."})).facts
            assert (facts["subject"], facts["paragraphs"]) == ("Bonjour", [["Salut."]])


class TestAnswers:
    def test_reach_the_person_the_policy_names(self):
        found = drafted(letter(reply_to={"name": "Petra", "email": "petra@northwind.example"})).brand.help
        assert (found.name, found.email) == ("Petra", "petra@northwind.example")

    @pytest.mark.parametrize("email", ["", "nobody", "a@b.example\r\nBcc: eve@evil.example"])
    def test_reach_the_brands_contact_where_there_is_no_usable_address(self, email):
        assert drafted(letter(reply_to={"name": "Petra", "email": email})).brand == BRAND
        assert drafted(letter()).brand == BRAND
