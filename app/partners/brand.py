"""A brand as data, and what is made from it: stylesheet, favicon, view. Pure: no database, no request."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from typing import Any, Literal, Self, get_args

from app.partners.colour import INK, WHITE, Colour, Shade, contrast, lighter, nearest_passing, to_colour, to_shade
from app.web.frame import BrandView, HelpContact, Legal, MailColours

Font = Literal["inter", "figtree", "source-sans", "system"]
Theme = Literal["light", "dark"]

TEXT_RATIO = 4.5  # WCAG 2.2, 1.4.3: text
SHAPE_RATIO = 3.0  # WCAG 2.2, 1.4.11: what must be seen but is not read
MAX_RADIUS = 16  # px
_LIGHTEST_TINTED = 0.945  # below this a "light" surface starts to look like a colour block
_SYSTEM = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif"
_FONTS: dict[Font, str] = {
    "inter": f"'Inter Variable', {_SYSTEM}",
    "figtree": f"'Figtree Variable', {_SYSTEM}",
    "source-sans": f"'Source Sans 3 Variable', {_SYSTEM}",
    "system": _SYSTEM,
}


@dataclass(frozen=True, slots=True)
class Brand:
    """What makes a partner's pages look like theirs. `radius` is in px; a bad value is a ValueError with its reason."""

    name: str
    accent: str
    surface: str = "#f7f8fa"
    radius: int = 8
    font: Font = "inter"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("A brand needs a name: it stands in the header of every page and mail.")
        Colour.parse(self.accent)
        Colour.parse(self.surface)
        if not 0 <= self.radius <= MAX_RADIUS:
            raise ValueError(f"The corner radius is {self.radius}. Choose 0 to {MAX_RADIUS} pixels.")
        if self.font not in get_args(Font):
            raise ValueError(f"{self.font!r} is not one of the fonts: {', '.join(get_args(Font))}.")

    @classmethod
    def from_tokens(cls, tokens: Mapping[str, Any]) -> Self:
        """The brand that `tokens` (as stored in `control.brand`) describes; unknown names are refused."""
        unknown = set(tokens) - set(cls.__slots__)
        if unknown:
            raise ValueError(f"A brand has no {', '.join(sorted(unknown))}.")
        return cls(**tokens)

    def tokens(self) -> dict[str, Any]:
        """The brand as stored."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Palette:
    """Every colour of one theme, derived from the brand."""

    surface: Colour
    raised: Colour
    sunk: Colour
    line: Colour
    edge: Colour
    ink: Colour
    muted: Colour
    accent: Colour
    accent_hover: Colour
    on_accent: Colour
    accent_text: Colour
    tint: Colour
    focus: Colour


@dataclass(frozen=True, slots=True)
class _Levels:
    """Where a theme wants its greys and its tint, as OKLCH lightness; contrast demands may move them."""

    ink: float
    muted: float
    edge: float
    line: float
    tint: float


_LEVELS: dict[Theme, _Levels] = {
    "light": _Levels(ink=0.24, muted=0.51, edge=0.66, line=0.915, tint=0.95),
    "dark": _Levels(ink=0.94, muted=0.74, edge=0.52, line=0.31, tint=0.285),
}


@lru_cache(maxsize=512)
def palette(brand: Brand, theme: Theme) -> Palette:
    """The colours of a brand in a theme; every pair that carries meaning passes WCAG AA (DESIGN 11)."""
    accent = to_shade(Colour.parse(brand.accent))
    surface, raised, sunk = _grounds(brand, theme, accent)
    grounds = (surface, raised, sunk)
    levels = _LEVELS[theme]

    def grey(lightness: float) -> Colour:
        return to_colour(Shade(lightness, min(accent.chroma, 0.012), accent.hue))

    fill = _on_all(Colour.parse(brand.accent), grounds, SHAPE_RATIO, also=((WHITE, INK), TEXT_RATIO))
    on_fill = max((WHITE, INK), key=lambda text: (contrast(text, fill) >= TEXT_RATIO, text is WHITE))
    tint = to_colour(Shade(levels.tint, min(accent.chroma, 0.045), accent.hue))
    return Palette(
        surface=surface,
        raised=raised,
        sunk=sunk,
        line=grey(levels.line),
        edge=_on_all(grey(levels.edge), grounds, SHAPE_RATIO),
        ink=grey(levels.ink),
        muted=_on_all(grey(levels.muted), (*grounds, tint), TEXT_RATIO),
        accent=fill,
        accent_hover=_hover(fill, on_fill, grounds),
        on_accent=on_fill,
        accent_text=_on_all(Colour.parse(brand.accent), (*grounds, tint), TEXT_RATIO),
        tint=tint,
        focus=_on_all(Colour.parse(brand.accent), (*grounds, tint), SHAPE_RATIO),
    )


@lru_cache(maxsize=512)
def stylesheet(brand: Brand) -> str:
    """The brand as custom properties, light and dark in one: what `/brand/{version}.css` serves."""
    light, dark = palette(brand, "light"), palette(brand, "dark")
    lines = [
        f"  --brand-{name.replace('_', '-')}: light-dark({getattr(light, name)}, {getattr(dark, name)});"
        for name in Palette.__slots__
    ]
    lines += [f"  --brand-radius: {brand.radius}px;", f"  --brand-font: {_FONTS[brand.font]};"]
    return "\n".join([":root {", *lines, "}", ""])


@lru_cache(maxsize=512)
def version(brand: Brand) -> str:
    """The content hash that stylesheet and favicon are addressed by: a changed brand has a new address."""
    return hashlib.sha256((stylesheet(brand) + favicon(brand)).encode()).hexdigest()[:16]


def _grounds(brand: Brand, theme: Theme, accent: Shade) -> tuple[Colour, Colour, Colour]:
    """Page, card and inset of a theme. The light page is the brand's own surface, kept light enough to read on."""
    wished = to_shade(Colour.parse(brand.surface))
    chroma, hue = min(wished.chroma, 0.02), wished.hue if wished.chroma > 0.002 else accent.hue  # noqa: PLR2004 - grey has no hue
    if theme == "light":
        page = Shade(max(wished.lightness, _LIGHTEST_TINTED), chroma, hue)
        return to_colour(page), WHITE, to_colour(lighter(page, -0.018))
    dark = Shade(0.175, min(chroma, 0.012), hue)
    return to_colour(dark), to_colour(lighter(dark, 0.04)), to_colour(lighter(dark, 0.075))


def _on_all(
    wish: Colour, grounds: tuple[Colour, ...], ratio: float, also: tuple[tuple[Colour, ...], float] | None = None
) -> Colour:
    demands: list[tuple[tuple[Colour, ...], float]] = [((ground,), ratio) for ground in grounds]
    return nearest_passing(wish, [*demands, also] if also else demands)


def _hover(fill: Colour, on_fill: Colour, grounds: tuple[Colour, ...]) -> Colour:
    """The widest step to either side that keeps every contrast of the fill; the fill itself where there is none."""
    for step in (-0.06, 0.05, -0.045, 0.035, -0.03, 0.025, -0.02):
        moved = to_colour(lighter(to_shade(fill), step))
        if contrast(moved, on_fill) >= TEXT_RATIO and min(contrast(moved, ground) for ground in grounds) >= SHAPE_RATIO:
            return moved
    return fill


def favicon(brand: Brand) -> str:
    """The brand's mark for browser tabs as SVG: what `/brand/{version}.svg` serves."""
    shown = palette(brand, "light")
    letter = escape(brand.name.strip()[0].upper())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="{min(brand.radius, 8)}" fill="{shown.accent}"/>'
        f'<text x="16" y="22.5" text-anchor="middle" font-family="sans-serif" font-weight="600" font-size="19"'
        f' fill="{shown.on_accent}">{letter}</text></svg>'
    )


def view(
    brand: Brand, *, origin: str = "", legal: Legal | None = None, contact: HelpContact | None = None
) -> BrandView:
    """The brand as pages and mails need it, with whom a reader can ask and who stands behind it."""
    legal = legal or Legal()
    return BrandView(
        name=brand.name,
        version=version(brand),
        light=_mail_colours(brand, "light"),
        dark=_mail_colours(brand, "dark"),
        radius=brand.radius,
        origin=origin,
        help=contact,
        legal_name=legal.name,
        address=legal.address,
        links=legal.links,
    )


def _mail_colours(brand: Brand, theme: Theme) -> MailColours:
    shown = palette(brand, theme)
    return MailColours(
        surface=str(shown.surface),
        raised=str(shown.raised),
        line=str(shown.line),
        ink=str(shown.ink),
        muted=str(shown.muted),
        accent=str(shown.accent),
        on_accent=str(shown.on_accent),
    )
