"""Deals that must not start, or not yet, or not twice: each ends with a verdict and, where needed, an owner."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from app.connectors.catalog.stand_in import Fault
from app.intake.operations import check_again, record_reading
from app.intake.rules import Contract, decide_admission
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from tests.factories.main_job import MainJob

DEALS = "/crm/v3/objects/deals/"


def told(shop: MainJob, **more: Any) -> str:
    """A sold deal of a company of its own, read from the CRM and decided."""
    deal = shop.sell(company=more.pop("company", f"Customer {new_id().hex[-6:]}"), **more)
    shop.tell(deal)
    shop.finish()
    return deal


class TestTriggerContract:
    @pytest.mark.parametrize(
        ("change", "kind"),
        [
            ({"sw_plan": None}, "deal_incomplete"),
            ({"amount": "a lot"}, "deal_incomplete"),
            ({"sw_start_date": "soon"}, "deal_incomplete"),
            ({"sw_segment": None}, "deal_incomplete"),
            ({"sw_contract_signed": "perhaps"}, "deal_not_ready"),
            ({"sw_payment_ready": "false"}, "deal_not_ready"),
            ({"sw_segment": "enterprise"}, "deal_unrouted"),
        ],
        ids=lambda value: value if isinstance(value, str) else None,
    )
    def test_holds_a_deal_with_an_exception_that_has_an_owner(self, shop: MainJob, change: Any, kind: str):
        deal = shop.deal(told(shop, **change))
        found = shop.exceptions(deal.id)
        assert [(row.type, row.state, row.route) for row in found] == [(kind, "open", ["onboarding_lead"])]
        assert (deal.state, deal.tenant_id, deal.onboarding_id) == ("held", None, None)

    def test_holds_a_deal_of_two_companies_without_a_mark(self, shop: MainJob):
        one, two = (shop.create("companies", {"name": name}) for name in ("Acme", "Umbrella"))
        deal = shop.create("deals", shop.sold_properties(), {one: 341, two: 341})
        shop.tell(deal)
        shop.finish()
        assert [row.type for row in shop.exceptions(shop.deal(deal).id)] == ["deal_ambiguous"]

    @pytest.mark.parametrize("change", [{"sw_implementation_type": "self-serve"}, {"dealstage": "closedlost"}])
    def test_leaves_an_excluded_deal_alone_without_bothering_anybody(self, shop: MainJob, change: Any):
        deal = shop.deal(told(shop, **change))
        assert (deal.state, shop.exceptions(deal.id)) == ("excluded", [])

    def test_admits_a_held_deal_once_it_is_corrected_and_closes_its_exception(self, shop: MainJob):
        deal = told(shop, sw_plan=None)
        shop.change_deal(deal, sw_plan="team")
        shop.tell(deal)
        shop.finish()
        row = shop.deal(deal)
        assert row.state == "started"
        assert [found.state for found in shop.exceptions(row.id)] == ["resolved"]

    def test_keeps_one_open_exception_when_the_trouble_changes(self, shop: MainJob):
        deal = told(shop, sw_plan=None, sw_payment_ready="false")
        shop.change_deal(deal, sw_plan="team")
        shop.tell(deal)
        shop.finish()
        found = {row.type: row.state for row in shop.exceptions(shop.deal(deal).id)}
        assert found == {"deal_incomplete": "resolved", "deal_not_ready": "open"}

    def test_reads_a_held_deal_again_when_a_person_says_so(self, shop: MainJob):
        deal = told(shop, sw_segment="enterprise")
        shop.change_deal(deal, sw_segment="mid-market", sw_plan="")
        with shop.installation.work(shop.home, shop.lead) as work:
            check_again(work, deal_id=shop.deal(deal).id)
        shop.finish()
        found = {row.type: row.state for row in shop.exceptions(shop.deal(deal).id)}
        assert found == {"deal_unrouted": "resolved", "deal_incomplete": "open"}

    def test_keeps_verdicts_that_anyone_can_compute_again(self, shop: MainJob):
        told(shop, sw_plan=None)
        told(shop, sw_implementation_type="self-serve")
        verdicts = shop.installation.rows(shop.home, "SELECT * FROM {}.verdict WHERE kind = 'trigger_contract'")
        assert len(verdicts) >= 2
        for verdict in verdicts:
            if verdict.inputs["contract"] is not None:
                contract = Contract.from_document(verdict.inputs["contract"])
                again = decide_admission(
                    contract, verdict.inputs["facts"], account_has_other=verdict.inputs["account_has_other"]
                )
                assert (again.answer, again.reason) == (verdict.result, verdict.reason)


class TestOneOnboardingADeal:
    def test_starts_nothing_twice_for_a_deal_that_was_reopened(self, shop: MainJob):
        deal = told(shop)
        before = shop.deal(deal)
        for stage in ("contractsent", "closedwon"):
            shop.change_deal(deal, dealstage=stage)
            shop.tell(deal)
        shop.finish()
        assert shop.deal(deal) == before
        seen = "SELECT count(*) AS n FROM {}.trail WHERE action = 'intake.deal.seen_again' AND subject_id = %s"
        assert shop.installation.rows(shop.home, seen, before.id)[0].n == 2

    def test_holds_a_second_deal_of_the_same_account(self, shop: MainJob):
        first = told(shop)
        company = shop.deal(first).account_id
        second = shop.create("deals", shop.sold_properties(), {company: 5})
        shop.tell(second)
        shop.finish()
        found = shop.exceptions(shop.deal(second).id)
        assert [row.type for row in found] == ["deal_duplicate"]
        assert first in found[0].summary

    def test_admits_one_of_two_deals_of_an_account_that_are_read_at_once(self, shop: MainJob):
        facts = shop.deal(told(shop)).facts | {"account_id": new_id().hex, "account_name": "Twice Ltd"}
        ready, states = threading.Barrier(2), []

        def read(deal: str) -> None:
            with shop.installation.work(shop.home, job_actor(new_id(), "intake.read_deal")) as work:
                ready.wait(10)
                states.append(record_reading(work, source="hubspot", external_id=deal, facts=facts))

        threads = [threading.Thread(target=read, args=(f"99{number}",)) for number in (1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert sorted(states) == ["admitted", "held"]
        shop.finish()


class TestAdmittedDealThatCannotStart:
    @pytest.mark.parametrize("change", [{"sw_plan": "platinum"}, {"sw_seats": "99999999999"}])
    def test_goes_back_to_a_person_and_starts_once_it_is_corrected(self, shop: MainJob, change: dict[str, str]):
        deal = told(shop, **change)
        row = shop.deal(deal)
        found = shop.exceptions(row.id)
        assert (row.state, [(each.type, each.state) for each in found]) == ("held", [("start_refused", "open")])
        shop.change_deal(deal, sw_plan="team", sw_seats="40")
        shop.tell(deal)
        shop.finish()
        row = shop.deal(deal)
        assert row.state == "started"
        made = "SELECT count(*) AS n FROM control.tenant WHERE request_key = %s"
        assert shop.installation.control(made, f"deal:{row.id}")[0].n == 1


class TestTroubleAtTheCRM:
    @pytest.mark.parametrize(
        "fault",
        [
            Fault("status", DEALS, times=1, status=500),
            Fault("status", DEALS, times=1, status=429, headers={"Retry-After": "1"}),
            Fault("garbage", DEALS, times=1),
            Fault("reset_after_effect", DEALS, times=1),
            Fault("status", "/crm/v3/objects/companies/batch", times=1, status=502),
        ],
        ids=["500", "429", "garbage", "reset", "502 at the companies"],
    )
    def test_is_tried_again_and_the_deal_is_read(self, shop: MainJob, fault: Fault):
        shop.crm.break_next(fault)
        deal = shop.deal(told(shop, sw_implementation_type="self-serve"))
        assert (deal.state, deal.facts["segment"]) == ("excluded", "mid-market")

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("status", DEALS, times=99, status=500),
            Fault("status", DEALS, times=99, status=401),
            Fault("status", DEALS, times=99, status=404),
            Fault("garbage", DEALS, times=99),
            Fault("oversize", DEALS, times=99),
            Fault("redirect", DEALS, times=99),
        ],
        ids=["500", "401", "404", "garbage", "oversize", "redirect"],
    )
    def test_that_stays_holds_the_deal_for_a_person_and_loses_nothing(self, shop: MainJob, fault: Fault):
        shop.crm.break_next(fault)
        deal = told(shop, sw_implementation_type="self-serve")
        row = shop.deal(deal)
        found = shop.exceptions(row.id)
        assert [(each.type, each.route) for each in found] == [("crm_unreadable", ["onboarding_lead"])]
        assert found[0].summary
        shop.crm.faults.clear()
        with shop.installation.work(shop.home, shop.lead) as work:
            check_again(work, deal_id=row.id)
        shop.finish()
        assert shop.deal(deal).state == "excluded"
        assert [each.state for each in shop.exceptions(row.id)] == ["resolved"]

    def test_holds_the_deal_when_no_connection_is_set_up_any_more(self, shop: MainJob):
        shop.installation.rows(shop.home, "UPDATE {}.connection SET state = 'off'")
        try:
            row = shop.deal(told(shop))
            assert [each.type for each in shop.exceptions(row.id)] == ["crm_unreadable"]
        finally:
            shop.installation.rows(shop.home, "UPDATE {}.connection SET state = 'active'")
