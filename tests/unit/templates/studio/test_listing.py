"""How a draft is listed: its title in each language, whatever an unfinished text holds; and how long it is walked."""

from __future__ import annotations

from itertools import count

import pytest

from app.flow.simulate import TimeOver, look
from app.templates.authoring.checking import Checked, check_text
from app.templates.lines.chains import Chain, ChainBroken
from app.templates.studio.operations.drafts import Text
from app.templates.studio.pages.entering import text_of
from app.templates.studio.simulated import Found, report_of
from app.templates.studio.starting import skeleton


def listed(source: str) -> Text:
    return text_of(source, Checked(None, None))


def nothing_beneath(result: str) -> Chain:
    raise ChainBroken(result)


class TestTextOf:
    def test_keeps_the_title_of_each_language(self):
        text = listed("id: a\ndefault_locale: de\ntitle: {en: Start, de: Beginn, ar: [], fr: ' '}\n")
        assert text.titles == {"en": "Start", "de": "Beginn"}
        assert text.title == "Beginn"

    def test_keeps_no_sign_that_a_database_refuses(self):
        text = listed('id: "a\\0b"\nversion: "1\\0"\ntitle: {en: "x\\0y", "d\\0e": "z"}\n')
        assert (text.template, text.number, text.titles) == ("ab", "1", {"en": "xy", "de": "z"})

    def test_of_what_is_no_title_is_its_name(self):
        assert (listed("id: a\ntitle: 7\n").title, listed("title: {en: 7}\n").title) == ("a", "")


class TestWalking:
    def test_ends_within_a_history_that_is_too_long(self):
        made = check_text(skeleton(), nothing_beneath).effective
        assert made is not None
        definition, steps = made.compile(), count()
        with pytest.raises(TimeOver):
            look(definition, 1, is_over=lambda: next(steps) >= 3)
        assert next(steps) == 4
        told = report_of(definition, Found([], 220))
        assert (told["histories"], told["dead_ends"], told["days"]) == (0, 0, [])
