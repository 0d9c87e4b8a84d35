"""How listings and submissions are drawn: in the reader's language. Reads no database."""

from __future__ import annotations

from typing import Any, Final

from app.marketplace.queries.market import Card
from app.marketplace.queries.offers import Submission
from app.marketplace.queries.plans import fingerprint, said

_FACTS: Final = ("audience", "lifecycle", "days", "counts", "systems", "people", "adapted", "picture")


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
