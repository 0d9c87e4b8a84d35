"""Pages, fragments and mails from plain values: one Jinja environment a language. Knows no capability, no request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from functools import cache, partial
from typing import Any
from uuid import UUID, uuid5

from babel import Locale
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from app.web.assets import FRONTEND, Assets, built_assets, icon_names
from app.web.frame import BrandView, Chrome
from app.web.page.formats import ZONE, Formats
from app.web.translations import LOCALES, translations


def render(page: str, context: Mapping[str, Any], *, locale: Locale, brand_view: BrandView, zone: tzinfo = UTC) -> str:
    """The text of `page` (a path below `frontend/`): HTML for pages and fragments, text for mails' plain parts.

    A value that a page asks for and `context` does not hold is an error, never an empty place. `zone` is the reader's.
    """
    environment = pages(locale.language, built_assets())
    frame = {"brand": brand_view, "locale": locale, "languages": tuple(LOCALES.values()), "chrome": Chrome()}
    before = ZONE.set(zone)
    try:
        return environment.get_template(page).render(frame | dict(context))
    finally:
        ZONE.reset(before)


@cache
def pages(language: str, assets: Assets) -> Environment:
    """The environment of one of our languages over a set of built assets."""
    environment = Environment(
        loader=FileSystemLoader(FRONTEND),
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update(Formats(LOCALES[language]).filters())
    catalogue = translations(language)
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined] # set by the i18n extension
    environment.filters["told"] = partial(_told, catalogue)
    environment.filters["key_for"] = _key_for
    environment.globals["asset"] = assets.address
    environment.globals["icon"] = partial(_icon, assets.address("icons.svg"))
    return environment


def _told(catalogue: Translations, text: str) -> str:
    """A text from Python, in the reader's language; what no catalogue knows, of a person or a file, as it is.

    `_()` is for literals of pages: it takes its text for safe HTML and for a pattern with places to fill.
    """
    return str(catalogue.gettext(text)) if text else ""


def _key_for(key: str, part: str) -> str:
    """The command key of one of several forms on a page: each counts once, and none for another."""
    return str(uuid5(UUID(key), part))


def _icon(sprite: str, name: str) -> Markup:
    """An icon stands beside a word that says the same, so it is hidden from screen readers."""
    if name not in icon_names():
        raise KeyError(f"There is no icon {name!r}; frontend/static/icons.json lists them.")
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(sprite, name)
