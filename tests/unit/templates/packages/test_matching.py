"""Which package a deal was sold with."""

from __future__ import annotations

from typing import Any

import pytest

from app.templates.packages.document import Package
from app.templates.packages.matching import Offer, Sold, Unclear, choose
from tests.unit.templates.packages.samples import package

TEMPLATE = "msp-managed-services"


def silver(**said: Any) -> Package:
    return package(**{"package": "silver", "title": {"en": "Silver"}, "called": [], "add_ons": []} | said)


OFFERS = [Offer(package()), Offer(silver())]


def why(facts: dict[str, Any], offers: list[Offer] = OFFERS, template: str = TEMPLATE) -> str:
    found = choose(offers, facts, template)
    assert isinstance(found, Unclear), found
    return found.reason


class TestChoose:
    @pytest.mark.parametrize("name", ["managed-gold", "Managed Gold", "  managed  GOLD ", "gold-24"])
    def test_knows_a_package_by_id_title_and_what_the_crm_calls_it(self, name: str):
        for fact in ("package", "product"):
            found = choose(OFFERS, {fact: name}, TEMPLATE)
            assert isinstance(found, Sold)
            assert (found.package.id, found.add_ons) == ("managed-gold", ())

    @pytest.mark.parametrize("add_ons", ["Kurse; bkp", ["BKP", "courses"], "courses;backup;Backup"])
    def test_takes_add_ons_as_crms_write_them_in_the_packages_order(self, add_ons: object):
        found = choose(OFFERS, {"package": "GOLD-24", "add_ons": add_ons}, TEMPLATE)
        assert isinstance(found, Sold)
        assert found.add_ons == ("backup", "courses")

    def test_takes_the_package_before_the_product(self):
        found = choose(OFFERS, {"package": "silver", "product": "GOLD-24"}, TEMPLATE)
        assert isinstance(found, Sold)
        assert found.package.id == "silver"

    def test_is_nothing_for_a_deal_that_speaks_of_none(self):
        assert choose(OFFERS, {"package": " ", "product": None}, TEMPLATE) is None
        assert choose([], {"product": "Workplaces", "add_ons": "Backup"}, TEMPLATE) is None
        assert choose([Offer(package(), retired=True)], {"product": "Workplaces"}, TEMPLATE) is None

    def test_leaves_a_product_alone_in_a_lane_whose_template_is_not_sold_in_packages(self):
        assert choose(OFFERS, {"product": "Rollout"}, "erp-rollout") is None

    def test_waits_for_a_person_where_the_product_is_none_of_the_packages(self):
        assert why({"product": "Manged Gold"}) == (
            "“Manged Gold” is no package that is sold. There are: “Managed Gold”, “Silver”."
        )

    def test_waits_where_two_packages_are_called_so(self):
        twice = [Offer(package()), Offer(silver(called=["GOLD-24"]))]
        assert why({"product": "GOLD-24"}, twice) == (
            "“GOLD-24” may be any of “Managed Gold”, “Silver”: the deal must name one of them."
        )

    def test_waits_where_it_is_not_sold_any_more_or_stands_on_another_template(self):
        assert "not sold any more" in why({"package": "GOLD-24"}, [Offer(package(), retired=True)])
        assert "another template" in why({"package": "GOLD-24"}, template="erp-rollout")

    def test_waits_for_an_add_on_that_the_package_has_not(self):
        assert why({"package": "GOLD-24", "add_ons": "Phone"}) == "“Phone” is no add-on of “Managed Gold”."

    def test_waits_where_add_ons_were_sold_with_nothing(self):
        assert "with which package" in why({"add_ons": "Backup"})
