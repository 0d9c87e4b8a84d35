"""What the OpenAPI document says of comments, watching and reminders: answers, examples, every trouble by its name."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.flow.decide import UnknownItem
from app.kernel.commands import CommandKeyReused
from app.kernel.paging import CursorExpired, CursorForeign
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.talk.mentions import MentionUnclear, MentionUnseen
from app.onboarding.talk.operations import (
    CommentOver,
    CommentStale,
    CommentUnfit,
    InternalForStaff,
    NotTheAuthor,
    PlaceUnknown,
)
from app.onboarding.talk.queries import CommentMissing
from app.onboarding.talk.reminding import NothingToRemind, RemindedAlready, StaffRemind
from app.onboarding.talk.schemas import (
    CommentEdit,
    CommentOut,
    CommentPage,
    CommentQuery,
    CommentWish,
    ReminderOut,
    ReminderWish,
    WatchOut,
    WatchWish,
)
from app.web.begin import NothingHere, NotSignedIn
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
)

_MARIA = {"id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d00", "name": "Maria Lopez"}
_COMMENT: dict[str, Any] = {
    "id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c",
    "about": "task.confirm_goals",
    "internal": False,
    "author": {"id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d01", "name": "Dana Weber", "side": "partner"},
    "text": "@Maria Lopez, is the second goal still wanted?",
    "mentions": [_MARIA],
    "earlier": [],
    "version": 1,
    "written_at": "2026-11-21T09:00:00Z",
    "edited_at": None,
    "withdrawn_at": None,
}
_EDITED = _COMMENT | {
    "text": "@Maria Lopez, are both goals still wanted?",
    "earlier": [{"until": "2026-11-21T09:05:00Z", "text": _COMMENT["text"]}],
    "version": 2,
    "edited_at": "2026-11-21T09:05:00Z",
}
_GONE = _COMMENT | {"text": None, "mentions": [], "version": 2, "withdrawn_at": "2026-11-21T09:05:00Z"}
_WATCHED = {"whole": False, "about": ["task.confirm_goals"]}

_HERE = (NotSignedIn, NotPermitted, NothingHere, TenantNotActive, TenantUpgrading, OnboardingMissing)
_SENT = (*_HERE, NotFromHere, IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_BODY = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_OWN = (PreconditionMissing, PreconditionUnfit, CommentMissing, NotTheAuthor, CommentOver, CommentStale)
_SAID = (CommentUnfit, MentionUnclear, MentionUnseen)
_READ = (Permission.ONBOARDING_READ,)
_WRITE = (Permission.ONBOARDING_READ, Permission.TASK_COMPLETE)
_ANSWERED = ("ETag", "Idempotency-Replayed")
_ONCE, _FROM = ("Idempotency-Key",), ("Idempotency-Key", "If-Match")


def _comment(means: str, example: dict[str, Any], *more: str) -> Told:
    return Told(means, CommentOut, headers=(*_ANSWERED, *more), example=example)


COMMENTS = Described(
    {
        200: Told(
            "A page of comments.",
            CommentPage,
            headers=("ETag", "Link"),
            example={"items": [_COMMENT], "next": None},
        )
    },
    query=CommentQuery,
    problems=(*_HERE, QueryUnfit, CursorForeign, CursorExpired),
    scopes=_READ,
)
COMMENT = Described(
    {200: Told("The comment.", CommentOut, headers=("ETag",), example=_COMMENT)},
    problems=(*_HERE, CommentMissing),
    scopes=_READ,
)
WRITE = Described(
    {201: _comment("The comment.", _COMMENT, "Location")},
    takes=CommentWish,
    example={"text": _COMMENT["text"], "about": "task.confirm_goals", "internal": False},
    headers=_ONCE,
    problems=(*_SENT, *_BODY, *_SAID, PlaceUnknown, InternalForStaff),
    scopes=_WRITE,
)
EDIT = Described(
    {200: _comment("The comment as it is now.", _EDITED)},
    takes=CommentEdit,
    example={"text": _EDITED["text"]},
    headers=_FROM,
    problems=(*_SENT, *_BODY, *_SAID, *_OWN),
    scopes=_WRITE,
)
WITHDRAW = Described(
    {200: _comment("What is left of it.", _GONE)}, headers=_FROM, problems=(*_SENT, *_OWN), scopes=_WRITE
)
SETTLE = Described(
    {200: _comment("The comment.", _COMMENT)}, headers=_ONCE, problems=(*_SENT, CommentMissing), scopes=_WRITE
)
WATCHING = Described(
    {200: Told("What you watch here.", WatchOut, headers=("ETag",), example=_WATCHED)}, problems=_HERE, scopes=_READ
)
WATCH = Described(
    {200: Told("What you watch here now.", WatchOut, headers=("Idempotency-Replayed",), example=_WATCHED)},
    takes=WatchWish,
    example={"watching": True, "about": "task.confirm_goals"},
    headers=_ONCE,
    problems=(*_SENT, *_BODY, PlaceUnknown),
    scopes=_WRITE,
)
REMIND = Described(
    {
        200: Told(
            "Who was reminded.",
            ReminderOut,
            headers=("Idempotency-Replayed",),
            example={"item": "task.confirm_goals", "people": [_MARIA], "outcome": "sent"},
        )
    },
    takes=ReminderWish,
    example={"note": "We would like to start on Monday."},
    headers=_ONCE,
    problems=(*_SENT, *_BODY, UnknownItem, StaffRemind, NothingToRemind, RemindedAlready),
    scopes=_WRITE,
)
