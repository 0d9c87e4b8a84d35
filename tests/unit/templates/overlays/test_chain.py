"""Chains through the partner tree: each link for what stands before it, locks for what comes after, origins for all."""

from __future__ import annotations

import pytest

from app.templates.library import open_shelf
from app.templates.merging import upgrade_overlay
from app.templates.overlay import NothingThere, Overlay, apply_overlays, explain, read_overlay
from app.templates.overlays.versions import precedence
from app.templates.rules import Problem, TemplateRefused
from tests.unit.templates.merging.versions import overlay_of, version
from tests.unit.templates.samples import managed_services, overlay, overlay_text

BIG = 'texts: {provider: {en: "Big", de: "Groß", ar: "كبير"}}'
SMALL = 'texts: {provider: {en: "Small"}}'
LOCKS = 'locks: [{path: texts.provider, reason: "It is our brand."}, {path: roles, reason: "One team."}]\n'


def distributor(patch: str = BIG, locks: str = "") -> Overlay:
    text = overlay_text(patch).replace("overlay: test-overlay", "overlay: distributor")
    return read_overlay(locks + text, "distributor.yaml")


def refused(*overlays: Overlay) -> list[Problem]:
    with pytest.raises(TemplateRefused) as trouble:
        apply_overlays(managed_services(), overlays)
    return trouble.value.problems


class TestChain:
    def test_of_one_names_the_template_and_of_the_next_what_they_make_together(self):
        first = distributor()
        second = overlay(SMALL, after=[first])
        together = apply_overlays(managed_services(), [first, second])
        assert second.written_for == apply_overlays(managed_services(), [first]).digest
        assert together.document["texts"]["provider"] == {"en": "Small", "de": "Groß", "ar": "كبير"}

    def test_refuses_one_that_was_written_for_the_template_alone(self):
        problem = refused(distributor(), overlay(SMALL))[0]
        assert (problem.file, problem.line) == ("overlay.yaml", 5)
        assert "for the template alone; here “distributor” comes before it" in problem.message
        assert "Upgrade the overlay" in problem.fix

    def test_refuses_one_that_was_written_behind_another(self):
        first = distributor()
        second = overlay(SMALL, after=[first])
        assert "written for other content" in refused(second)[0].message
        other = distributor('title: {en: "Other", de: "Andere"}')
        assert "written for other content" in refused(other, second)[0].message

    def test_refuses_a_downgrade_and_says_what_to_do(self):
        problem = refused(overlay(SMALL, version="1.0.1"))[0]
        assert problem.message.endswith(
            "is for msp-managed-services 1.0.1, and this is 1.0.0: that would be a downgrade."
        )
        newer = version().template
        with pytest.raises(TemplateRefused, match=r"Upgrade the overlay to 1\.1\.0 first"):
            apply_overlays(newer, [overlay(SMALL)])

    def test_refuses_one_of_another_template(self):
        with pytest.raises(TemplateRefused, match="is for msp-managed-services, not for erp-rollout"):
            apply_overlays(open_shelf("erp/rollout").template, [overlay(SMALL)])

    def test_is_upgraded_link_by_link(self):
        first = distributor()
        second = overlay("description: null", after=[first])
        before, new = apply_overlays(managed_services()), version()
        up = upgrade_overlay(before, new, first)
        below = apply_overlays(new.template, [overlay_of(up)])
        behind = upgrade_overlay(apply_overlays(managed_services(), [first]), below, second)
        both = apply_overlays(new.template, [overlay_of(up), overlay_of(behind)])
        assert both.document["texts"]["provider"]["en"] == "Big"
        assert "description" not in both.document

    def test_is_upgraded_to_what_the_distributor_says_now(self):
        before = apply_overlays(managed_services(), [distributor()])
        after = apply_overlays(managed_services(), [distributor(BIG.replace("Big", "Bigger"))])
        asked = upgrade_overlay(before, after, overlay(SMALL, after=before.overlays))
        assert [(each.path, each.old, each.theirs, each.ours) for each in asked.open] == [
            ("texts.provider.en", "Big", "Bigger", "Small")
        ]

    @pytest.mark.parametrize(
        ("older", "newer"),
        [("1.9.0", "1.10.0"), ("1.0.0-rc.1", "1.0.0"), ("1.0.0-rc.2", "1.0.0-rc.10"), ("1.0.0-1", "1.0.0-a")],
    )
    def test_knows_the_order_of_versions(self, older, newer):
        assert precedence(older) < precedence(newer)


class TestLock:
    def test_of_an_overlay_binds_the_next_and_names_its_holder(self):
        first = distributor(locks=LOCKS)
        problem = refused(first, overlay(SMALL, after=[first]))[0]
        assert problem.message == "“texts.provider” is locked by the overlay “distributor”: It is our brand."
        assert problem.file == "overlay.yaml"

    def test_of_an_overlay_does_not_bind_itself(self):
        locked = apply_overlays(managed_services(), [distributor(locks=LOCKS)])
        assert locked.document["texts"]["provider"]["en"] == "Big"
        assert {each["path"] for each in locked.document["locks"]} > {"texts.provider", "first_value.milestone"}

    def test_holds_what_is_above_and_below(self):
        first = distributor(locks=LOCKS)
        for patch in ("texts: null", "roles: [{id: csm, $first: true}]", "roles: [{id: csm, side: customer}]"):
            assert any(
                "is locked by the overlay" in each.message for each in refused(first, overlay(patch, after=[first]))
            )

    def test_of_the_template_stays_the_templates(self):
        again = 'locks: [{path: first_value.milestone, reason: "Mine."}]\n'
        first = distributor(locks=again)
        problem = refused(first, overlay("first_value: {milestone: monitored}", after=[first]))[0]
        assert "is locked by the template" in problem.message
        assert refused(distributor("first_value: {milestone: monitored}", again))

    def test_of_nothing_is_refused_at_its_place(self):
        problem = refused(distributor(locks='locks: [{path: texts.provdier, reason: "x"}]\n'))[0]
        assert (problem.file, problem.line) == ("distributor.yaml", 1)
        assert (problem.message, problem.fix) == ("There is no “texts.provdier” to lock.", "Did you mean “provider”?")

    def test_met_by_an_upgrade_is_a_conflict(self):
        before = apply_overlays(managed_services(), [distributor()])
        after = apply_overlays(managed_services(), [distributor(locks=LOCKS)])
        asked = upgrade_overlay(before, after, overlay(SMALL, after=before.overlays))
        assert [(str(each.kind), each.sentence) for each in asked.open] == [
            ("locked", "“texts.provider” is locked by the overlay “distributor”: It is our brand.")
        ]


class TestExplain:
    def test_tells_who_set_a_value_and_what_it_was_before(self):
        first = distributor()
        both = apply_overlays(managed_services(), [first, overlay(SMALL, after=[first])])
        told = explain(both, "texts.provider.en")
        assert [(each.origin.kind, each.origin.id, each.value) for each in told.settings] == [
            ("template", "msp-managed-services", "your service provider"),
            ("overlay", "distributor", "Big"),
            ("overlay", "test-overlay", "Small"),
        ]
        assert (told.value, told.origin.partner, told.origin.file, told.origin.line) == (
            "Small",
            "test",
            "overlay.yaml",
            7,
        )
        german = explain(both, "texts.provider.de")
        assert [each.origin.id for each in german.settings] == ["msp-managed-services", "distributor"]
        assert both.origin_of("texts.provider.de") == german.origin

    def test_of_what_nobody_touched_names_the_place_in_the_template(self):
        told = explain(apply_overlays(managed_services()), "handoff.fields.business_outcome.rule")
        line = managed_services().source.document["handoff"]
        assert (told.value, told.origin.kind, told.origin.version) == ("hard", "template", "1.0.0")
        assert told.origin.line > 1
        assert line

    def test_of_what_was_taken_out_and_put_in_again(self):
        first = distributor("description: null")
        again = overlay('description: {en: "New", de: "Neu", ar: "جديد"}', after=[first])
        told = explain(apply_overlays(managed_services(), [first, again]), "description")
        assert [each.value is None for each in told.settings] == [False, True, False]
        assert told.origin.id == "test-overlay"

    def test_follows_what_was_written_over_as_a_whole(self):
        first = distributor('description: {en: "Ours"}')
        over = overlay("description: null", after=[first])
        both = apply_overlays(managed_services(), [first, over])
        assert both.origin_of("description.en").id == "test-overlay"

    def test_of_what_nobody_says_is_refused(self):
        with pytest.raises(NothingThere):
            explain(apply_overlays(managed_services()), "texts.nothing")
