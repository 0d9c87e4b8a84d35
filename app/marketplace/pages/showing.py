"""How a listing and its plan are drawn: in the reader's language, by the reader's own brand. Reads no database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from app.audit.note import NoteBroken, read_key
from app.flow.definition import Definition
from app.flow.fields import Text
from app.marketplace.queries.market import Card
from app.marketplace.queries.offers import Submission
from app.templates.document import Source
from app.templates.language import Template, address
from app.templates.overlay import Effective, Overlay, apply_overlays
from app.templates.overlays.checked import Checked
from app.templates.packing.reading import read_signed
from app.templates.preview import board_of, facts_of, forms_of, timeline_of

_DRAWN: Final = {"board": board_of, "timeline": timeline_of, "forms": forms_of, "needs": facts_of}
VIEWS: Final = tuple(_DRAWN)
_FACTS: Final = ("audience", "lifecycle", "days", "counts", "systems", "people", "adapted", "picture")
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


def card_of(card: Card, language: str) -> dict[str, Any]:
    """What a card shows of a version."""
    facts = card.facts
    default = str(facts.get("default_locale", "en"))
    return {
        "listing_id": str(card.listing_id),
        "version_id": str(card.version_id),
        "template_id": card.template_id,
        "title": said(facts.get("title", {}), language, default) or card.template_id,
        "description": said(facts.get("description", {}), language, default),
        "publisher": card.publisher,
        "version": card.version,
        "visibility": card.visibility,
        "state": card.state,
        "changelog": card.changelog,
        "languages": list(facts["locales"]),
        **{name: facts[name] for name in _FACTS},
        "installs": card.installs,
        "installed": card.installed,
        "stars": card.stars,
        "ratings": card.ratings,
        "reviewed": card.reviewed,
        "offered": card.offered,
        "submitted_at": card.submitted_at,
        "fingerprint": fingerprint(card.key),
        "notice": dict(card.notice) if card.notice else None,
    }


def submission_of(one: Submission, language: str) -> dict[str, Any]:
    """What a publisher and a reviewer see of a submission."""
    facts = one.facts
    return {
        "id": str(one.id),
        "listing_id": str(one.listing_id),
        "template_id": one.template_id,
        "title": said(facts.get("title", {}), language, str(facts.get("default_locale", "en"))) or one.template_id,
        "version": one.version,
        "publisher": one.publisher,
        "visibility": one.visibility,
        "state": one.state,
        "changelog": one.changelog,
        "checks": one.checks["results"],
        "submitted_at": one.submitted_at,
        "submitted_by": one.submitted_by["name"],
        "decision": dict(one.decision) if one.decision else None,
        "notice": dict(one.notice) if one.notice else None,
        "installs": one.installs,
    }


def fingerprint(written: str) -> str:
    """A key as people read it to each other; empty for one that is damaged."""
    try:
        return read_key(written).fingerprint
    except NoteBroken:
        return ""


def _source(document: Any) -> Source:
    return Source("package", document, {}, {})
