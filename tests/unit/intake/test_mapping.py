"""From a CRM's texts to facts: nothing is guessed, a blank stays a blank."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.connectors.crm.sold_deal import SoldCompany, SoldContact, SoldDeal
from app.intake.mapping import FactMapping, facts_of

MAPPING = FactMapping(
    facts={"segment": "sw_segment", "start_date": "sw_start", "seats": "sw_seats"},
    flags={"contract_signed": "sw_signed"},
    packet={"business_outcome": "sw_outcome"},
    owners={"77": "sam@northwind.example"},
)
ACME = SoldCompany("1", "Acme", "acme.example", "DE", primary=True)
UMBRELLA = SoldCompany("2", "Umbrella", "umbrella.example", "US", primary=False)
MARIA = SoldContact("9", "Maria@Acme.example", "Maria", "Lopez", "", "IT")


def sold(properties: dict[str, str] | None = None, **more: Any) -> SoldDeal:
    whole: dict[str, Any] = {
        "source": "hubspot",
        "deal_id": "5",
        "name": "Acme deal",
        "pipeline": "default",
        "stage": "closedwon",
        "won": True,
        "amount": Decimal(24000),
        "currency": "EUR",
        "closed_at": None,
        "owner_id": "77",
        "companies": (ACME,),
        "contacts": (MARIA,),
        "properties": properties or {},
    }
    return SoldDeal(**(whole | more))


class TestFactsOf:
    @pytest.mark.parametrize("yes", ["true", "TRUE", " yes ", "1"])
    def test_reads_a_clear_yes(self, yes: str):
        assert facts_of(sold({"sw_signed": yes}), MAPPING)["contract_signed"] is True

    @pytest.mark.parametrize("no", ["false", "No", "0"])
    def test_reads_a_clear_no(self, no: str):
        assert facts_of(sold({"sw_signed": no}), MAPPING)["contract_signed"] is False

    @pytest.mark.parametrize("unclear", ["", " ", "maybe", "2", "truex", "not signed", "wahr", "\u0661"])
    def test_takes_what_says_neither_for_neither(self, unclear: str):
        assert facts_of(sold({"sw_signed": unclear}), MAPPING)["contract_signed"] is None

    @pytest.mark.parametrize("garbage", ["soon", "2026-13-01", "01.12.2026", "2026-02-30", "1764547200000", ""])
    def test_takes_a_garbage_date_for_no_date(self, garbage: str):
        assert not facts_of(sold({"sw_start": garbage}), MAPPING)["start_date"]

    def test_keeps_a_good_date(self):
        assert facts_of(sold({"sw_start": "2026-12-01"}), MAPPING)["start_date"] == "2026-12-01"

    @pytest.mark.parametrize(("text", "seats"), [("40", 40), ("40.0", 40), (" 7 ", 7), ("1e1", 10)])
    def test_reads_whole_numbers_as_crms_write_them(self, text: str, seats: int):
        assert facts_of(sold({"sw_seats": text}), MAPPING)["seats"] == seats

    @pytest.mark.parametrize("text", ["forty", "40.5", "NaN", "Infinity", "1e999999999"])
    def test_hands_on_a_number_that_is_none_as_it_was_said(self, text: str):
        """Left out, the template's default would take its place and nobody would notice."""
        assert facts_of(sold({"sw_seats": text}), MAPPING)["seats"] == text

    def test_writes_amounts_as_text_and_leaves_a_missing_one_out(self):
        assert facts_of(sold(amount=Decimal("0.10")), MAPPING)["amount"] == "0.10"
        assert facts_of(sold(amount=None), MAPPING)["amount"] is None

    def test_translates_the_owner_where_the_mapping_knows_them(self):
        assert facts_of(sold(), MAPPING)["owner"] == "sam@northwind.example"
        assert facts_of(sold(owner_id="78"), MAPPING)["owner"] == "78"
        assert facts_of(sold(owner_id=""), MAPPING)["owner"] is None

    @pytest.mark.parametrize(
        "companies",
        [(), (UMBRELLA, SoldCompany("3", "Third", "", "", primary=False)), (ACME, ACME)],
        ids=["none", "two without a mark", "two marked"],
    )
    def test_guesses_no_account(self, companies: tuple[SoldCompany, ...]):
        found = facts_of(sold(companies=companies), MAPPING)
        assert (found["account_id"], found["account_name"]) == (None, None)

    def test_takes_the_marked_company_or_the_only_one(self):
        assert facts_of(sold(companies=(UMBRELLA, ACME)), MAPPING)["account_name"] == "Acme"
        assert facts_of(sold(companies=(UMBRELLA,)), MAPPING)["account_name"] == "Umbrella"

    def test_takes_only_contacts_who_can_be_written_to_each_once(self):
        nobody = SoldContact("8", "", "No", "Mail", "", "")
        again = SoldContact("7", "maria@acme.EXAMPLE", "M.", "Lopez", "", "")
        found = facts_of(sold(contacts=(nobody, MARIA, again)), MAPPING)["contacts"]
        assert [contact["email"] for contact in found] == ["maria@acme.example"]
        assert found[0]["name"] == "Maria Lopez"

    @pytest.mark.parametrize(
        ("language", "locale"), [("de", "de"), ("de-at", "de"), ("DE", "de"), ("fr", "en"), ("", "en"), ("?;q=x", "en")]
    )
    def test_writes_to_a_contact_in_their_language_or_the_nearest_to_it(self, language: str, locale: str):
        [contact] = facts_of(sold(contacts=(replace(MARIA, language=language),)), MAPPING)["contacts"]
        assert contact["locale"] == locale

    def test_leaves_an_empty_packet_field_empty(self):
        assert facts_of(sold({"sw_outcome": "  "}), MAPPING)["packet"] == {"business_outcome": None}


class TestFactMapping:
    def test_asks_the_crm_for_every_mapped_property_once(self):
        assert MAPPING.properties == ["sw_outcome", "sw_seats", "sw_segment", "sw_signed", "sw_start"]

    def test_is_empty_where_nothing_was_configured(self):
        assert FactMapping.from_config({}).properties == []
