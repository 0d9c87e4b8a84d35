"""Keeps the catalogues in step with the pages: `python -m tests.look.catalogue` after a string was added or changed."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.web.rendering import messages_of
from app.web.translations import CATALOGUES, IN_FULL, LOCALES

ROOT = Path(__file__).resolve().parents[2]
_PAGES = [("**.html", "jinja2"), ("emails/**.txt", "jinja2"), ("**.*", "ignore")]
_SOURCES = [("**.py", "python")]
_OPTIONS = {"**.html": {"silent": "false"}, "emails/**.txt": {"silent": "false"}}

# What a customer's people meet: pages of their layouts, mails, troubles, and a gate that is theirs to decide.
_THEIRS = ("layouts/customer.html", "layouts/signed_out.html", "errors/_trouble.html")
# For those of them who set things up: in full languages.
_SET_UP = ("audit/", "connectors/", "identity/machines/", "identity/scim/")


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


def read_by_customers() -> set[object]:
    """The ids of the messages that every language has, those that are not kept in full, too."""
    found = set(messages_of("onboarding/gate_review.html"))
    for file in (ROOT / "frontend").rglob("*.*"):
        path = file.relative_to(ROOT / "frontend").as_posix()
        if file.suffix not in {".html", ".txt"} or path.startswith((*_SET_UP, "node_modules/", "static/")):
            continue
        if path.startswith("emails/") or any(f'"{layout}"' in file.read_text(encoding="utf-8") for layout in _THEIRS):
            found |= messages_of(path)
    return found


def update(language: str) -> list[str]:
    """Bring a language's catalogue up to date; gives the message ids that still need a translation."""
    catalogue = stored(language) if _path(language).exists() else Catalog(locale=language, charset="utf-8")
    catalogue.update(extracted(), no_fuzzy_matching=True, update_creation_date=False)
    catalogue.obsolete.clear()
    missing = [message.id for message in catalogue if message.id and not _is_translated(message.string)]
    if language not in IN_FULL:
        needed = read_by_customers()
        for unsaid in missing:
            catalogue.delete(unsaid)
        missing = [unsaid for unsaid in missing if unsaid in needed]
    with _path(language).open("wb") as file:
        write_po(file, catalogue, omit_header=True, no_location=True, sort_output=True, width=118)
    return [str(unsaid) for unsaid in missing]


def _is_translated(text: object) -> bool:
    return all(text) if isinstance(text, list | tuple) else bool(text)


def _path(language: str) -> Path:
    return CATALOGUES / language / "LC_MESSAGES" / "messages.po"


if __name__ == "__main__":
    for name in LOCALES:
        for missing in update(name) if name != "en" else (update(name), [])[1]:
            sys.stdout.write(f"{name}: no translation of {missing!r}\n")
