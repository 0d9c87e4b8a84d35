"""Overlays: merge by id, locks, origin of values, the exact version they were written for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.templates.library import open_shelf
from app.templates.overlay import apply_overlays, read_overlay
from app.templates.rules import TemplateRefused
from tests.unit.templates.samples import managed_services, merged, overlay, overlay_text, refusals

TASK = """
stages:
  - id: rollout
    milestones:
      - id: people_ready
        tasks:
          - id: {id}
"""


def tasks_of(effective, milestone: str) -> list[str]:
    return list(effective.compile().items[milestone].children)


class TestNorthwind:
    def test_is_the_branded_version(self):
        effective = open_shelf("msp/managed-services").effective("northwind")
        definition = effective.compile()
        assert definition.title == {
            "en": "Northwind Managed Services",
            "de": "Northwind Managed Services",
            "ar": "نورثويند للخدمات المُدارة",
        }
        assert "Northwind desk" in definition.items["task.train_staff"].help["en"]
        assert definition.timers["environment_answer"].ladder[0].after.business_hours == 8
        assert tasks_of(effective, "milestone.people_ready")[0] == "task.security_briefing"
        fields = [field.id for field in definition.items["task.describe_environment"].fields]
        assert fields.index("cyber_insurance") == fields.index("identity") + 1

    def test_leaves_no_word_of_the_base_brand(self):
        definition = open_shelf("msp/managed-services").effective("northwind").compile()
        assert "your service provider" not in str(definition.items) + str(definition.title)

    def test_keeps_where_each_value_comes_from(self):
        effective = open_shelf("msp/managed-services").effective("northwind")
        assert effective.origin_of("texts.provider.en").id == "northwind-managed-services"
        path = "stages.rollout.milestones.people_ready.tasks"
        assert effective.origin_of(f"{path}.security_briefing.title.en").id == "northwind-managed-services"
        assert effective.origin_of(f"{path}.train_staff.title.en").kind == "template"
        assert effective.origin_of("stages.handoff.gates.handoff_quality.reviewer").kind == "template"

    def test_has_an_address_of_its_own_and_leaves_the_base_untouched(self):
        shelf = open_shelf("msp/managed-services")
        before = shelf.template.digest
        assert shelf.effective("northwind").digest != before
        assert shelf.effective().digest == before


class TestMerge:
    def test_adds_removes_and_moves_by_id(self):
        effective = merged(
            TASK.format(id="announce")
            + "            $remove: true\n          - {id: train_staff, $first: true}\n"
            + "          - {id: quiz, $add: true, $after: train_staff, kind: message, "
            + 'title: {en: "Q", de: "Q", ar: "Q"}, owner: csm}\n'
        )
        assert tasks_of(effective, "milestone.people_ready") == ["task.train_staff", "task.quiz"]

    def test_takes_a_value_out(self):
        effective = merged(TASK.format(id="train_staff") + "            due: null\n")
        assert effective.compile().items["task.train_staff"].due is None

    def test_replaces_other_lists_as_a_whole(self):
        effective = merged(TASK.format(id="announce") + "            depends_on: []\n")
        assert effective.compile().items["task.announce"].depends_on == ()

    def test_stacks_in_order(self):
        distributor = overlay('texts: {provider: {en: "Big", de: "Groß", ar: "كبير"}}')
        reseller = overlay('texts: {provider: {en: "Small"}}', after=[distributor])
        effective = apply_overlays(managed_services(), [distributor, reseller])
        assert effective.document["texts"]["provider"] == {"en": "Small", "de": "Groß", "ar": "كبير"}

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200))
    @settings(max_examples=15)
    def test_takes_any_brand_name_as_plain_text(self, name):
        source = overlay('texts: {provider: {en: "x", de: "x"}}')
        text = overlay_text('texts: {provider: {en: "x"}}', digest=apply_overlays(managed_services(), [source]).digest)
        patched = read_overlay(text, "o.yaml")
        patched.document["patch"]["texts"]["provider"]["en"] = name
        title = apply_overlays(managed_services(), [source, patched]).compile().title["en"]
        assert title == f"Managed services with {name}"


class TestRefusal:
    @pytest.mark.parametrize(
        ("patch", "word"),
        [
            (TASK.format(id="train_stuff") + "            due: {business_days: 2}\n", "Did you mean “train_staff”?"),
            (TASK.format(id="brand_new") + '            title: {en: "x", de: "x"}\n', "$add: true"),
            (TASK.format(id="train_staff") + "            $add: true\n", "exists already"),
            (TASK.format(id="train_staff") + "            $after: nowhere\n", "no “nowhere” beside it"),
            (TASK.format(id="train_staff") + "            colour: null\n", "to take out"),
            (TASK.format(id="train_staff") + "            colour: red\n", "There is no “colour” here."),
            (TASK.format(id="train_staff") + "            owner: nobody\n", "There is no role “nobody”."),
            (TASK.format(id="train_staff") + "            kind: credential\n", "“credential” is missing"),
            (TASK.format(id="train_staff") + '            when: "answers.x.y"\n', "undeclared reference"),
            (TASK.format(id="train_staff") + "            $remove: true\n", "There is no “task.train_staff”."),
            ('texts: {provider: {fr: "x"}, unknown_text: {en: "x"}}', "missing in “de”"),
        ],
    )
    def test_names_the_place_in_the_overlay(self, patch, word):
        problems = refusals(patch)
        assert any(word in str(problem) for problem in problems)
        written = [problem for problem in problems if word in str(problem)]
        assert any(problem.file in {"overlay.yaml", "template.yaml"} for problem in written)

    def test_points_at_the_overlay_for_a_value_it_wrote(self):
        problem = next(each for each in refusals(TASK.format(id="train_staff") + "            owner: nobody\n"))
        assert problem.file == "overlay.yaml"
        assert problem.line == 13

    @pytest.mark.parametrize(
        "patch",
        [
            "stages: [{id: handoff, $remove: true}]",
            "stages: [{id: handoff, gates: null}]",
            "stages: [{id: handoff, gates: [{id: handoff_quality, reviewer: csm}]}]",
            "stages: [{id: handoff, gates: [{id: handoff_quality, $remove: true}]}]",
            "stages: [{id: handoff, gates: [{id: handoff_quality, validations: []}]}]",
            "stages: null",
            "handoff: {fields: [{id: business_outcome, rule: info}]}",
            "handoff: {fields: [{id: business_outcome, $remove: true}]}",
            "handoff: null",
            "first_value: {milestone: monitored}",
        ],
    )
    def test_holds_what_the_template_locks(self, patch):
        assert any("is locked by the template" in problem.message for problem in refusals(patch))

    def test_lets_the_unlocked_neighbour_change(self):
        goal = '{id: business_outcome, label: {en: "Goal", de: "Ziel"}}'
        label = f"handoff: {{fields: [{goal}, {{id: customer_owner, rule: hard}}]}}"
        rules = {each.field.id: each.rule for each in merged(label).compile().handoff}
        assert rules["customer_owner"] == "hard"

    @pytest.mark.parametrize("name", ["id", "version", "locks", "slipway", "audience", "lifecycle"])
    def test_keeps_identity_and_locks_out_of_reach(self, name):
        with pytest.raises(TemplateRefused):
            overlay(f"{name}: null")

    def test_of_another_version(self):
        problem = refusals('texts: {provider: {en: "x"}}', version="1.1.0")[0]
        assert "is for msp-managed-services 1.1.0" in problem.message

    def test_of_other_content(self):
        problem = refusals('texts: {provider: {en: "x"}}', digest=f"sha256:{'0' * 64}")[0]
        assert managed_services().digest in problem.fix
