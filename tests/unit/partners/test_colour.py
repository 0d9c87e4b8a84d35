"""Colours survive being read and written, and a shade moves no further than its contrast demands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.partners.colour import INK, WHITE, Colour, contrast, lighter, nearest_passing, to_colour, to_shade

channels = st.integers(0, 255)
colours = st.builds(Colour, channels, channels, channels)


class TestColour:
    @given(colours)
    def test_survives_being_written_and_read(self, colour):
        assert Colour.parse(str(colour)) == colour

    @pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "#1234567", "#123456\n", "url(#a)", "#12345;"])
    def test_refuses_what_is_not_six_hex_digits(self, text):
        with pytest.raises(ValueError, match="not a colour"):
            Colour.parse(text)


class TestContrast:
    def test_agrees_with_the_published_extremes(self):
        assert contrast(WHITE, Colour(0, 0, 0)) == pytest.approx(21)
        assert contrast(WHITE, Colour(118, 118, 118)) == pytest.approx(4.54, abs=0.01)

    @given(colours, colours)
    def test_does_not_depend_on_the_order(self, one, other):
        assert contrast(one, other) == contrast(other, one) >= 1


class TestShade:
    @given(colours)
    def test_leads_back_to_the_colour_it_came_from(self, colour):
        back = to_colour(to_shade(colour))
        assert all(
            abs(a - b) <= 1
            for a, b in zip((colour.red, colour.green, colour.blue), (back.red, back.green, back.blue), strict=True)
        )

    @given(colours, st.floats(-1, 1))
    def test_always_gives_a_colour_a_screen_can_show(self, colour, by):
        shown = to_colour(lighter(to_shade(colour), by))
        assert all(0 <= part <= 255 for part in (shown.red, shown.green, shown.blue))


class TestNearestPassing:
    def test_leaves_a_passing_colour_alone(self):
        blue = Colour.parse("#1d4ed8")
        assert nearest_passing(blue, [((WHITE,), 4.5)]) == blue

    def test_moves_no_further_than_it_must(self):
        moved = nearest_passing(Colour.parse("#facc15"), [((WHITE,), 4.5)])
        assert 4.5 <= contrast(moved, WHITE) < 4.7

    def test_says_so_when_no_shade_can_pass(self):
        with pytest.raises(ValueError, match="No shade"):
            nearest_passing(Colour.parse("#777777"), [((WHITE,), 12.0), ((INK,), 12.0)])
