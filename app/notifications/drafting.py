"""From a stored letter to a draft: which words it is told in, and the facts in its reader's language."""

from __future__ import annotations

from datetime import datetime

from app.notifications.postroom import Draft
from app.notifications.queries import CHECKPOINT, StoredLetter
from app.web.frame import BrandView
from app.web.translations import negotiate

# Several kinds of news share their words; what differs stands in the facts.
_MESSAGES = {
    "task_opened": "task_opened",
    "gate_opened": "gate_opened",
    "gate_returned": "attention",
    "sla_breached": "attention",
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
    CHECKPOINT: "checkpoint",
}


def draft_of(letter: StoredLetter, brand: BrandView, *, link: str, now: datetime) -> Draft:
    """The mail before it has words; `link` is the way to what it is about."""
    language = negotiate(None, letter.locale).language
    due = letter.facts.get("due_at")
    facts = {
        "link": link,
        "kind": letter.kind,
        "title": said(letter.facts["title"], language),
        "text": said(letter.facts.get("text") or {}, language),
        "onboarding": letter.facts.get("onboarding", ""),
        "by": letter.facts.get("by", ""),
        "due_at": datetime.fromisoformat(due) if due else None,
        "note": letter.facts.get("note", ""),
        "key": letter.facts.get("key", ""),
    }
    return Draft(letter.id, _MESSAGES[letter.kind], letter, brand, facts, now)


def said(text: dict[str, str], language: str) -> str:
    """A template's text in the reader's language, else in English, else in whichever there is."""
    return text.get(language) or text.get("en") or next(iter(text.values()), "")
