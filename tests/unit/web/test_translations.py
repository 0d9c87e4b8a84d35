"""Which language a reader gets, and what happens to headers that nobody sane sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.translations import IN_FULL, LOCALES, negotiate, translations


class TestNegotiate:
    @pytest.mark.parametrize(
        ("header", "chosen", "language"),
        [
            (None, None, "en"),
            ("", None, "en"),
            ("de", None, "de"),
            ("de-AT,de;q=0.9,en;q=0.8", None, "de"),
            ("en;q=0.5, de;q=0.9", None, "de"),
            ("fr, ja;q=0.9, de;q=0.1", None, "de"),
            ("fr, ja", None, "en"),
            ("de;q=0, en;q=0.1", None, "en"),
            ("de;q=1.5", None, "en"),
            ("de;q=x, en", None, "en"),
            ("de;q=nan", None, "en"),
            ("*", None, "en"),
            ("en", "de", "de"),
            ("de", "xx", "de"),
            ("ar-EG, en;q=0.9", None, "ar"),
        ],
    )
    def test_prefers_the_choice_then_the_browser_then_the_first(self, header, chosen, language):
        assert negotiate(header, chosen).language == language

    def test_leaves_out_a_language_that_is_not_kept_in_full(self):
        assert negotiate("ar, de;q=0.5", "ar", among=IN_FULL).language == "de"

    @given(st.text(), st.none() | st.text())
    def test_always_gives_one_of_ours(self, header, chosen):
        assert negotiate(header, chosen) in LOCALES.values()

    def test_looks_at_no_more_than_the_beginning_of_a_huge_header(self):
        assert negotiate("xx," * 100_000 + "de").language == "en"


class TestTranslations:
    def test_speak_the_language(self):
        assert translations("de").gettext("Sign in") == "Anmelden"
        assert translations("en").gettext("Sign in") == "Sign in"

    def test_know_plurals(self):
        one, many = "%(num)s field blocks", "%(num)s fields block"
        assert translations("de").ngettext(one, many, 1) == "%(num)s Feld blockiert"
        assert translations("de").ngettext(one, many, 2) == "%(num)s Felder blockieren"
        assert translations("ar").ngettext("%(num)s day or more", "%(num)s days or more", 3) == "%(num)s أيام أو أكثر"
        assert translations("ar").ngettext("%(num)s day or more", "%(num)s days or more", 11) == "%(num)s يومًا أو أكثر"
