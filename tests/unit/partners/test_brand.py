"""Whatever accent a partner wishes for, every derived colour passes WCAG AA in light and dark."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.partners.brand import Brand, favicon, palette, stylesheet, version
from app.partners.colour import Colour, contrast

channels = st.integers(0, 255)
hexes = st.builds(Colour, channels, channels, channels).map(str)
brands = st.builds(
    Brand,
    name=st.just("Northwind"),
    accent=hexes,
    surface=hexes,
    radius=st.integers(0, 16),
    font=st.sampled_from(["inter", "figtree", "source-sans", "system"]),
)


class TestPalette:
    @given(brands, st.sampled_from(["light", "dark"]))
    def test_passes_aa_whatever_the_accent_and_surface_are(self, brand, theme):
        shown = palette(brand, theme)
        grounds = (shown.surface, shown.raised, shown.sunk)
        for ground in (*grounds, shown.tint):
            assert contrast(shown.ink, ground) >= 7
            assert contrast(shown.muted, ground) >= 4.5
            assert contrast(shown.accent_text, ground) >= 4.5
            assert contrast(shown.focus, ground) >= 3
        for ground in grounds:
            assert contrast(shown.accent, ground) >= 3
            assert contrast(shown.accent_hover, ground) >= 3
            assert contrast(shown.edge, ground) >= 3
        assert contrast(shown.on_accent, shown.accent) >= 4.5
        assert contrast(shown.on_accent, shown.accent_hover) >= 4.5

    @given(brands)
    def test_keeps_light_light_and_dark_dark(self, brand):
        assert palette(brand, "light").surface.luminance > 0.75
        assert palette(brand, "dark").surface.luminance < 0.03

    @pytest.mark.parametrize("accent", ["#2f5bd7", "#e8a317", "#0b7285", "#c2255c", "#3b5bdb"])
    @pytest.mark.parametrize("theme", ["light", "dark"])
    def test_shows_when_the_pointer_is_on_a_button(self, accent, theme):
        shown = palette(Brand("Northwind", accent), theme)
        assert shown.accent_hover != shown.accent

    def test_uses_a_good_accent_as_it_is(self):
        assert str(palette(Brand("Contoso", "#3b5bdb"), "light").accent) == "#3b5bdb"


class TestStylesheet:
    @given(brands)
    def test_holds_only_declarations_of_brand_tokens(self, brand):
        body = stylesheet(brand).removeprefix(":root {\n").removesuffix("}\n")
        colour = r"light-dark\(#[0-9a-f]{6}, #[0-9a-f]{6}\)"
        for line in body.splitlines():
            assert re.fullmatch(rf"  --brand-[a-z-]+: ({colour}|\d+px|[A-Za-z0-9 ,'-]+);", line)

    def test_never_holds_the_name(self):
        assert "Contoso" not in stylesheet(Brand("Contoso", "#3b5bdb"))

    def test_has_a_new_address_when_anything_visible_changes(self):
        one = Brand("Contoso", "#3b5bdb")
        others = [replace(one, accent="#3b5bdc"), replace(one, radius=0), replace(one, font="system")]
        assert version(one) == version(replace(one, name="Cohovineyard"))
        assert len({version(brand) for brand in [one, *others]}) == 4
        assert re.fullmatch(r"[0-9a-f]{16}", version(one))


class TestFavicon:
    @pytest.mark.parametrize(("name", "letter"), [("<b>", "&lt;"), ("&amp", "&amp;"), ("ärzte", "Ä"), ("東京", "東")])
    def test_shows_the_first_letter_and_never_markup(self, name, letter):
        assert favicon(Brand(name, "#3b5bdb")).endswith(f">{letter}</text></svg>")


class TestBrand:
    @pytest.mark.parametrize(
        ("tokens", "reason"),
        [
            ({"name": " ", "accent": "#3b5bdb"}, "needs a name"),
            ({"name": "A", "accent": "blue"}, "not a colour"),
            ({"name": "A", "accent": "#3b5bdb", "surface": "#fff;}"}, "not a colour"),
            ({"name": "A", "accent": "#3b5bdb", "radius": 17}, "0 to 16"),
            ({"name": "A", "accent": "#3b5bdb", "font": "x'; } body { display:none"}, "not one of the fonts"),
            ({"name": "A", "accent": "#3b5bdb", "logo": "x"}, "no logo"),
        ],
    )
    def test_refuses_what_it_cannot_show_and_says_why(self, tokens, reason):
        with pytest.raises(ValueError, match=reason):
            Brand.from_tokens(tokens)

    @given(brands)
    def test_survives_being_stored(self, brand):
        assert Brand.from_tokens(brand.tokens()) == brand
