"""What stands beside a wrong field: a sentence of the reader's language, whatever the engine said."""

from __future__ import annotations

import pytest

from app.kernel.errors import Invalid
from app.onboarding.sending import in_words, wrong_fields
from app.web.translations import LOCALES, translations


class TestSentences:
    @pytest.mark.parametrize("language", LOCALES)
    def test_are_the_catalogues_where_it_has_one(self, language: str):
        said = in_words("This must be a whole number.", translations(language).gettext)
        german, arabic = "Das muss eine ganze Zahl sein.", "يجب أن يكون هذا عددًا صحيحًا."
        assert said == {"en": "This must be a whole number.", "de": german, "ar": arabic}[language]

    def test_are_never_english_on_a_german_page(self):
        german = translations("de").gettext
        error = Invalid("Odd.", errors=[("/answers/seats", "This must be between 1 and 9.")])
        assert wrong_fields(error, german) == [("seats", "So kann das nicht verwendet werden.")]
        assert wrong_fields(Invalid("Odd."), german) == [("statement", "So kann das nicht verwendet werden.")]

    def test_are_the_engines_own_in_its_own_language(self):
        assert in_words("This must be between 1 and 9.", translations("en").gettext) == "This must be between 1 and 9."
