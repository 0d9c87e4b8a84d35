"""The template language: typos, gaps and cycles are found with line, column and fix."""

from __future__ import annotations

import pytest

from app.templates.language import address, canonical, read_template
from app.templates.library import lint_library
from tests.unit.templates.samples import FILE, changed, line_of, managed_services, problems_of, template_text


class TestSchema:
    @pytest.mark.parametrize(
        ("old", "new", "word"),
        [
            ("audience: msp", "audiense: msp", "Did you mean “audience”?"),
            ("audience: msp", "audience: mspp", "Did you mean “msp”?"),
            ("version: 1.0.0", 'version: "1.0"', "1.0"),
            ("version: 1.0.0", "version: 1.0.0\nsecret: x", "There is no “secret” here."),
            ("            kind: meeting\n", "            kind: metting\n", "Did you mean “meeting”?"),
            ("layer: value", "layer: values", "Did you mean “value”?"),
            ("default_locale: en\n", "", "“default_locale” is missing"),
            ("      rule: hard\n", "      rule: maybe\n", "hard, soft, info"),
            ("due: {business_days: 1}", "due: {days: 1}", "There is no “days” here."),
            ("due: {business_days: 1}", "due: {business_days: -1}", "-1"),
            ("due: {business_days: 1}", "due: {business_days: 1, business_hours: 2}", "business_days"),
            ("- id: assign_team", "- id: assign-team", "assign-team"),
            ("            kind: approval\n", "            kind: action\n", "“action” is missing"),
        ],
    )
    def test_refuses_with_a_likely_fix(self, old, new, word):
        assert any(word in str(problem) for problem in problems_of(changed(old, new)))

    def test_names_the_line_of_the_wrong_word(self):
        text = changed("            kind: meeting\n", "            kind: metting\n")
        problem = problems_of(text)[0]
        assert problem.line == line_of(text, "metting")
        assert problem.column == 19

    def test_tells_every_problem_at_once(self):
        text = changed("audience: msp", "audience: mspp").replace("layer: value", "layer: values", 1)
        assert len(problems_of(text)) == 2

    def test_knows_an_action_only_on_a_task_of_that_kind(self):
        text = changed("            kind: action\n", "            kind: form\n")
        assert any("does not belong" in problem.message for problem in problems_of(text))


class TestLint:
    @pytest.mark.parametrize(
        ("old", "new", "word"),
        [
            ("owner: csm", "owner: cms", "There is no role “cms”. Did you mean “csm”?"),
            ("reviewer: revops", "reviewer: revop", "There is no role “revop”. Did you mean “revops”?"),
            ("route: [sales_owner, csm]", "route: [sales_onwer, csm]", "Did you mean “sales_owner”?"),
            ("return_to: sales_owner", "return_to: nobody", "There is no role “nobody”."),
            ("depends_on: [task.kickoff]", "depends_on: [task.kikoff]", "Did you mean “task.kickoff”?"),
            ("item: task.schedule_kickoff", "item: task.schedule", "There is no “task.schedule”."),
            (
                "milestone: first_ticket_solved",
                "milestone: first_ticket",
                "Did you mean “milestone.first_ticket_solved”?",
            ),
            (
                "packet.business_outcome, packet",
                "packet.business_outcom, packet",
                "Did you mean “packet.business_outcome",
            ),
            ("{provider}", "{provder}", "Did you mean “provider”?"),
            ('{en: "Handoff", de: "Übergabe", ar', '{en: "Handoff", ar', "missing in “de”"),
            ("default_locale: en", "default_locale: fr", "default language"),
            (
                "exit: gate.handoff_quality.passed",
                "exit: gate.handoff_qualty.passed",
                "Did you mean “gate.handoff_quality.passed”?",
            ),
            ("exit: gate.handoff_quality.passed", "exit: inputs.region", "true or false"),
            ("seats: answers.describe_environment.workplaces", 'seats: "[1, 2]"', "must be text, a number"),
            ("- id: announce", "- id: kickoff", "exists already"),
            ("{id: fallback,", "{id: engineer,", "in this list twice"),
            ("kind: training", "kind: file", "A file task needs files."),
            ("        handoff: true\n", "", "No gate judges the handoff packet."),
            (
                "effect: override}\n          - {id: no_go",
                "effect: return}\n          - {id: no_go",
                "effect “override”",
            ),
            ("        layer: internal\n", "        layer: implementation\n", "“internal”"),
            ("            side: customer\n", "            side: partner\n", "not on that side"),
            (
                ", source: person}\n        tasks:\n          - id: solve",
                ", source: tasks}\n        tasks:\n          - id: solve",
                "proven by a person",
            ),
        ],
    )
    def test_refuses_what_the_schema_cannot_see(self, old, new, word):
        count = -1 if "layer: internal" in old else 1
        assert any(word in str(problem) for problem in problems_of(changed(old, new, count)))

    def test_finds_items_that_wait_for_each_other(self):
        text = changed(
            "            owner: onboarding_lead\n            due: {business_days: 1}\n",
            "            owner: onboarding_lead\n            depends_on: [task.schedule_kickoff]\n",
        )
        problem = next(each for each in problems_of(text) if "wait for each other" in each.message)
        assert "task.assign_team" in problem.message
        assert "task.schedule_kickoff" in problem.message

    @pytest.mark.parametrize(
        "waits_for", ["stage.handoff", "milestone.ready_to_start", "task.kickoff", "stage.preparation", "gate.launch"]
    )
    def test_finds_what_waits_for_something_that_comes_after_it(self, waits_for):
        text = changed("depends_on: [task.assign_team]", f"depends_on: [{waits_for}]")
        assert any("wait for each other" in problem.message for problem in problems_of(text))

    def test_finds_a_stage_that_comes_after_itself(self):
        text = changed("    phase: adoption\n", "    phase: adoption\n    after: [value]\n")
        assert any("stage.value" in problem.message for problem in problems_of(text))

    def test_places_a_criterion_inside_a_block_text(self):
        text = changed(
            "    exit: gate.handoff_quality.passed\n",
            "    exit: |\n      gate.handoff_quality.passed &&\n      gate.lunch.passed\n",
        )
        problem = problems_of(text)[0]
        assert problem.line == line_of(text, "gate.lunch.passed")
        assert "gate.launch.passed" in problem.fix

    def test_wants_a_route_for_every_exception_type(self):
        text = template_text()
        begin, end = text.index("  - id: product_gap\n"), text.index("\nfirst_value:")
        problems = problems_of(text[:begin] + text[end:])
        assert [problem.message for problem in problems] == ["The exception type “product_gap” has no route."]

    def test_refuses_first_value_that_could_be_skipped(self):
        text = changed(
            "      - id: first_ticket_solved\n", "      - id: first_ticket_solved\n        when: inputs.seats > 5\n"
        )
        assert any("skipped milestone proves nothing" in problem.message for problem in problems_of(text))


class TestAddress:
    def test_does_not_depend_on_order_or_layout(self):
        document = dict(managed_services().document)
        backwards = dict(reversed(list(document.items())))
        assert canonical(backwards) == canonical(document)
        assert address(backwards) == managed_services().digest
        assert read_template("# a comment\n\n" + template_text(), "other.yaml").digest == managed_services().digest

    def test_changes_with_any_word(self):
        assert read_template(changed("Preparation", "Preparations"), FILE).digest != managed_services().digest


class TestLibrary:
    def test_is_without_problems(self):
        """How long it takes is measured by `make bench ONLY=templates`."""
        assert lint_library() == []

    def test_holds_what_the_main_job_needs(self):
        definition = managed_services().compile()
        kinds = {item.kind for item in definition.items.values()}
        layers = {item.layer for item in definition.of_kind("milestone")}
        assert kinds == {"stage", "gate", "milestone", "task"}
        assert layers == {"internal", "implementation", "value"}
        assert len(definition.of_kind("stage")) >= 4
        assert len(definition.of_kind("task")) >= 12
        assert {each.field.id for each in definition.handoff if each.rule == "hard"} == {
            "business_outcome",
            "first_value_milestone",
            "key_stakeholders",
            "promised_deliverables",
            "nonstandard_terms",
        }

    def test_fills_brandable_texts_in_every_language(self):
        title = managed_services().compile().title
        assert title == {
            "en": "Managed services with your service provider",
            "de": "Managed Services mit Ihrem Dienstleister",
            "ar": "الخدمات المُدارة مع مزوّد الخدمة",
        }
