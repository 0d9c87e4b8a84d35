"""An overlay brought to another version: what is asked, what is carried, what every answer leads to."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from app.templates.language import canonical
from app.templates.library import list_shelves, open_shelf
from app.templates.merging import Own, ResolutionRefused, UpgradeRefused, upgrade_overlay
from app.templates.overlay import apply_overlays
from app.templates.rules import TemplateRefused
from tests.unit.templates.merging.versions import (
    READY,
    TRAIN,
    effective_of,
    of_task,
    old,
    overlay_of,
    part,
    upgraded,
    version,
)
from tests.unit.templates.samples import managed_services, overlay

MESSAGE: dict[str, Any] = {
    "kind": "message",
    "title": {"en": "Ask", "de": "Fragen", "ar": "السؤال"},
    "owner": "csm",
}
ADDED = '$add: true, kind: message, title: {en: "Ask", de: "Fragen", ar: "السؤال"}, owner: csm'


def sets(path: str, value: Any):
    """A new version that says something else at a path; None: nothing."""
    *above, name = path.split(".")

    def change(document: dict[str, Any]) -> None:
        parent = part(document, ".".join(above))
        parent.pop(name, None)
        if value is not None:
            parent[name] = value

    return change


def adds(element: dict[str, Any]):
    return lambda document: part(document, READY)["tasks"].insert(0, copy.deepcopy(element))


def removes(name: str):
    """A new version without a task, and without what waited for it."""

    def change(document: dict[str, Any]) -> None:
        tasks = part(document, READY)["tasks"]
        tasks[:] = [each for each in tasks if each["id"] != name]
        for each in tasks:
            each["depends_on"] = [key for key in each.get("depends_on", ()) if key != f"task.{name}"]

    return change


class TestUntouched:
    def test_edits_are_carried_over_letter_by_letter(self):
        shelf = open_shelf("msp/managed-services")
        said = shelf.overlays["northwind"]
        upgrade = upgrade_overlay(shelf.effective(), version(sets("texts.provider.de", "ein Partner")), said)
        assert [each.path for each in upgrade.open] == ["texts.provider.de"]
        upgrade = upgrade_overlay(shelf.effective(), version(sets("description", None)), said)
        assert canonical(overlay_of(upgrade).document["patch"]) == canonical(said.document["patch"])
        assert overlay_of(upgrade).document["base"]["version"] == "1.1.0"
        assert "description" not in effective_of(upgrade)
        assert f"{READY}.tasks.security_briefing" in upgrade.carried
        assert upgrade.redundant == ()

    def test_another_field_of_the_same_element_is_no_conflict(self):
        upgrade = upgraded(of_task("due: {business_days: 9}"), sets(f"{TRAIN}.title.en", "Meet the desk"))
        task = part(effective_of(upgrade), TRAIN)
        assert (task["due"]["business_days"], task["title"]["en"]) == (9, "Meet the desk")

    def test_another_order_upstream_is_no_conflict(self):
        upgrade = upgraded(
            of_task("due: {business_days: 9}"), lambda document: part(document, READY)["tasks"].reverse()
        )
        assert [each["id"] for each in part(effective_of(upgrade), READY)["tasks"]] == ["announce", "train_staff"]

    def test_what_both_say_stays_in_the_patch_and_the_way_back_leads_to_the_same_bytes(self):
        said = overlay(of_task("due: {business_days: 9}"))
        new = version(sets(f"{TRAIN}.due.business_days", 9))
        up = upgrade_overlay(old(), new, said)
        assert up.redundant == (f"{TRAIN}.due.business_days",)
        back = upgrade_overlay(new, old(), overlay_of(up))
        assert canonical(overlay_of(back).document) == canonical(said.document)
        assert overlay_of(back).digest == said.digest

    def test_an_element_that_both_added_alike_is_said_twice(self):
        said = overlay(of_task(ADDED, "ask"))
        new = version(adds({"id": "ask", **MESSAGE}))
        up = upgrade_overlay(old(), new, said)
        assert up.redundant == (f"{READY}.tasks.ask",)
        assert overlay_of(upgrade_overlay(new, old(), overlay_of(up))).digest == said.digest

    @pytest.mark.parametrize("name", list_shelves())
    def test_overlays_of_the_library_go_to_the_next_version_and_back(self, name):
        shelf = open_shelf(name)
        document = {**shelf.template.document, "version": "1.9.0"}
        new = apply_overlays(type(shelf.template)(document, "sha256:" + "1" * 64, shelf.template.source))
        for said in shelf.overlays.values():
            up = upgrade_overlay(shelf.effective(), new, said)
            assert overlay_of(upgrade_overlay(new, shelf.effective(), overlay_of(up))).digest == said.digest


# patch, what upstream did, the kind, where, and what each answer leads to there
DUE = f"{TRAIN}.due.business_days"
ANNOUNCE = f"{READY}.tasks.announce"
ASK = {"id": "ask", **MESSAGE}
ASKED = ASK | {"owner": "service_desk_lead"}
NINE = of_task("due: {business_days: 9}")
PROOF, LIST = (
    {"label": {"en": "Proof", "de": "Beweis", "ar": "الإثبات"}},
    {"label": {"en": "List", "de": "Liste", "ar": "القائمة"}},
)
SAYS_PROOF = of_task("evidence: {label: {en: Proof, de: Beweis, ar: الإثبات}}")
GATE = ["gate.launch"]
FREE = of_task("depends_on: []", "announce")
CONFLICTS = [
    (NINE, sets(DUE, 7), "both changed", DUE, 9, 7),
    (NINE, sets(f"{TRAIN}.due", None), "removed upstream", f"{TRAIN}.due", {"business_days": 9}, None),
    (of_task("due: null"), sets(DUE, 7), "removed here", f"{TRAIN}.due", None, {"business_days": 7}),
    (of_task("due: null"), sets(f"{TRAIN}.due", None), "already gone", f"{TRAIN}.due", None, None),
    (of_task("$remove: true", "announce"), removes("announce"), "already gone", ANNOUNCE, None, None),
    (of_task(ADDED, "ask"), adds(ASKED), "added in both", f"{READY}.tasks.ask", ASK, ASKED),
    (FREE, sets(f"{ANNOUNCE}.depends_on", GATE), "both changed", f"{ANNOUNCE}.depends_on", [], GATE),
    (SAYS_PROOF, sets(f"{TRAIN}.evidence", LIST), "added in both", f"{TRAIN}.evidence", PROOF, LIST),
]


class TestConflict:
    @pytest.mark.parametrize(("patch", "change", "kind", "path", "ours", "theirs"), CONFLICTS)
    def test_is_asked_and_every_answer_is_kept(self, patch, change, kind, path, ours, theirs):
        asked = upgraded(patch, change)
        assert [(str(each.kind), each.path) for each in asked.open] == [(kind, path)]
        assert (asked.overlay, asked.effective) == (None, None), "never a silent choice"
        conflict = asked.open[0]
        assert (conflict.old, conflict.theirs, conflict.ours) == (part(old().document, path), theirs, ours)
        last = path.rpartition(".")[2]
        assert part(effective_of(upgraded(patch, change, **{last: "ours"})), path) == ours
        assert part(effective_of(upgraded(patch, change, **{last: "theirs"})), path) == theirs

    def test_with_an_element_gone_upstream_brings_it_back_where_it_stood(self):
        patch, change = of_task("due: {business_days: 9}", "announce"), removes("announce")
        asked = upgraded(patch, change)
        assert [(each.path, str(each.kind)) for each in asked.open] == [(f"{READY}.tasks.announce", "removed upstream")]
        taken = upgraded(patch, change, announce="ours")
        tasks = part(effective_of(taken), READY)["tasks"]
        assert [each["id"] for each in tasks] == ["train_staff", "announce"]
        assert tasks[1]["due"] == {"business_days": 9}
        assert overlay_of(upgraded(patch, change, announce="theirs")).document["patch"] == {}

    def test_of_several_edits_in_what_is_gone_is_one_question(self):
        patch = of_task("due: {business_days: 9}, title: {en: Tell}, owner: onboarding_lead", "announce")
        assert len(upgraded(patch, removes("announce")).open) == 1

    def test_takes_a_value_of_ones_own(self):
        change = sets(DUE, 7)
        taken = upgraded(of_task("due: {business_days: 9}"), change, business_days=Own(8))
        assert part(effective_of(taken), DUE) == 8
        taken = upgraded(
            of_task(ADDED, "ask"), adds({"id": "ask", **MESSAGE, "owner": "service_desk_lead"}), ask=Own(None)
        )
        assert part(effective_of(taken), f"{READY}.tasks.ask") is None

    def test_about_true_and_one_is_one(self):
        patch = of_task("fields: [{id: people, minimum: 2}]")
        asked = upgraded(patch, sets(f"{TRAIN}.fields.people.minimum", 3))
        assert len(asked.open) == 1


class TestFoundByChance:
    """What generated edits have found, written out."""

    def test_a_new_element_with_a_place_needs_no_list_upstream(self):
        def change(document: dict[str, Any]) -> None:
            del document["timers"]

        ladder = '[{after: {business_days: 1}, role: csm, message: {en: "Late", de: "Spät", ar: "متأخر"}}]'
        patch = f"timers: [{{id: own, $add: true, $last: true, item: task.train_staff, ladder: {ladder}}}]"
        assert [each["id"] for each in effective_of(upgraded(patch, change))["timers"]] == ["own"]

    def test_a_list_said_again_as_it_was_does_not_bring_back_what_is_gone(self):
        options = old().document["inputs"]
        plan = next(each for each in options if each["id"] == "plan")
        said = json.dumps(plan["options"], ensure_ascii=False)

        def change(document: dict[str, Any]) -> None:
            part(document, "inputs.plan")["options"].pop()

        gone = plan["options"][-1]["id"]
        asked = upgraded(f"inputs: [{{id: plan, options: {said}}}]", change)
        assert [each.path for each in asked.open] == [f"inputs.plan.options.{gone}"]


class TestPosition:
    def test_beside_what_is_gone_is_asked(self):
        patch = of_task(f"{ADDED}, $after: announce", "ask")
        asked = upgraded(patch, removes("announce"))
        assert [(each.path, str(each.kind), each.ours) for each in asked.open] == [
            (f"{READY}.tasks.ask.$after", "anchor gone", "announce")
        ]
        for answer, wanted in [("ours", ["train_staff", "ask"]), ("theirs", ["train_staff", "ask"])]:
            taken = upgraded(patch, removes("announce"), **{"$after": answer})
            assert [each["id"] for each in part(effective_of(taken), READY)["tasks"]] == wanted

    def test_takes_another_neighbour(self):
        patch = of_task(f"{ADDED}, $before: announce", "ask")
        taken = upgraded(patch, removes("announce"), **{"$before": Own("train_staff")})
        assert [each["id"] for each in part(effective_of(taken), READY)["tasks"]] == ["ask", "train_staff"]
        with pytest.raises(ResolutionRefused, match="Did you mean “train_staff”"):
            upgraded(patch, removes("announce"), **{"$before": Own("train_stuff")})

    def test_that_both_changed_is_asked(self):
        def change(document: dict[str, Any]) -> None:
            stages = document["stages"]
            stages.insert(1, stages.pop())

        first, last = old().document["stages"][-1]["id"], old().document["stages"][1]["id"]
        asked = upgraded(f"stages: [{{id: {first}, $after: {last}}}]", change)
        assert [str(each.kind) for each in asked.open] == ["both moved"]
        kept = upgraded(f"stages: [{{id: {first}, $after: {last}}}]", change, **{"$after": "ours"})
        assert [each["id"] for each in effective_of(kept)["stages"]].index(first) == 2
        dropped = upgraded(f"stages: [{{id: {first}, $after: {last}}}]", change, **{"$after": "theirs"})
        assert [each["id"] for each in effective_of(dropped)["stages"]].index(first) == 1


class TestLocked:
    @staticmethod
    def lock(document: dict[str, Any]) -> None:
        document["locks"].append({"path": f"{TRAIN}.due", "reason": "Sold like this."})

    def test_now_is_told_with_the_reason(self):
        asked = upgraded(of_task("due: {business_days: 9}, title: {en: Meet us}"), self.lock)
        assert [(each.path, str(each.kind)) for each in asked.open] == [(DUE, "locked")]
        assert asked.open[0].sentence == f"“{TRAIN}.due” is locked by the template: Sold like this."
        assert asked.carried == (f"{TRAIN}.title.en",)

    def test_can_only_give_way(self):
        patch = of_task("due: {business_days: 9}")
        with pytest.raises(ResolutionRefused, match="Only theirs"):
            upgraded(patch, self.lock, business_days="ours")
        with pytest.raises(ResolutionRefused, match="Only theirs"):
            upgraded(patch, self.lock, business_days=Own(3))
        assert part(effective_of(upgraded(patch, self.lock, business_days="theirs")), DUE) == 5


class TestRefusal:
    def test_of_a_resolution_without_a_conflict(self):
        said, new = overlay(of_task("due: {business_days: 9}")), version(sets(DUE, 7))
        with pytest.raises(ResolutionRefused, match=r"There is no conflict at “title\.en”"):
            upgrade_overlay(old(), new, said, {"title.en": "ours"})
        with pytest.raises(ResolutionRefused, match="Did you mean"):
            upgrade_overlay(old(), new, said, {DUE.replace("staff", "stuff"): "ours"})

    def test_of_an_unknown_word(self):
        with pytest.raises(ResolutionRefused, match="say ours, theirs, or a value"):
            upgraded(of_task("due: {business_days: 9}"), sets(DUE, 7), business_days="mine")

    def test_of_an_overlay_that_was_written_for_something_else(self):
        with pytest.raises(TemplateRefused, match=r"is for msp-managed-services 1\.0\.0, and this is 1\.1\.0"):
            upgrade_overlay(version(), version(number="1.2.0"), overlay(of_task("due: {business_days: 9}")))

    def test_of_another_template(self):
        other = open_shelf("erp/rollout").effective()
        with pytest.raises(UpgradeRefused):
            upgrade_overlay(old(), other, overlay(of_task("due: {business_days: 9}")))

    def test_of_what_comes_out_has_the_place_in_the_overlay(self):
        def change(document: dict[str, Any]) -> None:
            removes("announce")(document)

        patch = of_task(
            "$add: true, kind: message, title: {en: A, de: A, ar: A}, owner: csm, depends_on: [task.announce]", "ask"
        )
        with pytest.raises(TemplateRefused) as refused:
            upgraded(patch, change)
        problem = refused.value.problems[0]
        assert (problem.file, problem.line) == ("overlay.yaml", 7)
        assert "There is no “task.announce”" in problem.message

    def test_leaves_the_overlay_that_was_given_alone(self):
        said = overlay(of_task("due: {business_days: 9}"))
        before = canonical(said.document)
        upgrade_overlay(old(), version(sets(DUE, 7)), said, {DUE: "theirs"})
        assert canonical(said.document) == before
        assert canonical(managed_services().document) == canonical(old().document)
