"""The page of comments: what there is to read, and what this reader may do with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.roles import CUSTOMER_ROLES
from app.kernel.work import Work
from app.onboarding.models import Comment
from app.onboarding.people import Holder, people_of
from app.onboarding.queries.gate import gate_lines
from app.onboarding.queries.heading import TOLD, head
from app.onboarding.queries.partner import top_of
from app.onboarding.queries.picture import Picture
from app.onboarding.talk.places import title_of
from app.onboarding.talk.queries import Found, find_comment, list_comments
from app.onboarding.talk.schemas import CommentQuery
from app.onboarding.talk.watching import WHOLE, watched_by

_WAITS = frozenset({"open", "blocked"})


def comments_page(work: Work, picture: Picture, asked: CommentQuery) -> dict[str, Any]:
    """A page of comments, and the form that adds one."""
    found = list_comments(work, picture.onboarding.id, asked)
    about = "" if asked.about is UNSET else str(asked.about)
    return _page(work, picture, found, about) | {"first": asked.cursor is not UNSET, "one": False}


def comment_page(work: Work, picture: Picture, comment_id: UUID) -> dict[str, Any]:
    """One comment at its own address. Raises CommentMissing."""
    comment = find_comment(work, picture.onboarding.id, comment_id)
    return _page(work, picture, Found([comment], None), comment.about or "") | {"first": False, "one": True}


def _page(work: Work, picture: Picture, found: Found, about: str) -> dict[str, Any]:
    customer = bool(work.rights & CUSTOMER_ROLES)
    may = can(work.rights, Permission.TASK_COMPLETE)
    places = watched_by(picture.onboarding, work.actor.id)
    shown = {
        "side": "customer" if customer else "partner",
        "talk": f"{picture.path}/comments",
        "back": picture.path,
        "about": about,
        "step": _title(picture, about) if about else "",
        "lines": [_line(work, picture, comment, may=may) for comment in found.rows],
        "older": found.next or "",
        "may": may,
        "people": [person.name for person in _people(picture)],
        "watching": f"{picture.path}/watching",
        "watched": bool({about, WHOLE} & places) if about else WHOLE in places,
        "apart": bool(about) and WHOLE in places,
        "remind": "" if customer or not may else _reminder(picture, about),
    }
    if customer:
        return shown | {"onboarding": head(picture, TOLD)}
    return top_of(work, picture, gate_lines(picture)) | shown | {"view": "comments"}


def _line(work: Work, picture: Picture, comment: Comment, *, may: bool) -> dict[str, Any]:
    own = may and comment.author_id == work.actor.id and comment.withdrawn_at is None
    return {
        "id": str(comment.id),
        "by": comment.author_name,
        "theirs": comment.side == "customer",
        "internal": comment.internal,
        "text": comment.text,
        "at": comment.written_at,
        "edited_at": comment.edited_at,
        "withdrawn_at": comment.withdrawn_at,
        "earlier": [one["text"] for one in reversed(comment.earlier)],
        "about": comment.about or "",
        "step": _title(picture, comment.about) if comment.about else "",
        "mentioned": any(one["open"] and one["id"] == str(work.actor.id) for one in comment.mentions),
        "action": f"{picture.path}/comments/{comment.id}" if own else "",
        "path": f"{picture.path}/comments/{comment.id}",
        "version": comment.version,
    }


def _title(picture: Picture, about: str | None) -> str:
    return picture.read(title_of(picture.definition, picture.state, about, picture.onboarding.name))


def _people(picture: Picture) -> list[Holder]:
    return [*people_of(picture.onboarding, "partner"), *people_of(picture.onboarding, "customer")]


def _reminder(picture: Picture, about: str) -> str:
    """Where the form of a reminder goes; "" where the step waits for nobody."""
    item = picture.definition.items.get(about)
    waits = item is not None and item.kind in {"task", "gate"} and picture.of(about).state in _WAITS
    return f"{picture.path}/items/{about}/reminders" if waits and not picture.state.hold else ""
