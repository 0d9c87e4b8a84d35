"""The forms of the package editor: what they draw they take back, and what is typed into them is what is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from app.flow.definition import Definition
from app.templates.library import open_shelf
from app.templates.overlay import Effective
from app.templates.packages.document import Content, read_content
from app.templates.packages.editor.desk import Desk, Filled, fill
from app.templates.packages.editor.preview import packed, preview_of
from app.templates.packages.queries import Draft
from app.web.forms import Form
from tests.unit.templates.packages.samples import gold

LARGEST = "integrator/custom-integration"
MOST_FIELDS = 500  # of a form that a door of ours takes


@cache
def upon_of(name: str) -> Effective:
    return open_shelf(name).effective()


@cache
def plan_of(template: str) -> Definition:
    return upon_of({"msp-managed-services": "msp/managed-services"}.get(template, LARGEST)).compile()


def desk_of(content: Content, upon: Effective) -> Desk:
    draft = Draft(content, 1, datetime(2026, 3, 9, tzinfo=UTC))
    return Desk(draft, upon, plan_of(upon.template.id), (), lambda text: text, "en")


def services(**said: Any) -> Desk:
    return desk_of(read_content(gold(**said)), upon_of("msp/managed-services"))


def form_of(filled: Filled, **typed: str | list[str]) -> Form:
    """The form as a browser sends it, with something typed."""
    given = {name: value for name, value in filled.drawn["given"].items() if value not in (False, None)}
    given = {name: "true" if value is True else value for name, value in given.items()}
    pairs = [(name, str(value)) for name, value in (given | typed).items() if not isinstance(value, list)]
    pairs += [(name, each) for name, values in typed.items() if isinstance(values, list) for each in values]
    if "kept" not in typed:
        pairs += [("kept", row["key"]) for row in filled.drawn.get("rows", ()) if row["kept"] and not row["locked"]]
    return Form(tuple(pairs))


def typed(desk: Desk, section: str, of: str = "", **words: str | list[str]) -> Content:
    found = fill(desk, section, of, form_of(fill(desk, section, of, None), **words))
    assert found.content is not None, (found.refused, found.drawn["errors"])
    return found.content


class TestFill:
    @pytest.mark.parametrize("section", ["offer", "parts", "service", "contents", "add_ons"])
    def test_takes_back_what_it_drew_of_the_largest_template(self, section: str):
        upon = upon_of(LARGEST)
        content = read_content({"package": "plain", "template": upon.template.id, "title": {"en": "Plain"}})
        desk = desk_of(content, upon)
        form = form_of(fill(desk, section, "", None))
        assert typed(desk, section) == content
        assert len(form.pairs) < MOST_FIELDS

    @pytest.mark.parametrize(("section", "of"), [("offer", ""), ("parts", ""), ("service", ""), ("add_ons", "backup")])
    def test_takes_back_what_a_package_says(self, section: str, of: str):
        desk = services(leaves_out=["task.announce"])
        kept, before = typed(desk, section, of), desk.draft.content
        assert (kept.tier, kept.leaves_out, kept.quotas) == (before.tier, before.leaves_out, before.quotas)
        assert (kept.add_ons, kept.prices, kept.called) == (before.add_ons, before.prices, before.called)

    def test_keeps_the_topmost_of_what_is_left_out_and_nothing_that_is_locked(self):
        desk = services()
        rows = fill(desk, "parts", "", None).drawn["rows"]
        kept = [row["key"] for row in rows if not row["key"].startswith("stage.") and "staff" not in row["key"]]
        found = typed(desk, "parts", kept=[*kept, "stage.preparation", "stage.value"]).leaves_out
        assert found == ["stage.rollout"], "its own steps are in it, and the handoff is locked"

    def test_keeps_of_the_service_level_what_differs_and_asks_for_its_name(self):
        desk = services(tier=None)
        faster = {"timer.kickoff_scheduled.0.amount": "1", "tier.en": "Fast"}
        tier = typed(desk, "service", **faster).tier
        assert tier is not None
        assert tier.timers == {"kickoff_scheduled": [{"business_days": 1}, {"business_days": 1}]}
        nameless = fill(desk, "service", "", form_of(fill(desk, "service", "", None), **faster | {"tier.en": ""}))
        assert (nameless.content, list(nameless.drawn["errors"])) == (None, ["tier.en"])

    def test_adds_a_component_with_what_it_takes_and_a_task_with_its_owner(self):
        place = "milestone.people_ready"
        desk = services(add_ons=[])
        desk = desk_of(typed(desk, "contents", new_task="Call the buyer!", new_place=place), desk.upon)
        desk = desk_of(typed(desk, "contents", new_component="component/training@1.0.0"), desk.upon)
        assert [(each.id, each.place) for each in desk.draft.content.adds] == [
            ("call_the_buyer", place),
            ("training", "stage.value"),
        ]
        roles = {"training.trainer": "csm", "training.customer": "customer_owner", "training.place": "stage.rollout"}
        last = typed(desk, "contents", **roles, **{"call_the_buyer.owner": "csm", "call_the_buyer.due.amount": "2"})
        made, troubles = packed(last, desk, version="1.0.0", partner="northwind")
        assert troubles == []
        assert made is not None
        assert made.content.adds[0].brings["tasks"][0]["due"] == {"business_days": 2}
        assert typed(desk, "contents", remove="training").adds == desk.draft.content.adds[:1]

    def test_drops_an_add_on_and_begins_another(self):
        assert [each.id for each in typed(services(), "add_ons", "backup", drop="true").add_ons] == ["courses"]
        assert [each.id for each in typed(services(add_ons=[]), "add_ons", new_title="24/7").add_ons] == ["extra"]


class TestPreviewOf:
    def test_marks_what_the_package_brings_and_leaves_out_what_is_not_chosen(self):
        desk = services()
        both = preview_of(desk.draft.content, desk, ["backup", "courses"])
        assert ("task.backup_restore" in both["own"], both["problems"]) == (True, [])
        assert preview_of(desk.draft.content, desk, [])["own"] == set()

    def test_says_what_is_wrong_and_draws_no_plan(self):
        desk = services(leaves_out=["stage.handoff"])
        found = preview_of(desk.draft.content, desk, [])
        assert (found["shown"], found["problems"][0]["sold_with"]) == ([], "")
        assert "locked" in found["problems"][0]["message"]

    def test_says_so_of_a_component_that_is_not_there(self):
        lost = [{"id": "lost", "place": "stage.rollout", "component": "component/lost@1.0.0"}]
        made, [trouble] = packed(read_content(gold(adds=lost)), services(), version="1.0.0", partner="northwind")
        assert (made, "There is no “component/lost@1.0.0”" in trouble.problem.message) == (None, True)
