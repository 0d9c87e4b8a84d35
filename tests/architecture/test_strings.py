"""Every word that a person reads goes through the catalogues, and every catalogue is complete."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from jinja2 import Environment, nodes

from app.web.translations import IN_FULL, LOCALES
from tests.architecture.source import none, texts
from tests.look.catalogue import extracted, read_by_customers, stored

# What a reader sees of an attribute.
READ = ("alt", "aria-label", "placeholder", "title", "value")
_TAG = re.compile(r"<[^>]*>", re.DOTALL)
_JINJA = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
# Blocks of the layouts that hold class names.
_CLASSES = re.compile(r"\{% block (?:layout|width|top_width) %\}.*?\{% endblock %\}")
# Marked for the catalogue, or the names of keys in an attribute that is for machines.
_MARKED = re.compile(r"\b(?:_\(\s*\"[^\"]*\"|ngettext\(\s*\"[^\"]*\",\s*\"[^\"]*\")|\"aria-keyshortcuts\": \"[^\"]*\"")
_EXPRESSION = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]{2,}")
_QUOTED = re.compile(r"(?<![\w.])(_|ngettext|icon|asset|said)?\(?\s*\"([A-Z][^\"]*[a-z ][^\"]*)\"")
_PLACE = re.compile(r"%\((\w+)\)s")
_PARSER = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - reads pages, renders none
# Names of keys, read as they stand on the keyboard.
KEYS = {"Ctrl", "Shift", "Tab", "Esc"}


def naked(path: str, text: str) -> Iterator[str]:
    """Words between tags, in read attributes, or as literals of an expression, that no catalogue knows."""
    shown = _JINJA.sub(" ", _CLASSES.sub(" ", text))
    for word in _WORD.findall(re.sub(r"&\w+;", " ", _TAG.sub(" ", shown))):
        if word not in KEYS:
            yield f"{path}: the word {word!r} stands outside _()"
    for name, value in re.findall(rf'\s({"|".join(READ)})="([^"{{}}]*)"', shown):
        if _WORD.search(value) and name != "value":
            yield f"{path}: {name}={value!r} stands outside _()"
    for expression in _EXPRESSION.finditer(re.sub(r"\{#.*?#\}", "", text, flags=re.DOTALL)):
        inside = _MARKED.sub(" ", expression[0])
        yield from (f"{path}: {literal!r} stands outside _()" for _, literal in _QUOTED.findall(inside))


def sources() -> Iterator[tuple[str, str]]:
    """Pages, fragments, components, layouts and mails."""
    for path, text in texts("frontend"):
        if path.endswith((".html", ".txt")) and not path.startswith("frontend/static/"):
            yield path, text


def unfit_calls(path: str, text: str) -> Iterator[str]:
    """Calls of the catalogue with a text that does not stand in the page: shown unescaped, its `%` filled in."""
    for call in _PARSER.parse(text).find_all(nodes.Call):
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        patterns = {"_": call.args[:1], "gettext": call.args[:1], "ngettext": call.args[:2]}.get(name, [])
        if any(not isinstance(each, nodes.Const) for each in patterns):
            yield f"{path}:{call.lineno}: {name}() takes literals only; a text from elsewhere is {{{{ text|told }}}}"


class TestPages:
    def test_give_the_catalogue_literals_only(self):
        none(offence for path, text in sources() for offence in unfit_calls(path, text))

    @pytest.mark.parametrize("text", ["{{ _(each.why) }}", '{{ _("a" ~ b) }}', "{% if x %}{{ f(_(why)) }}{% endif %}"])
    def test_are_caught_when_they_give_it_another(self, text):
        assert list(unfit_calls("x.html", text))
        assert not list(unfit_calls("x.html", '{{ _("A %(b)s", b=each.why) }}{{ each.why|told }}'))

    def test_say_nothing_outside_the_catalogue(self):
        none(offence for path, text in sources() for offence in naked(path, text))

    @pytest.mark.parametrize(
        "text",
        [
            "<p>Hello</p>",
            '<input placeholder="Your name">',
            '{{ button("Save me", "primary") }}',
            '{% call card("A title") %}{% endcall %}',
            '<a title="Open it">{{ _("x") }}</a>',
        ],
    )
    def test_are_caught_when_they_do(self, text):
        assert list(naked("x.html", text))

    def test_may_hold_marks_keys_and_lower_case_codes(self):
        assert not list(naked("x.html", '<kbd>Ctrl</kbd> · {{ status("on_track") }} {{ _("Due %(day)s", day=day) }} 4'))


@pytest.fixture(scope="module")
def marked() -> set[object]:
    """Every message id that pages and sources mark; to read them all takes seconds."""
    return {message.id for message in extracted() if message.id}


class TestCatalogue:
    @pytest.mark.parametrize("language", IN_FULL)
    def test_holds_exactly_the_messages_that_are_marked(self, marked, language):
        kept = {message.id for message in stored(language) if message.id}
        assert kept == marked, "run: python -m tests.look.catalogue"

    @pytest.mark.parametrize("language", [name for name in LOCALES if name not in IN_FULL])
    def test_of_a_language_in_part_holds_all_that_customers_read_and_nothing_unknown(self, marked, language):
        kept = {message.id for message in stored(language) if message.id}
        assert read_by_customers() <= kept <= marked, read_by_customers() - kept or kept - marked

    @pytest.mark.parametrize("language", [name for name in LOCALES if name != "en"])
    def test_translates_every_message(self, language):
        for message in stored(language):
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            assert not message.id or all(strings), f"no {language} for {message.id!r}"
            assert not message.id or not message.fuzzy, f"{message.id!r} is only guessed"

    @pytest.mark.parametrize("language", LOCALES)
    def test_keeps_every_placeholder(self, language):
        for message in filter(lambda each: each.id, stored(language)):  # its head tells how plurals are counted
            wanted = {*_PLACE.findall(str(message.id))} - {"num"}
            strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
            for text in filter(None, strings):
                assert {*_PLACE.findall(text)} - {"num"} == wanted, message.id
                assert "%" not in _PLACE.sub("", text).replace("%%", ""), message.id
