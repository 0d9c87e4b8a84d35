"""Every template of the library before it runs: every view, in each of three languages and two brands."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from app.flow.fields import Text
from app.templates.library import LIBRARY, open_shelf
from app.templates.overlay import Effective
from app.templates.preview import board_of, changes_of, facts_of, forms_of, timeline_of
from app.web.assets import Assets
from app.web.frame import Chrome
from app.web.rendering import pages
from app.web.translations import LOCALES
from tests.look.brands import VIEWS

ADAPTED_BY: dict[str, str | None] = {
    "msp/midmarket-services": "northwind",
    "saas/enterprise-launch": "lumen",
    "erp/rollout-across-vendors": "harbor",
    "integrator/custom-integration": "lumen",
    "msp/managed-services": "northwind",
    "saas/two-region-launch": "lumen",
    "erp/rollout": "harbor",
    "msp/renewal": None,
}
DRAWN: dict[str, Callable[..., Any]] = {
    "board": lambda _, plan, read: board_of(plan, read),
    "timeline": lambda _, plan, read: timeline_of(plan, read),
    "forms": lambda _, plan, read: forms_of(plan, read),
    "needs": lambda _, plan, read: facts_of(plan, read),
    "changes": lambda effective, _, read: changes_of(effective, read),
}
TEMPLATE = {
    "address": "a" * 64,
    "id": "x",
    "version": "1.0.0",
    "lifecycle": "onboarding",
    "adapted": True,
    "base": False,
}
KNOWN = {"chrome": Chrome(), "languages": (), "versions": [], "command_key": "x"} | dict.fromkeys(
    ("may_publish", "may_edit", "may_try"), False
)
ASSETS = Assets({"app.css": "app.css", "app.js": "app.js", "icons.svg": "icons.svg"})


@cache
def adapted(shelf: str) -> Effective:
    partner = ADAPTED_BY[shelf]
    return open_shelf(shelf).effective(partner)


def reader(language: str) -> Callable[[Text], str]:
    """Reads texts in that language and in no other: one that lacks it is an error."""

    def read(text: Text) -> str:
        assert not text or text.get(language), (language, text)
        return text.get(language, "")

    return read


def test_no_template_is_left_out():
    beside = {str(path.parent.relative_to(LIBRARY)) for path in LIBRARY.glob("*/*/template.yaml")}
    assert beside == set(ADAPTED_BY)


class TestEveryView:
    @pytest.mark.parametrize("language", ["en", "de", "ar"])
    @pytest.mark.parametrize("shelf", ADAPTED_BY)
    def test_is_drawn_whole_in_its_language_and_in_both_brands(self, shelf: str, language: str):
        effective, read = adapted(shelf), reader(language)
        plan, direction = effective.compile(), LOCALES[language].text_direction
        named = {"title": read(plan.title), "description": read(effective.document["description"])}
        known = KNOWN | {"language": language, "direction": direction, "texts_in": list(plan.locales)}
        known |= {"template": TEMPLATE | named, "facts": facts_of(plan, read)}
        for brand, own in zip(VIEWS.values(), ("en", "de"), strict=True):
            page = pages(own, ASSETS).get_template("templates/template.html")
            for view, draw in DRAWN.items():
                shown = {"view": view, "shown": draw(effective, plan, read)}
                text = page.render(known | shown | {"brand": brand, "locale": LOCALES[own]})
                assert brand.name in text, view
                assert f'<div lang="{language}" dir="{direction}">' in text, view

    @pytest.mark.parametrize("shelf", ADAPTED_BY)
    def test_shows_forms_in_the_order_of_the_plan(self, shelf: str):
        plan = adapted(shelf).compile()
        stages = [plan.stage_of(key.partition("#")[0]).key for key in _anchors(plan, reader("en"))]
        assert stages == sorted(stages, key=[stage.key for stage in plan.of_kind("stage")].index)


def _anchors(plan: Any, read: Callable[[Text], str]) -> list[str]:
    """The keys of the forms; of what happens several times the key of the place where that stands."""
    place = {member.key: key for key, repeat in plan.repeats.items() for member in repeat.pattern}
    return [place.get(form["key"], form["key"]) for form in forms_of(plan, read)]
