"""Typed values: what fits, and the place of what does not."""

from __future__ import annotations

import pytest

from app.flow.fields import AnswersRefused, Field, Option, as_criterion_value, check_answers

LABEL = {"en": "Label"}
FIELDS = (
    Field(id="name", label=LABEL, required=True),
    Field(id="mail", label=LABEL, type="email"),
    Field(id="seats", label=LABEL, type="integer", minimum=1, maximum=9, default=3),
    Field(id="agreed", label=LABEL, type="boolean"),
    Field(id="day", label=LABEL, type="date"),
    Field(id="plan", label=LABEL, type="select", options=(Option(id="team", label=LABEL),)),
    Field(id="site", label=LABEL, type="url"),
    Field(id="phone", label=LABEL, type="phone"),
    Field(id="rate", label=LABEL, type="decimal", minimum=0, maximum=100),
    Field(id="parts", label=LABEL, type="choices", options=(Option(id="a", label=LABEL), Option(id="b", label=LABEL))),
)


class TestCheckAnswers:
    def test_keeps_what_fits_trimmed_and_with_defaults(self):
        assert check_answers(FIELDS, {"name": "  Acme ", "day": "2026-02-28", "mail": ""}) == {
            "name": "Acme",
            "seats": 3,
            "day": "2026-02-28",
        }

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("name", "   "),
            ("name", 7),
            ("name", "x" * 501),
            ("name", "a\x00b"),
            ("mail", "nobody"),
            ("mail", "a@b"),
            ("mail", "a@exa mple.org"),
            ("mail", "a@b..org"),
            ("mail", "x@evil.example\nBcc: y@z.example"),
            ("seats", 0),
            ("seats", 10),
            ("seats", "5"),
            ("seats", True),
            ("agreed", "yes"),
            ("agreed", 1),
            ("day", "2026-02-30"),
            ("day", "20260228"),
            ("day", "2026-W05-6"),
            ("plan", "enterprise"),
            ("site", "example.org"),
            ("site", "ftp://example.org"),
            ("site", "https://me:secret@example.org"),
            ("site", "https://exa mple.org"),
            ("site", "https://[half"),
            ("phone", "call me"),
            ("phone", "1"),
            ("rate", "12,5"),
            ("rate", "100.5"),
            ("rate", "-0.1"),
            ("rate", "1e3"),
            ("rate", 12),
            ("parts", "c"),
            ("parts", "a\nc"),
            ("parts", ["a"]),
            ("unknown", "x"),
        ],
    )
    def test_refuses_with_the_place(self, name, value):
        with pytest.raises(AnswersRefused) as refused:
            check_answers(FIELDS, {"name": "Acme", name: value})
        assert [place for place, _ in refused.value.errors] == [f"/answers/{name}"]

    @pytest.mark.parametrize(
        ("name", "value", "seen"),
        [
            ("site", "https://example.org/a?b=c", "https://example.org/a?b=c"),
            ("phone", "+49 (30) 123-456", "+49 (30) 123-456"),
            ("rate", "12.50", 12.5),
            ("parts", "a\nb", ["a", "b"]),
        ],
    )
    def test_keeps_what_criteria_see_as_their_own_kind(self, name, value, seen):
        field = next(each for each in FIELDS if each.id == name)
        assert check_answers(FIELDS, {"name": "Acme", name: value})[name] == value
        assert as_criterion_value(field, value) == seen

    def test_names_every_wrong_place_at_once(self):
        with pytest.raises(AnswersRefused) as refused:
            check_answers(FIELDS, {"mail": "x", "seats": 99})
        assert len(refused.value.errors) == 3

    def test_keeps_false_and_zero_as_given(self):
        zero = Field(id="zero", label=LABEL, type="integer", required=True)
        assert check_answers((zero, FIELDS[3]), {"zero": 0, "agreed": False}) == {"zero": 0, "agreed": False}
