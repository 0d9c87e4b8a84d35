"""What libyaml reads for us is what a second reader, in another language, says the same text holds."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from app.templates.document import read_yaml
from app.templates.rules import TemplateRefused

# No word begins with ? or :, nor holds :? here: inside of brackets libyaml takes them for signs, as YAML 1.1 did.
LETTERS = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])
WORDS = st.text(LETTERS, max_size=12).map(lambda word: re.sub(r":+\?", "?", word).lstrip("?:"))
TRICKY = st.sampled_from(["yes", "on", "no", "~", "null", "1_0", "0o7", "010", "12:30", "=", "<<", "- a", "a: b", "#"])
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**13), 10**13), WORDS, TRICKY)
VALUES: Any = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
PLAIN = st.text("yesnoYESNOtruefalseTFl~-+0123456789_.:ox<=#&*|>%@`?,'\" ", min_size=1, max_size=8)


@given(st.dictionaries(WORDS.filter(lambda key: key != "<<"), VALUES, min_size=1, max_size=4), st.booleans())
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_with_the_places_of_the_other_reader(document, flow):
    text = _written(document, flow=flow)
    source = read_yaml(text, "f.yaml")
    assert source.document == YAML(typ="safe", pure=True).load(text) == document
    assert source.places == _places(text)


# libyaml takes a # straight after the sign of a block for a comment, of an empty text; the other reader refuses it.
_COMMENTED = re.compile(r"[|>][-+0-9]*#")


@given(PLAIN.filter(lambda word: not _COMMENTED.match(word)))
@settings(max_examples=150, deadline=None)
def test_a_plain_word_means_what_yaml_1_2_says_and_never_what_1_1_said(word):
    text = f"a: {word}\n"
    try:
        mine = read_yaml(text, "f.yaml").document
    except TemplateRefused:
        return  # refused with a place: never read as something else
    assert mine == YAML(typ="safe", pure=True).load(text)
    assert type(mine["a"]) in {str, int, bool, type(None)}


def _written(document: Any, *, flow: bool) -> str:
    from io import StringIO

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.allow_unicode, yaml.width = flow, True, 4096
    stream = StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _places(text: str) -> dict[tuple[str | int, ...], tuple[int, int]]:
    found: dict[tuple[str | int, ...], tuple[int, int]] = {}

    def walk(node: Any, path: tuple[str | int, ...]) -> None:
        found[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        if node.id == "mapping":
            for key, value in node.value:
                walk(value, (*path, key.value))
        elif node.id == "sequence":
            for index, value in enumerate(node.value):
                walk(value, (*path, index))

    walk(YAML(typ="safe", pure=True).compose(text), ())
    return found
