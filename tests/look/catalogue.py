"""Keeps the catalogues in step with the pages: `python -m tests.look.catalogue` after a string was added or changed."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.web.translations import CATALOGUES, LOCALES

ROOT = Path(__file__).resolve().parents[2]
_PAGES = [("**.html", "jinja2"), ("emails/**.txt", "jinja2"), ("**.*", "ignore")]
_SOURCES = [("**.py", "python")]
_OPTIONS = {"**.html": {"silent": "false"}, "emails/**.txt": {"silent": "false"}}


def extracted() -> Catalog:
    """Every message id that pages and Python sources mark, with where it stands."""
    catalogue = Catalog(charset="utf-8")
    for folder, methods in (("frontend", _PAGES), ("app", _SOURCES)):
        found = extract_from_dir(
            ROOT / folder,
            method_map=methods,
            options_map=_OPTIONS,
            keywords={"_": None, "gettext": None, "ngettext": (1, 2), "mark": None},
            directory_filter=lambda path: Path(path).name not in {"node_modules", "dist", "locales"},
        )
        for file, _line, message, _comments, _context in found:
            catalogue.add(message, locations=[(f"{folder}/{file}", 0)])
    return catalogue


def stored(language: str) -> Catalog:
    """A language's catalogue as committed."""
    with _path(language).open("rb") as file:
        return read_po(file, locale=language, charset="utf-8")


def update(language: str) -> list[str]:
    """Bring a language's catalogue up to date; gives the message ids that still need a translation."""
    catalogue = stored(language) if _path(language).exists() else Catalog(locale=language, charset="utf-8")
    catalogue.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    with _path(language).open("wb") as file:
        write_po(file, catalogue, omit_header=True, no_location=True, sort_output=True, width=118)
    return [str(message.id) for message in catalogue if message.id and not _is_translated(message.string)]


def _is_translated(text: object) -> bool:
    return all(text) if isinstance(text, list | tuple) else bool(text)


def _path(language: str) -> Path:
    return CATALOGUES / language / "LC_MESSAGES" / "messages.po"


if __name__ == "__main__":
    for name in LOCALES:
        for missing in update(name) if name != "en" else (update(name), [])[1]:
            sys.stdout.write(f"{name}: no translation of {missing!r}\n")
