"""Texts are plain; what only looks like a tag is left alone."""

from __future__ import annotations

import pytest

from app.templates.language import read_template
from tests.unit.templates.samples import FILE, changed, line_of, overlay, problems_of, refusals

HANDOFF = '{en: "Handoff", de: "Übergabe", ar: "التسليم"}'


def titled(text: str) -> str:
    return changed(HANDOFF, f'{{en: "{text}", de: "Übergabe", ar: "التسليم"}}')


class TestCheckTexts:
    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("<b>Handoff</b>", "“<b>” is HTML"),
            ("See <a href='x'>this</a>", "is HTML"),
            ("<script>alert(1)</script>", "“<script>” is HTML"),
            ("<SCRIPT src=x", "is HTML"),
            ("Hand<br/>off", "“<br/>” is HTML"),
            ("<!-- note -->", "is HTML"),
            ("A &amp; B", "Write “&”."),
            ("&#60;b", "Write “<”."),
            ("safe \\u202Egpj.exe", "U+202E"),
            ("\\u2066turned\\u2069", "U+2066"),
            ("a bell \\x07", "U+0007"),
            ("\\x9b", "U+009B"),
        ],
    )
    def test_refuses_what_is_not_plain_at_its_place(self, text, word):
        written = titled(text)
        [problem] = problems_of(written)
        assert word in str(problem)
        assert problem.line == line_of(written, text)

    @pytest.mark.parametrize(
        "text", ["1 < 2 and 3 > 2", "R&D; sales & support", "<15 minutes", "a <- b", "Fish &Chips", "{provider} → you"]
    )
    def test_leaves_plain_signs_alone(self, text):
        assert read_template(titled(text), FILE)

    def test_reads_no_criterion_as_a_tag(self):
        text = changed("check: answers.describe_environment.workplaces <= inputs.seats",
                       "check: answers.describe_environment.workplaces <b && b> 1")  # fmt: skip
        assert not any("HTML" in problem.message for problem in problems_of(text))

    def test_sees_what_an_overlay_writes(self):
        [problem] = refusals('texts:\n  provider: {en: "<i>Us</i>", de: "Wir"}')
        assert problem.file == overlay("title: {en: A, de: B}").source.file
        assert "“<i>” is HTML" in problem.message
