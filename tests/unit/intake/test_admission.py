"""The trigger contract as a table: what a deal must be so that an onboarding may start."""

from __future__ import annotations

from typing import Any

import pytest

from app.intake.rules import DEFAULT_REQUIRED, Contract, decide_admission

DOCUMENT: dict[str, Any] = {
    "stages": ["closedwon"],
    "segments": ["mid-market"],
    "conditions": {"contract_signed": True, "payment_ready": True},
    "exclusions": [{"fact": "implementation_type", "equals": "self-serve", "reason": "Self-serve deals start alone."}],
}
CONTRACT = Contract.from_document(DOCUMENT)
FACTS: dict[str, Any] = {
    "stage": "closedwon",
    "segment": "mid-market",
    "owner": "77",
    "start_date": "2026-12-01",
    "product": "Managed services",
    "plan": "team",
    "amount": "24000",
    "implementation_type": "guided",
    "contract_signed": True,
    "payment_ready": True,
    "account_id": "1",
    "account_name": "Contoso",
}


def decide(*, other: Any = None, **changed: Any) -> Any:
    return decide_admission(CONTRACT, FACTS | changed, account_has_other=other)


class TestDecideAdmission:
    def test_admits_a_deal_that_meets_every_condition(self):
        assert decide().answer == "admitted"

    @pytest.mark.parametrize("field", DEFAULT_REQUIRED)
    @pytest.mark.parametrize("blank", [None, "", "   "])
    def test_holds_a_deal_without_a_required_field_and_names_it(self, field: str, blank: object):
        found = decide(**{field: blank})
        assert (found.answer, found.missing, found.exception) == ("held", (field,), "deal_incomplete")
        assert field in found.reason

    def test_names_all_missing_fields_at_once(self):
        assert decide(plan=None, amount=" ").missing == ("plan", "amount")

    @pytest.mark.parametrize("field", ["account_id", "account_name"])
    def test_holds_a_deal_of_which_nobody_knows_whose_it_is(self, field: str):
        found = decide(**{field: None})
        assert (found.answer, found.exception) == ("held", "deal_ambiguous")

    @pytest.mark.parametrize("flag", ["contract_signed", "payment_ready"])
    @pytest.mark.parametrize("said", [False, None, "true", 1])
    def test_takes_nothing_but_a_clear_yes_for_a_condition(self, flag: str, said: object):
        found = decide(**{flag: said})
        assert (found.answer, found.missing, found.exception) == ("held", (flag,), "deal_not_ready")

    @pytest.mark.parametrize("stage", [None, "", "contractsent", "ClosedWon", "closedlost"])
    def test_leaves_a_deal_at_another_stage_alone(self, stage: str | None):
        assert decide(stage=stage).answer == "excluded"

    def test_leaves_an_excluded_deal_alone_and_says_why(self):
        found = decide(implementation_type="self-serve", amount=None)
        assert (found.answer, found.reason) == ("excluded", "Self-serve deals start alone.")

    def test_leaves_a_deal_of_another_segment_alone(self):
        assert decide(segment="enterprise").answer == "excluded"

    def test_holds_a_second_deal_of_the_same_account_and_names_the_first(self):
        found = decide(other="5100000042")
        assert (found.answer, found.exception) == ("held", "deal_duplicate")
        assert "5100000042" in found.reason

    def test_asks_for_completeness_before_it_asks_for_doubles(self):
        assert decide(other="1", plan=None).exception == "deal_incomplete"


class TestContract:
    def test_asks_for_the_fields_of_the_requirements_unless_told_otherwise(self):
        assert CONTRACT.required == DEFAULT_REQUIRED
        assert Contract.from_document(DOCUMENT | {"required": ["plan"]}).required == ("plan",)

    @pytest.mark.parametrize("broken", [{}, {"stages": ["a"]}, {"stages": 3, "segments": ["b"]}])
    def test_refuses_a_document_that_is_no_contract(self, broken: dict[str, Any]):
        with pytest.raises((KeyError, TypeError)):
            Contract.from_document(broken)
