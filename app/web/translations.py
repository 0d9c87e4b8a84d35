"""Languages: which one a reader gets, and the catalogues, read from their .po files when first asked for.

Some are kept in full, and every page can be read in them. Of the others the catalogue holds what a customer's people
read: their pages, signing in, troubles and mails. A page that cannot be said whole is not begun in such a language.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from io import BytesIO

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from app.kernel.errors import mark
from app.web.assets import FRONTEND

__all__ = ["IN_FULL", "LOCALES", "WRITTEN_IN", "catalogue", "mark", "negotiate", "translations"]

CATALOGUES = FRONTEND / "locales"
# The first is what a reader gets who asks for none of them. A territory only decides how dates and numbers are written.
LOCALES = {"en": Locale("en", "GB"), "de": Locale("de", "DE"), "ar": Locale("ar", "AE")}
IN_FULL = ("en", "de")  # the languages of a partner's staff, too
WRITTEN_IN = "en"  # the language of the message ids
_LONGEST_HEADER = 500  # characters of Accept-Language that are looked at
_MOST_RANGES = 20


def negotiate(accept_language: str | None, chosen: str | None = None, *, among: Collection[str] = LOCALES) -> Locale:
    """The reader's language: what they chose, else the best of what the browser asks for, else the first we have."""
    if chosen is not None and chosen in among:
        return LOCALES[chosen]
    for language in _wished(accept_language or ""):
        if language in among:
            return LOCALES[language]
    return next(iter(LOCALES.values()))


def catalogue(language: str) -> Catalog:
    """The messages of one of our languages, as they are kept."""
    with (CATALOGUES / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language, charset="utf-8")


@cache
def translations(language: str) -> Translations:
    """The catalogue of one of our languages, compiled in memory."""
    compiled = BytesIO()
    write_mo(compiled, catalogue(language))
    compiled.seek(0)
    return Translations(compiled)


def _wished(header: str) -> list[str]:
    """The primary subtags of an Accept-Language header, best first; what cannot be read is passed over."""
    wishes = []
    for place, part in enumerate(header[:_LONGEST_HEADER].split(",")[:_MOST_RANGES]):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=") or 1) if weight else 1.0
        except ValueError:
            continue
        if tag and 0 < quality <= 1:
            wishes.append((-quality, place, tag.split("-")[0].strip().lower()))
    return [language for _, _, language in sorted(wishes)]
