"""Whatever a form does to a text, the text says exactly that afterwards, and no comment is lost."""

from __future__ import annotations

import re
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from app.templates.document import read_yaml
from app.templates.overlays.tree import same
from app.templates.studio.editing.changing import Document, added, moved, removed, replaced
from app.templates.studio.editing.elements import elements_of, find_element
from app.templates.studio.editing.forms import fields_of, filled, shown_values
from app.templates.studio.editing.splicing import NoPlace, spliced
from app.templates.studio.editing.writing import respelled
from app.templates.studio.starting import skeleton

TEXT = skeleton().replace("  - id: delivery", "  # what we deliver\n  - id: delivery")
DOCUMENT = read_yaml(TEXT, "").document
COMMENT = re.compile(r" # .*|^# .*", re.MULTILINE)
TYPED = st.text(st.sampled_from("ab :#{}[]'\"&*!|>%@`,?-\n\\\té~1"), max_size=12)


def one_change(chance: Random, typed: str) -> tuple[Document, bool]:
    """The document after something that a form can do, and whether it takes anything out."""
    element = chance.choice(list(elements_of(DOCUMENT)))
    ways = ["fill", "up", "down", "remove", "add"]
    way = chance.choice(ways if element.path else ["fill", "add"])
    if way == "remove":
        return removed(DOCUMENT, element.at)[0], True
    if way in {"up", "down"}:
        return moved(DOCUMENT, element.at, 1 if way == "down" else -1), False
    parts = [part for part in element.kind.parts if part.adding]
    if way == "add" and parts:
        return added(DOCUMENT, element.at, chance.choice(parts).at[-1])[0], False
    asked = fields_of(element, ["en"])
    texts = [each.name for each in asked if each.property.widget in {"text", "word", "condition", "names"}]
    values = shown_values(asked, element)
    sent = values | {name: typed for name in chance.sample(texts, min(2, len(texts))) if name != "of.id"}
    return replaced(DOCUMENT, element.at, filled(element, values, sent, ["en"]))[0], False


class TestRespelled:
    @settings(max_examples=25, deadline=None)
    @given(st.integers(0, 10_000), TYPED)
    def test_says_what_was_wanted_and_keeps_comments(self, seed: int, typed: str):
        wanted, takes_out = one_change(Random(seed), typed)  # noqa: S311 - a repeatable choice, not a secret
        made = respelled(TEXT, wanted)
        after = read_yaml(made, "").document
        assert same(after, wanted)
        assert [each.at for each in elements_of(after)] == [each.at for each in elements_of(wanted)]
        if not takes_out:
            assert not set(COMMENT.findall(TEXT)) - set(COMMENT.findall(made))

    @settings(max_examples=10, deadline=None)
    @given(st.integers(0, 10_000))
    def test_needs_no_whole_rewriting_for_what_buttons_do(self, seed: int):
        wanted, takes_out = one_change(Random(seed), "plain")  # noqa: S311 - a repeatable choice, not a secret
        try:
            spliced(TEXT, DOCUMENT, wanted)
        except NoPlace:
            assert takes_out or find_element(wanted, "") is None
