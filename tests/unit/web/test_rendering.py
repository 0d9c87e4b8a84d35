"""What every page can rely on: escaping, no silent gaps, known icons, one key a form."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from jinja2 import UndefinedError

from app.web.assets import Assets
from app.web.frame import Chrome, Link
from app.web.page.formats import ZONE
from app.web.rendering import languages_of, pages, render
from app.web.translations import LOCALES, mark, translations
from tests.look.brands import VIEWS
from tests.look.examples import EXAMPLES

ASSETS = Assets({"app.css": "app.css", "app.js": "app.js", "icons.svg": "icons.F00.svg"})


def shown(text: str, **context: object) -> str:
    return pages("en", ASSETS).from_string(text).render(**context)


class TestPages:
    def test_escape_what_people_typed(self):
        assert shown("{{ name }}", name="<script>") == "&lt;script&gt;"
        assert shown('{{ _("Hello %(name)s,", name=name) }}', name="<b>") == "Hello &lt;b&gt;,"

    def test_escape_what_people_typed_where_a_text_of_ours_may_stand_too(self):
        shown_reason = shown("{{ reason|told }}", reason="<a href=x>50% off</a> %(name)s")
        assert shown_reason == "&lt;a href=x&gt;50% off&lt;/a&gt; %(name)s"
        assert not shown("{{ reason|told }}", reason="")

    def test_say_a_text_that_python_marks_in_the_reader_s_language(self):
        page = pages("de", ASSETS).from_string("{{ text|told }}")
        text = mark("The operator has been told.")
        assert page.render(text=text) == translations("de").gettext(text) != text

    def test_refuse_a_gap_in_their_context(self):
        with pytest.raises(UndefinedError):
            shown("{{ missing }}")
        with pytest.raises(UndefinedError):
            shown("{% if onboarding.stat %}{% endif %}", onboarding={"state": "x"})

    def test_refuse_an_icon_or_asset_that_was_not_built(self):
        assert shown('{{ icon("check") }}').endswith('href="/static/icons.F00.svg#check"></use></svg>')
        with pytest.raises(KeyError, match="chekc"):
            shown('{{ icon("chekc") }}')
        with pytest.raises(KeyError):
            shown('{{ asset("other.css") }}')

    def test_refuse_a_state_without_a_word(self):
        with pytest.raises(UndefinedError):
            shown('{% from "components/status.html" import status %}{{ status("half done") }}')

    def test_give_each_form_a_key_of_its_own_and_the_same_again(self):
        key = "0192f0c1-7d1e-7000-8000-000000000001"
        one, other = (shown("{{ key|key_for(part) }}", key=key, part=part) for part in ("kickoff", "data"))
        assert UUID(one) != UUID(other)
        assert one == shown("{{ key|key_for('kickoff') }}", key=key)


class TestNav:
    @pytest.mark.parametrize(
        ("path", "marked"),
        [("/", "Home page"), ("/customers", "Customers page"), ("/customers/7", "Customers true"), ("/customersx", "")],
    )
    def test_marks_the_page_or_the_section_that_it_stands_in(self, path, marked):
        chrome = Chrome(path=path, nav=(Link("Home", "/"), Link("Customers", "/customers")))
        text = shown('{% include "layouts/_nav.html" %}', chrome=chrome)
        found = re.findall(r'aria-current="(\w+)">(\w+)<', text)
        assert " ".join(f"{name} {kind}" for kind, name in found) == marked


class TestField:
    FIELD = '{% from "components/field.html" import field %}{{ field(spec, "typed", "wrong") }}'

    @pytest.mark.parametrize("kind", ["text", "long_text", "email", "integer", "date"])
    def test_gives_back_what_was_typed_beside_what_is_wrong(self, kind):
        text = shown(self.FIELD, spec={"id": "x", "label": "X", "type": kind, "required": True, "help": {}})
        assert "typed" in text
        assert 'aria-describedby="x-error"' in text

    def test_never_gives_back_a_secret(self):
        text = shown(self.FIELD, spec={"id": "x", "label": "X", "type": "secret", "required": True, "help": {}})
        assert "typed" not in text


class TestRender:
    def test_speaks_the_reader_s_language_in_the_brand(self, monkeypatch):
        monkeypatch.setattr("app.web.rendering.built_assets", lambda: ASSETS)
        [context, *_] = EXAMPLES["identity/sign_in.html"]
        text = render("identity/sign_in.html", context, locale=LOCALES["de"], brand_view=VIEWS["alpenwerk"])
        assert '<html lang="de" dir="ltr">' in text
        assert "<title>Anmelden · Alpenwerk ERP</title>" in text
        assert f'href="{VIEWS["alpenwerk"].stylesheet}"' in text

    def test_offers_a_language_only_where_all_of_the_page_can_be_said_in_it(self):
        customers, staffs = (languages_of(f"onboarding/{page}.html") for page in ("customer_status", "partner_home"))
        assert [locale.language for locale in customers] == ["en", "de", "ar"]
        assert [locale.language for locale in staffs] == ["en", "de"]

    def test_uses_the_reader_s_zone_inside_components_too_and_forgets_it(self, monkeypatch):
        monkeypatch.setattr("app.web.rendering.built_assets", lambda: ASSETS)
        entry = {"what": "x", "at": datetime(2026, 3, 12, 23, 30, tzinfo=UTC), "by": "", "facts": "", "icon": "flag"}
        context = EXAMPLES["onboarding/trace.html"][0] | {"entries": [entry | {"tone": "good"}]}
        text = render(
            "onboarding/trace.html",
            context,
            locale=LOCALES["en"],
            brand_view=VIEWS["northwind"],
            zone=ZoneInfo("Asia/Tokyo"),
        )
        assert "13 Mar 2026, 08:30" in text
        assert ZONE.get() is UTC
