"""What a signed package makes, and how its plan reads in one language. Reads no database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.audit.note import NoteBroken, read_key
from app.flow.definition import Definition
from app.flow.fields import Text
from app.templates.document import Source
from app.templates.language import Template, address
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.overlays.checked import Checked
from app.templates.packing.reading import read_signed
from app.templates.preview import board_of, facts_of, forms_of, timeline_of

_DRAWN: Final = {"board": board_of, "timeline": timeline_of, "forms": forms_of, "needs": facts_of}
VIEWS: Final = tuple(_DRAWN)
_CHECKED: Final = Checked()  # what this process has drawn before
_RIGHT_TO_LEFT: Final = frozenset({"ar", "fa", "he", "ur"})


def effective_of(raw: bytes, key: str) -> Effective:
    """What a signed package makes. Raises PackageUnreadable, PackageAltered, TemplateRefused."""
    document, _key = read_signed(raw, trusted=read_key(key))
    template = Template(document["template"], document["addresses"]["template"], _source(document["template"]))
    overlays = [Overlay(each, address(each), _source(each)) for each in document.get("overlays", ())]
    return apply_overlays(template, overlays, checked=_CHECKED)


def plan(effective: Effective, view: str, language: str) -> dict[str, Any]:
    """One view of a plan, and in which language its texts are."""
    locales, default = list(effective.document["locales"]), str(effective.document["default_locale"])
    chosen = language if language in locales else default
    definition = effective.compile()
    known = view if view in _DRAWN else "board"

    def read(text: Text) -> str:
        return said(text, chosen, default)

    return {
        "view": known,
        "shown": _view(known, definition, read),
        "language": chosen,
        "direction": "rtl" if chosen.partition("-")[0] in _RIGHT_TO_LEFT else "ltr",
        "texts_in": locales,
        "facts": facts_of(definition, read),
    }


def _view(name: str, definition: Definition, read: Any) -> Any:
    return _DRAWN[name](definition, read)


def said(text: Mapping[str, str], language: str, default: str = "en") -> str:
    """A text of a template in the reader's language, else in the template's own."""
    return text.get(language) or text.get(default) or next(iter(text.values()), "")


def fingerprint(written: str) -> str:
    """A key as people read it to each other; empty for one that is damaged."""
    try:
        return read_key(written).fingerprint
    except NoteBroken:
        return ""


def _source(document: Any) -> Source:
    return Source("package", document, {}, {})
