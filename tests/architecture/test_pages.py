"""Every page renders from its example, in every language, and holds to what browsers, readers and brands need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from uuid import UUID

import pytest

from app.web.assets import Assets
from app.web.rendering import languages_of, pages
from app.web.translations import LOCALES
from tests.architecture.source import none, texts
from tests.look.brands import VIEWS
from tests.look.examples import EXAMPLES

# The rules hold before the front end is built: any address will do.
ASSETS = Assets({"app.css": "app.css", "app.js": "app.js", "icons.svg": "icons.svg"})
NOT_PAGES = ("frontend/layouts/", "frontend/components/", "frontend/static/", "frontend/emails/_", "frontend/errors/_")
PHYSICAL = re.compile(
    r"(?<![\w-])(?:(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right|top|bottom)[\w-]*"
    r"|left|right|top|bottom|width|height|(?:min|max)-(?:width|height))\s*:|float:\s*(?:left|right)"
)
WITHIN_MEDIA = re.compile(r"@media[^{]*\{")


def frontend(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Our own files below frontend/ with one of the endings."""
    return (
        (path, text) for path, text in texts("frontend") if path.endswith(suffixes) and "/node_modules/" not in path
    )


@cache
def rendered(language: str = "en", brand: str = "northwind") -> tuple[tuple[str, str], ...]:
    """Every example of every page as its text; drawn once for all rules."""
    frame = {"brand": VIEWS[brand], "locale": LOCALES[language], "languages": tuple(LOCALES.values())}
    environment = pages(language, ASSETS)
    return tuple(
        (f"{name} {number}", environment.get_template(name).render(CHROMELESS | frame | context))
        for name, contexts in EXAMPLES.items()
        if LOCALES[language] in languages_of(name)
        for number, context in enumerate(contexts)
    )


CHROMELESS = {"chrome": EXAMPLES["onboarding/partner_home.html"][0]["chrome"]}


class Page(HTMLParser):
    """What a page's markup holds that a rule may refuse."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__()
        self.name = name
        self.ids: list[str] = []
        self.offences: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {key: value or "" for key, value in attrs}
        inline = [key for key in held if key == "style" or key.startswith(("on", "hx-on"))]
        self.offences += [f"{self.name}: <{tag} {key}> is refused by the content policy" for key in inline]
        if tag == "style" or (tag == "script" and "src" not in held):
            self.offences.append(f"{self.name}: inline <{tag}>")
        if "id" in held:
            self.ids.append(held["id"])
        if tag == "form":
            self.forms.append({"method": held.get("method", "get"), "action": held.get("action", "")})
        if tag == "input" and self.forms:
            self.forms[-1][held.get("name", "")] = held.get("value", "")


class TestEveryPage:
    def test_has_an_example_that_renders_it(self):
        names = {
            path.removeprefix("frontend/") for path, _ in frontend(".html", ".txt") if not path.startswith(NOT_PAGES)
        }
        names -= {"static/tabler-kept.txt"}
        assert names == set(EXAMPLES)

    @pytest.mark.parametrize("language", LOCALES)
    def test_renders_in_every_language(self, language):
        assert all(text.strip() for _, text in rendered(language))

    def test_holds_nothing_that_the_content_policy_refuses(self):
        none(line for name, text in rendered() if not name.startswith("emails/") for line in Page(name, text).offences)

    def test_uses_each_id_once(self):
        for name, text in rendered():
            ids = Page(name, text).ids
            assert len(ids) == len(set(ids)), (name, sorted(i for i in ids if ids.count(i) > 1))

    def test_sends_a_command_key_with_every_change(self):
        for name, text in rendered():
            for form in Page(name, text).forms:
                preference, way_out = "return_to" in form, form.get("action") == "/sign-out"
                if form["method"] == "post" and not preference and not way_out:
                    assert UUID(form["command_key"]), name

    def test_never_names_the_platform_to_a_brand_s_reader(self):
        foreign = re.compile("slipway|northwind services", re.IGNORECASE)
        none(name for name, text in rendered(brand="alpenwerk") if foreign.search(text))


class TestPlainParts:
    def test_of_mails_are_not_escaped_and_hold_the_whole_link(self):
        text = dict(rendered())["emails/sign_in/body.txt 0"]
        assert "https://northwind.example/sign-in/confirm?token=abcdef" in text
        assert "&amp;" not in text
        assert "<" not in text

    def test_of_subjects_are_one_line(self):
        for name, text in rendered():
            if "subject.txt" in name:
                assert len(text.strip().splitlines()) == 1


class TestStyle:
    """Right-to-left languages share the sheet, so it names starts and ends, never left and right."""

    def test_uses_logical_properties_only(self):
        none(
            f"{path}: {line.strip()}"
            for path, text in frontend(".css")
            for line in WITHIN_MEDIA.sub("{", text).splitlines()
            if PHYSICAL.search(line)
        )

    def test_notices_a_physical_property(self):
        assert PHYSICAL.search("  margin-left: 4px;")
        assert PHYSICAL.search("{ width: 10px }")
        assert not PHYSICAL.search("  border-block-end-width: 1px; text-align: start")

    def test_uses_five_sizes_and_two_weights(self):
        sizes = re.compile(r"font-size: (?!var\(--text-|inherit|100%|0\.92em)[^;]+|font-weight: (?!var\(--)[^;]+")
        none(f"{path}: {m[0]}" for path, text in frontend(".css") for m in sizes.finditer(text))


class TestLockFile:
    def test_names_no_address(self):
        text = dict(frontend("package-lock.json"))["frontend/package-lock.json"]
        assert "http" not in text
        assert '"resolved"' not in text
        assert text.count('"integrity"') > 20
