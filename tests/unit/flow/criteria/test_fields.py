"""Typed values: what fits, and the place of what does not."""

from __future__ import annotations

import pytest

from app.flow.fields import AnswersRefused, Field, Option, check_answers

LABEL = {"en": "Label"}
FIELDS = (
    Field(id="name", label=LABEL, required=True),
    Field(id="mail", label=LABEL, type="email"),
    Field(id="seats", label=LABEL, type="integer", minimum=1, maximum=9, default=3),
    Field(id="agreed", label=LABEL, type="boolean"),
    Field(id="day", label=LABEL, type="date"),
    Field(id="plan", label=LABEL, type="select", options=(Option(id="team", label=LABEL),)),
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
            ("unknown", "x"),
        ],
    )
    def test_refuses_with_the_place(self, name, value):
        with pytest.raises(AnswersRefused) as refused:
            check_answers(FIELDS, {"name": "Acme", name: value})
        assert [place for place, _ in refused.value.errors] == [f"/answers/{name}"]

    def test_names_every_wrong_place_at_once(self):
        with pytest.raises(AnswersRefused) as refused:
            check_answers(FIELDS, {"mail": "x", "seats": 99})
        assert len(refused.value.errors) == 3

    def test_keeps_false_and_zero_as_given(self):
        zero = Field(id="zero", label=LABEL, type="integer", required=True)
        assert check_answers((zero, FIELDS[3]), {"zero": 0, "agreed": False}) == {"zero": 0, "agreed": False}
