"""What the lint says of roles, communications, clocks, questions and defaults."""

from __future__ import annotations

import pytest

from app.templates.language import read_template
from app.templates.rules import TemplateRefused
from tests.unit.flow.parts.small import NEEDED, milestone, refused, small, small_text, task

SEND = milestone("base", task("tell", "sends: news", kind="message"))
POLICY = (
    "to: client, subject: {en: News}, body: {en: We go on.}, may_promise: {en: Nothing}, "
    "must_not_promise: {en: A date}, replies_to: lead"
)


def message(more: str, policy: str = POLICY) -> str:
    return f"communications: [{{id: news, {policy}, {more}}}]"


def told(milestones: str, sections: str = "") -> list[str]:
    return [f"{each.message} {each.fix}".strip() for each in refused(milestones, sections=sections)]


def with_roles(old: str, new: str, milestones: str = NEEDED) -> list[str]:
    text = small_text(milestones)
    assert old in text
    with pytest.raises(TemplateRefused) as trouble:
        read_template(text.replace(old, new), "small.yaml")
    return [f"{each.message} {each.fix}".strip() for each in trouble.value.problems]


class TestPeople:
    def test_needs_a_lead(self):
        [said] = with_roles("  - {id: onboarding_lead, label: {en: First lead}, side: partner}\n", "")
        assert said.startswith("There is no role “onboarding_lead”")

    def test_needs_somebody_to_stand_in_for_the_customers_roles(self):
        asked = milestone("base", task("ask", owner="client"))
        [said] = with_roles(", fallback: customer_owner", "", asked)
        assert said.endswith("Give “client” the fallback “customer_owner”.")

    @pytest.mark.parametrize(
        ("fallback", "words"),
        [
            ("leed", "There is no role “leed”. Did you mean “lead”?"),
            ("client", "“client” is not on the partner's side; only the same side stands in."),
            ("cs_leader", "“cs_leader” would stand in for itself. Let the chain end somewhere."),
        ],
    )
    def test_needs_a_fallback_that_can_stand_in(self, fallback: str, words: str):
        leader = "{id: cs_leader, label: {en: Leader}, side: partner"
        assert with_roles(leader, f"{leader}, fallback: {fallback}") == [words]

    def test_lets_no_reviewer_decide_what_was_escalated(self):
        case = 'must_escalate: [{id: big, label: {en: Big}, when: "true", role: cs_leader}]'
        text = small_text(NEEDED).replace("must_escalate: []", case)
        leader = "{id: cs_leader, label: {en: Leader}, side: partner"
        assert read_template(text, "small.yaml")
        with pytest.raises(TemplateRefused) as trouble:
            read_template(text.replace(leader, f"{leader}, fallback: lead"), "small.yaml")
        [problem] = trouble.value.problems
        assert "own reviewer would let the case through" in problem.message


class TestMessages:
    def test_may_be_drafts_of_any_harmless_kind(self):
        assert small(SEND, sections=message("kind: news, mode: draft"))

    def test_may_be_automatic_where_the_list_allows_it(self):
        assert small(SEND, sections=message("kind: kickoff_nudge, mode: automatic"))

    @pytest.mark.parametrize("kind", ["news", "go_live_date", "customer_at_fault"])
    def test_never_go_out_by_themselves_otherwise(self, kind: str):
        said = told(SEND, message(f"kind: {kind}, mode: automatic, approval: {{role: cs_leader}}"))
        assert [words.split(";")[0] for words in said] == [f"“{kind}” never goes out by itself"]

    @pytest.mark.parametrize("approval", ["", ', approval: {role: cs_leader, when: "inputs.seats > 5"}'])
    def test_need_an_approval_always_where_they_are_risky(self, approval: str):
        said = told(SEND, message(f"kind: scope_change, mode: draft{approval}"))
        wanted = "it needs an approval, and always. Give it approval: {role: …} without a condition."
        assert said == [f"“scope_change” is risky: {wanted}"]

    def test_are_approved_by_the_partner(self):
        said = told(SEND, message("kind: news, mode: draft, approval: {role: client}"))
        assert said == ["Only the partner sends messages, and so only somebody of the partner's approves them."]

    def test_keep_internal_alerts_inside(self):
        [said] = told(SEND, message("kind: inactivity_alert, mode: automatic"))
        assert said.startswith("An inactivity alert is internal")

    def test_take_replies_at_the_partners(self):
        [said] = told(
            SEND, message("kind: news, mode: draft", POLICY.replace("replies_to: lead", "replies_to: client"))
        )
        assert said == "A reply goes to somebody of the partner's."

    def test_are_sent_by_a_task(self):
        [said] = told(NEEDED, message("kind: news, mode: draft"))
        assert said.startswith("No task sends “news”.")

    def test_are_there_for_the_task_that_sends_them(self):
        wrong = SEND.replace("sends: news", "sends: nwes")
        assert "There is no communication “nwes”. Did you mean “news”?" in told(
            wrong, message("kind: news, mode: draft")
        )

    def test_are_sent_by_tasks_of_their_kind_and_by_the_partner(self):
        wrong = milestone("base", task("tell", "sends: news", owner="client"))
        assert told(wrong, message("kind: news, mode: draft")) == [
            "Messages are sent by the partner; its owner is the customer's.",
            "Only a task of the kind message sends something.",
        ]

    def test_name_roles_that_there_are(self):
        [said] = told(SEND, message("kind: news, mode: draft", POLICY.replace("to: client", "to: clint")))
        assert said == "There is no role “clint”. Did you mean “client”?"


class TestClocks:
    def test_name_what_there_is(self):
        assert told(NEEDED, "clocks: {kickoff: task.bild}") == ["There is no “task.bild”. Did you mean “task.build”?"]


class TestDefaults:
    def test_fit_their_field(self):
        form = task("ask", "fields: [{id: n, label: {en: N}, type: integer, minimum: 5, default: 3}]", kind="form")
        [said] = told(milestone("base", form))
        assert said.startswith("The default does not fit its field: This must be between 5 and")


class TestSense:
    def test_finds_a_control_that_never_finds_anything(self):
        never = (
            "controls: [{id: c, label: {en: C}, when: 'inputs.seats > 5 && inputs.seats < 5', on: task.build, "
            "exception: billing_mismatch, reason_code: scope_mismatch}]"
        )
        assert told(NEEDED, never) == ["This can never be true, so this control never finds anything."]

    def test_finds_a_question_that_is_never_asked(self):
        form = task(
            "ask",
            "fields: [{id: a, label: {en: A}, type: boolean},"
            " {id: b, label: {en: B}, type: text, when: answers.ask.a && !answers.ask.a}]",
            kind="form",
        )
        assert told(milestone("base", form)) == ["This can never be true, so this is never asked."]

    def test_finds_a_message_that_nothing_ever_keeps_back(self):
        said = told(SEND, message("kind: news, mode: draft, suppress: 'task.tell.done && task.tell.skipped'"))
        assert said == ["This can never be true, so this part of its policy never counts."]

    def test_finds_compliance_that_can_never_be_met(self):
        stage = "entry: {business: inputs.seats > 5, compliance: inputs.seats > 5 && inputs.seats < 5}"
        [problem] = refused(NEEDED, stage=stage)
        assert problem.message == "This can never be true, so “stage.work” never opens."
