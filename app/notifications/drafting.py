"""From a stored letter to a draft: which words it is told in, and the facts in its reader's language."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from app.notifications.compose import AddressUnusable, Mailbox
from app.notifications.postroom import Draft
from app.notifications.queries import CHECKPOINT, StoredLetter
from app.web.frame import BrandView, HelpContact
from app.web.translations import negotiate

_BLANK_LINE: Final = re.compile(r"\n\s*\n")

# Several kinds of news share their words; what differs stands in the facts.
_MESSAGES = {
    "task_opened": "task_opened",
    "communication": "communication",
    "gate_opened": "gate_opened",
    "gate_returned": "attention",
    "sla_breached": "attention",
    "reminder": "reminder",
    "exception_opened": "attention",
    "exception_aged": "attention",
    "first_value_reached": "first_value",
    "invited": "invited",
    "access_requested": "access",
    "access_glass_broken": "access",
    "access_approved": "access",
    "access_declined": "access",
    "access_narrowed": "access",
    "access_ended": "access",
    "access_runs_out": "access",
    "review_wanted": "review_wanted",
    "review_listed": "reviewed",
    "review_declined": "reviewed",
    "listing_deprecated": "listing_ended",
    "listing_withdrawn": "listing_ended",
    "listing_taken_down": "listing_ended",
    "webhook_failing": "webhook",
    "webhook_disabled": "webhook",
    "connection_reconnect_needed": "connection",
    "connection_rotation_due": "connection",
    "mentioned": "mentioned",
    "reminded": "reminded",
    "watched": "watched",
    CHECKPOINT: "checkpoint",
}


def draft_of(letter: StoredLetter, brand: BrandView, *, link: str, now: datetime) -> Draft:
    """The mail before it has words; `link` is the way to what it is about."""
    language = negotiate(None, letter.locale).language
    due = letter.facts.get("due_at")
    due_at = datetime.fromisoformat(due) if due else None
    facts = {
        "link": link,
        "kind": letter.kind,
        "title": said(letter.facts["title"], language),
        "text": said(letter.facts.get("text") or {}, language),
        "onboarding": letter.facts.get("onboarding", ""),
        "by": letter.facts.get("by", ""),
        "due_at": due_at,
        "over": due_at is not None and due_at < now,
        "note": letter.facts.get("note", ""),
        "key": letter.facts.get("key", ""),
    }
    if letter.kind == "communication":
        facts |= _words_of(letter.facts, language)
        brand = _answered_by(brand, letter.facts.get("reply_to"))
    return Draft(letter.id, _MESSAGES[letter.kind], letter, brand, facts, now)


def _words_of(facts: dict[str, Any], language: str) -> dict[str, Any]:
    """Somebody's own words: a subject, and paragraphs of lines."""
    paragraphs = _BLANK_LINE.split(said(facts["text"], language).strip())
    return {
        "subject": said(facts["subject"], language),
        "paragraphs": [paragraph.split("\n") for paragraph in paragraphs],
        "meant_for": said(facts["meant_for"], language),
    }


def _answered_by(brand: BrandView, person: dict[str, str] | None) -> BrandView:
    """The brand with the person whom answers reach in place of its own contact; one without a usable address is none.

    So the Reply-To and the sentence that invites to reply name the same person.
    """
    if person is None:
        return brand
    try:
        Mailbox(person["email"]).header()
    except AddressUnusable:
        return brand
    return replace(brand, help=HelpContact(person["name"], person["email"]))


def said(text: dict[str, str], language: str) -> str:
    """A template's text in the reader's language, else in English, else in whichever there is."""
    return text.get(language) or text.get("en") or next(iter(text.values()), "")
