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
from jinja2.meta import find_referenced_templates
from markupsafe import Markup

from app.web.assets import FRONTEND, Assets, built_assets, icon_names
from app.web.frame import BrandView, Chrome
from app.web.page.formats import ZONE, Formats
from app.web.translations import IN_FULL, LOCALES, catalogue, translations

_PARSER = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - reads pages, renders none


def render(page: str, context: Mapping[str, Any], *, locale: Locale, brand_view: BrandView, zone: tzinfo = UTC) -> str:
    """The text of `page` (a path below `frontend/`): HTML for pages and fragments, text for mails' plain parts.

    A value that a page asks for and `context` does not hold is an error, never an empty place. `zone` is the reader's.
    """
    environment = pages(locale.language, built_assets())
    frame = {"brand": brand_view, "locale": locale, "languages": languages_of(page), "chrome": Chrome()}
    before = ZONE.set(zone)
    try:
        return environment.get_template(page).render(frame | dict(context))
    finally:
        ZONE.reset(before)


@cache
def languages_of(page: str) -> tuple[Locale, ...]:
    """The languages in which all of a page can be said, with everything that it is made of."""
    needed = messages_of(page)
    return tuple(known for language, known in LOCALES.items() if language in IN_FULL or needed <= _told_in(language))


def messages_of(page: str) -> frozenset[object]:
    """The ids of the messages that a page marks, and the layouts, components and fragments that it is made of."""
    seen, waiting = set[str](), {page}
    while waiting:
        seen |= waiting
        waiting = {part for path in waiting for part in _looked_into(path)[1]} - seen
    return frozenset[object]().union(*(_looked_into(path)[0] for path in seen))


@cache
def _looked_into(path: str) -> tuple[frozenset[object], frozenset[str]]:
    """The messages that one file marks, and the files that it names."""
    text = (FRONTEND / path).read_text(encoding="utf-8")
    marked = _PARSER.extract_translations(text)  # type: ignore[attr-defined] # set by the i18n extension
    messages = frozenset(_id_of(name, message) for _, name, message in marked)
    return messages, frozenset(name for name in find_referenced_templates(_PARSER.parse(text)) if name)


def _id_of(name: str, message: str | tuple[str | None, ...]) -> object:
    """Of a plural its two forms; of everything else the text alone, without the values that are filled in."""
    return message if isinstance(message, str) else message[:2] if name == "ngettext" else message[0]


@cache
def _told_in(language: str) -> frozenset[object]:
    return frozenset(message.id for message in catalogue(language) if message.id)


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
