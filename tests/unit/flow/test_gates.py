"""Gates: what blocks, who decides, what must be escalated (REQUIREMENTS 1.4, 1.7)."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from app.flow import events
from app.flow.commands import Finish, NotifyRole, OpenException
from app.flow.decide import OnboardingEnded
from app.flow.events import By
from app.flow.steps.draft import LONGEST_STATEMENT, NotOpen
from app.flow.steps.gates import GateIncomplete, NotTheReviewer, ReasonMissing, UnknownDecision, view_gate
from tests.unit.flow.migration.versions import found, version
from tests.unit.flow.running import CUSTOMER, STAFF, Run, full_packet, managed_services, of_type

HANDOFF = "gate.handoff_quality"
OUTSIDER = By(actor="person:leo", roles=("csm", "cs_leader"))


def run_without(*missing: str) -> Run:
    packet = full_packet(managed_services())
    return Run({name: value for name, value in packet.items() if name not in missing})


def press(run: Run, decision: str, reason: str = "", by: By = STAFF, gate: str = HANDOFF):
    return run.apply(events.GateDecided(by=by, gate=gate, decision=decision, reason=reason))


class TestHandoffGate:
    def test_shows_what_is_missing_by_rule(self):
        run = run_without("business_outcome", "customer_owner", "renewal_signal")
        view = view_gate(run.definition, run.state, HANDOFF)
        assert view.missing_hard == ("business_outcome",)
        assert view.missing_soft == ("customer_owner",)
        assert view.missing_info == ("renewal_signal",)

    def test_passes_a_complete_packet(self):
        run = Run()
        assert run.state.complete_at_handoff is True
        press(run, "accept")
        assert run.item(HANDOFF).state == "done"
        assert run.item("task.assign_team").state == "open"

    def test_passes_when_only_an_info_field_is_missing(self):
        press(run_without("renewal_signal"), "accept")

    @pytest.mark.parametrize(
        "field",
        ["business_outcome", "first_value_milestone", "key_stakeholders", "promised_deliverables", "nonstandard_terms"],
    )
    @pytest.mark.parametrize("decision", ["accept", "proceed"])
    def test_blocks_while_a_hard_field_is_missing(self, field, decision):
        run = run_without(field)
        with pytest.raises(GateIncomplete) as refused:
            press(run, decision, "We want to start.")
        assert refused.value.errors[0][0] == f"/packet/{field}"
        assert run.item("task.assign_team").state == "waiting"

    def test_passes_once_a_person_completed_the_field(self):
        run = run_without("business_outcome")
        assert run.state.complete_at_handoff is False
        opened = run.state.open_exceptions(HANDOFF)
        assert [(each.type, each.reason_code) for each in opened] == [("missing_outcome", "no_success_criteria")]
        [label] = [each.field.label["en"] for each in run.definition.handoff if each.field.id == "business_outcome"]
        assert opened[0].note == f"The packet lacks: {label}."
        run.apply(events.PacketChanged(by=STAFF, facts={"business_outcome": "Fewer outages"}, source="sales"))
        assert not run.state.open_exceptions(HANDOFF)
        press(run, "accept")
        assert run.state.complete_at_handoff is False  # complete before kickoff is another metric

    def test_is_overridden_by_its_reviewer_with_a_reason(self):
        run = run_without("business_outcome")
        press(run, "override", "The customer states it in the kickoff.")
        gate = run.item(HANDOFF)
        assert (gate.state, gate.decision, gate.settled_by) == ("done", "override", "person:mara")
        assert gate.reason == "The customer states it in the kickoff."

    def test_is_not_overridden_without_a_reason(self):
        with pytest.raises(ReasonMissing):
            press(run_without("business_outcome"), "override", "  ")

    def test_is_not_overridden_by_another_role(self):
        with pytest.raises(NotTheReviewer, match="revops"):
            press(run_without("business_outcome"), "override", "I am the boss.", by=OUTSIDER)

    def test_lets_soft_gaps_proceed_with_a_named_approver_and_reason(self):
        run = run_without("customer_owner")
        with pytest.raises(GateIncomplete):
            press(run, "accept")
        with pytest.raises(ReasonMissing):
            press(run, "proceed")
        press(run, "proceed", "Named at the kickoff.")
        assert run.item(HANDOFF).settled_by == "person:mara"

    def test_lets_nothing_proceed_that_is_another_ones_to_let_through(self):
        def escalate(document):
            case = {"id": "big", "label": {"en": "Big"}, "when": "inputs.seats > 30", "role": "cs_leader"}
            found(document, HANDOFF)["must_escalate"].append(case)

        packet = full_packet(managed_services())
        del packet["customer_owner"]
        run = Run(packet, version(escalate))
        for decision in ("accept", "proceed", "override"):
            with pytest.raises(NotTheReviewer, match="cs_leader"):
                press(run, decision, "Named soon.", by=By(actor="person:ida", roles=("revops",)))
        press(run, "proceed", "Named soon.", by=By(actor="person:ute", roles=("cs_leader",)))
        assert run.item(HANDOFF).settled_by == "person:ute"

    def test_keeps_every_fact_that_was_corrected(self):
        run = Run()
        for name in ("business_outcome", "legal_account_name"):
            run.apply(events.PacketChanged(by=STAFF, facts={name: "Something else"}, source="sales"))
        assert run.state.corrected == ("business_outcome", "legal_account_name")

    def test_names_a_field_by_its_id_where_its_label_has_no_english(self):
        found = managed_services()
        label = {"de": "Ergebnis"}
        fields = [
            msgspec.structs.replace(each, field=msgspec.structs.replace(each.field, label=label), reason_code=None)
            for each in found.handoff
        ]
        packet = {name: value for name, value in full_packet(found).items() if name != "business_outcome"}
        run = Run(packet, dataclasses.replace(found, handoff=tuple(fields)))
        [opened] = run.state.open_exceptions(HANDOFF)
        assert (opened.note, opened.reason_code) == ("The packet lacks: business_outcome.", "scope_mismatch")
        with pytest.raises(GateIncomplete, match=r"incomplete: business_outcome\."):
            press(run, "accept")

    def test_says_what_is_missing_by_its_label(self):
        run = run_without("business_outcome")
        [label] = [each.field.label["en"] for each in run.definition.handoff if each.field.id == "business_outcome"]
        with pytest.raises(GateIncomplete, match=f"incomplete: {label}"):
            press(run, "accept")

    def test_takes_a_reason_as_long_as_may_be(self):
        with pytest.raises(ReasonMissing, match="2000"):
            press(Run(), "accept", "x" * (LONGEST_STATEMENT + 1))
        press(Run(), "accept", "x" * LONGEST_STATEMENT)

    def test_is_told_to_its_reviewer_when_it_opens(self):
        run = Run()
        title = run.definition.items[HANDOFF].title
        assert of_type(run.last, NotifyRole) == [
            NotifyRole(message="gate_opened", role="revops", side="partner", item=HANDOFF, text=title)
        ]

    def test_is_not_viewed_where_there_is_none(self):
        run = Run()
        for key in ("gate.nothing", "task.kickoff"):
            with pytest.raises(NotOpen, match=f"“{key}” is not a gate"):
                view_gate(run.definition, run.state, key)

    def test_treats_a_blank_as_missing(self):
        run = run_without("business_outcome")
        run.apply(events.PacketChanged(by=STAFF, facts={"business_outcome": "   "}, source="sales"))
        with pytest.raises(GateIncomplete):
            press(run, "accept")

    def test_blocks_again_when_a_fact_is_withdrawn(self):
        run = Run()
        run.apply(events.PacketChanged(by=STAFF, facts={"nonstandard_terms": None}, source="sales"))
        with pytest.raises(GateIncomplete):
            press(run, "accept")

    def test_stays_open_when_it_is_sent_back(self):
        run = run_without("business_outcome")
        decision = press(run, "ask_sales", "Which outcome did they buy?")
        assert run.item(HANDOFF).state == "open"
        title = run.definition.items[HANDOFF].title
        assert of_type(decision, NotifyRole) == [
            NotifyRole(message="gate_returned", role="sales_owner", side="partner", item=HANDOFF, text=title)
        ]

    def test_can_stop_the_onboarding_for_good(self):
        run = Run()
        decision = press(run, "no_go", "The contract was withdrawn.")
        assert [(each.outcome, each.reason) for each in of_type(decision, Finish)] == [
            ("cancelled", "The contract was withdrawn.")
        ]
        assert {item.state for item in run.state.items.values()} == {"cancelled"}
        with pytest.raises(OnboardingEnded):
            press(run, "accept")

    def test_is_decided_once(self):
        run = Run()
        press(run, "accept")
        with pytest.raises(NotOpen):
            press(run, "accept")

    def test_has_only_its_own_buttons(self):
        with pytest.raises(UnknownDecision):
            press(Run(), "whatever", "x")

    def test_is_not_decided_by_the_customer(self):
        with pytest.raises(NotTheReviewer):
            press(Run(), "accept", by=CUSTOMER)


class TestLaunchGate:
    def launch(self, workplaces: int = 30, sites: int = 2) -> Run:
        run = Run()
        run.until_launch(workplaces, sites)
        assert run.item("gate.launch").state == "open"
        return run

    def test_passes_when_its_checks_have_passed(self):
        run = self.launch()
        assert view_gate(run.definition, run.state, "gate.launch").checks == {"seats_fit": True, "workspace": True}
        press(run, "launch", gate="gate.launch")

    def test_blocks_on_a_failed_check_until_it_is_overridden(self):
        run = self.launch(workplaces=41)
        with pytest.raises(GateIncomplete) as refused:
            press(run, "launch", gate="gate.launch")
        assert refused.value.errors == [("/checks/seats_fit", "This check has not passed.")]
        press(run, "override", "One seat is free until the renewal.", gate="gate.launch")

    def test_must_be_escalated_in_the_cases_that_the_template_names(self):
        run = self.launch(sites=26)
        lead = By(actor="person:ida", roles=("implementation_lead",))
        assert view_gate(run.definition, run.state, "gate.launch").escalations == ("many_sites",)
        for decision in ("launch", "override"):
            with pytest.raises(NotTheReviewer, match="cs_leader"):
                press(run, decision, "x", by=lead, gate="gate.launch")
        press(run, "launch", by=By(actor="person:ute", roles=("cs_leader",)), gate="gate.launch")
        assert run.item("gate.launch").settled_by == "person:ute"


class TestMissingFactsBehindAnOverride:
    def test_end_in_an_exception_with_an_owner_and_never_in_a_wrong_call(self):
        run = run_without("legal_account_name")
        press(run, "proceed", "The contract team will send it.")
        run.complete("task.assign_team", engineer="Ada", fallback="Bo")
        run.complete("task.confirm_billing", entity_matches=True, plan_matches=True, bill_to_known=True)
        run.complete("task.schedule_kickoff", kickoff_on="2026-03-09")
        opened = of_type(run.describe(), OpenException)
        assert opened[0].exception.type == "criterion_error"
        assert "packet.legal_account_name has no value yet" in opened[0].exception.note
        assert run.item("task.create_workspace").state == "waiting"
        run.apply(events.PacketChanged(by=STAFF, facts={"legal_account_name": "Acme GmbH"}, source="contract"))
        assert run.item("task.create_workspace").state == "running"
        assert not run.state.open_exceptions("task.create_workspace")
