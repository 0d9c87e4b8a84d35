"""Colours as numbers: sRGB, OKLCH and WCAG contrast. Pure; knows nothing of brands or pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import atan2, cos, hypot, radians, sin
from typing import Self

_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_LIGHTNESS_STEPS = 400
_SLACK = 0.0005  # how far outside sRGB rounding alone may put a colour
_LINEAR_UNTIL, _LINEAR_FROM = 0.04045, 0.0031308  # where the sRGB curve becomes a straight line (IEC 61966-2-1)


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour that a screen can show: red, green and blue, each 0 to 255."""

    red: int
    green: int
    blue: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `#rrggbb`; anything else is a ValueError whose text a form can show."""
        if not _HEX.match(text):
            raise ValueError(f"{text!r} is not a colour. Write it as # and six hex digits, for example #3b5bdb.")
        return cls(*(int(text[at : at + 2], 16) for at in (1, 3, 5)))

    def __str__(self) -> str:
        return f"#{self.red:02x}{self.green:02x}{self.blue:02x}"

    @property
    def luminance(self) -> float:
        """Relative luminance as WCAG 2.2 defines it, 0 (black) to 1 (white)."""
        red, green, blue = (_to_linear(part / 255) for part in (self.red, self.green, self.blue))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@dataclass(frozen=True, slots=True)
class Shade:
    """A colour in OKLCH, where equal steps look equal: lightness 0 to 1, chroma 0 to about 0.4, hue in degrees."""

    lightness: float
    chroma: float
    hue: float


WHITE = Colour(255, 255, 255)
INK = Colour(10, 10, 12)


def contrast(one: Colour, other: Colour) -> float:
    """The WCAG contrast ratio of two colours, 1 to 21, whichever comes first."""
    high, low = sorted((one.luminance, other.luminance), reverse=True)
    return (high + 0.05) / (low + 0.05)


def to_shade(colour: Colour) -> Shade:
    """The same colour in OKLCH."""
    red, green, blue = (_to_linear(part / 255) for part in (colour.red, colour.green, colour.blue))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return Shade(lightness, hypot(a, b), (atan2(b, a) * 57.29577951308232) % 360)


def to_colour(shade: Shade) -> Colour:
    """The nearest colour a screen can show: same lightness and hue, as much of the chroma as fits."""
    shown = _fitting(shade)
    if shown is not None:
        return shown
    low, high = 0.0, shade.chroma
    best = _fitting(Shade(shade.lightness, 0.0, shade.hue)) or (WHITE if shade.lightness >= 1 else Colour(0, 0, 0))
    for _ in range(14):
        middle = (low + high) / 2
        shown = _fitting(Shade(shade.lightness, middle, shade.hue))
        if shown is None:
            high = middle
        else:
            low, best = middle, shown
    return best


def lighter(shade: Shade, by: float) -> Shade:
    """The shade with its lightness moved by `by` (negative: darker), kept within 0 and 1."""
    return Shade(min(1.0, max(0.0, shade.lightness + by)), shade.chroma, shade.hue)


def nearest_passing(wish: Colour, demands: list[tuple[tuple[Colour, ...], float]]) -> Colour:
    """The colour nearest in lightness to `wish` that meets every demand; `wish` itself when it already does.

    A demand is (colours, ratio): contrast with at least one of the colours reaches the ratio. Raises ValueError when no
    lightness of this hue can meet them all.
    """
    if _meets(wish, demands):
        return wish
    start = to_shade(wish)
    for step in range(1, _LIGHTNESS_STEPS + 1):
        for by in (-step / _LIGHTNESS_STEPS, step / _LIGHTNESS_STEPS):
            moved = to_colour(lighter(start, by))
            if _meets(moved, demands):
                return moved
    raise ValueError(f"No shade of {wish} meets the contrast that is asked of it.")


def _meets(colour: Colour, demands: list[tuple[tuple[Colour, ...], float]]) -> bool:
    return all(max(contrast(colour, other) for other in others) >= ratio for others, ratio in demands)


def _fitting(shade: Shade) -> Colour | None:
    a, b = shade.chroma * cos(radians(shade.hue)), shade.chroma * sin(radians(shade.hue))
    long = (shade.lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (shade.lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (shade.lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    parts = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    if any(not -_SLACK <= part <= 1 + _SLACK for part in parts):
        return None
    return Colour(*(round(255 * _from_linear(min(1.0, max(0.0, part)))) for part in parts))


def _to_linear(part: float) -> float:
    return part / 12.92 if part <= _LINEAR_UNTIL else float(((part + 0.055) / 1.055) ** 2.4)


def _from_linear(part: float) -> float:
    return part * 12.92 if part <= _LINEAR_FROM else float(1.055 * part ** (1 / 2.4) - 0.055)
