"""What a sold package makes of a template."""

from __future__ import annotations

import pytest

from app.templates.overlay import Effective, apply_overlays
from app.templates.packages.document import PackageUnfit
from app.templates.packages.stitching import sell, stitch
from app.templates.preview.changes import changes_of
from app.templates.rules import TemplateRefused
from tests.unit.templates.merging.versions import version
from tests.unit.templates.packages.samples import BOTH, package
from tests.unit.templates.samples import managed_services, merged


def base() -> Effective:
    return apply_overlays(managed_services())


def tasks(effective: Effective) -> set[str]:
    return {key for key in effective.compile().items if key.startswith("task.")}


class TestSell:
    def test_puts_in_the_tasks_and_components_of_the_add_ons_that_were_sold(self):
        both, one = sell(package(), BOTH, base()), sell(package(), ["backup"], base())
        assert tasks(one) - tasks(base()) == {"task.backup_restore"}
        brought = tasks(both) - tasks(one)
        assert brought
        assert all(key.startswith("task.courses_training_") for key in brought)

    def test_fills_in_the_languages_of_the_template(self):
        item = sell(package(), ["backup"], base()).compile().items["task.backup_restore"]
        assert item.title == {"en": "Prove a restore", "de": "Prove a restore", "ar": "Prove a restore"}

    def test_serves_by_its_tier_and_keeps_whom_the_template_tells(self):
        before, after = base().compile(), sell(package(), [], base()).compile()
        old, new = before.timers["kickoff_scheduled"], after.timers["kickoff_scheduled"]
        assert [rung.after.business_hours for rung in new.ladder] == [4, 8]
        assert [rung.role for rung in new.ladder] == [rung.role for rung in old.ladder]

    def test_says_of_every_value_whether_the_package_or_the_add_on_set_it(self):
        effective = sell(package(), BOTH, merged("texts: {provider: {en: Northwind}}"))
        by = {row["path"]: row["by"]["id"] for row in changes_of(effective, lambda text: text.get("en", ""))}
        assert by["texts.provider.en"] == "test-overlay"
        assert by["exceptions.billing_mismatch.respond_within.business_hours"] == "package-managed-gold"
        assert "managed-gold-with-backup" in by.values()

    def test_leaves_the_document_as_it_is_where_nothing_was_sold_that_says_anything(self):
        plain = package(tier=None, add_ons=[])
        assert stitch(plain, [], base()) == ()
        assert sell(plain, [], base()).digest == base().digest

    def test_stays_with_what_was_sold_on_another_version_of_the_template(self):
        newer = version()
        assert "task.backup_restore" in tasks(sell(package(), ["backup"], newer))

    def test_refuses_a_locked_path_with_the_reason(self):
        locked = package(add_ons=[], leaves_out=["stage.handoff"])
        with pytest.raises(TemplateRefused, match="every partner's customers rely on"):
            sell(locked, [], base())

    def test_refuses_a_place_that_is_not_there(self):
        task = {"title": {"en": "Ring"}, "kind": "meeting", "owner": "csm"}
        lost = package(add_ons=[], adds=[{"id": "ring", "place": "stage.nowhere", "task": task}])
        with pytest.raises(TemplateRefused, match=r"There is no “stage\.nowhere” in msp-managed-services 1\.0\.0"):
            sell(lost, [], base())

    def test_refuses_a_timer_that_has_other_steps_now(self):
        tier = {"title": {"en": "Gold"}, "timers": {"kickoff_scheduled": [{"business_hours": 4}]}}
        with pytest.raises(TemplateRefused, match="has 2 steps here, and the tier sets 1"):
            sell(package(tier=tier), [], base())

    def test_refuses_another_template_and_an_add_on_that_it_has_not(self):
        with pytest.raises(TemplateRefused, match="stands on erp-rollout"):
            sell(package(template="erp-rollout"), [], base())
        with pytest.raises(PackageUnfit, match="“phone” is no add-on"):
            stitch(package(), ["phone"], base())


class TestLeavingOut:
    def test_lets_those_who_waited_wait_for_what_it_waited_for(self):
        smaller = package(tier=None, add_ons=[], leaves_out=["task.train_staff"])
        after = sell(smaller, [], base()).compile()
        assert "task.train_staff" not in after.items
        assert "task.train_staff" in base().compile().items["task.announce"].depends_on
        assert after.items["task.announce"].depends_on == ()

    def test_takes_the_timers_of_what_is_left_out_with_it_and_no_tier_brings_them_back(self):
        times = [{"business_hours": 4}] * 2
        tier = {"title": {"en": "Gold"}, "timers": {"kickoff_scheduled": times}}
        smaller = package(tier=tier, add_ons=[], leaves_out=["task.schedule_kickoff"])
        assert "kickoff_scheduled" not in sell(smaller, [], base()).compile().timers

    def test_says_what_still_speaks_of_something_that_is_left_out(self):
        with pytest.raises(TemplateRefused) as refused:
            sell(package(tier=None, add_ons=[], leaves_out=["milestone.first_ticket_solved"]), [], base())
        assert any("first_ticket_solved" in problem.message for problem in refused.value.problems)

    def test_forgets_what_another_version_does_not_have(self):
        gone = package(tier=None, add_ons=[], leaves_out=["task.long_gone"])
        assert sell(gone, [], base()).digest == base().digest
