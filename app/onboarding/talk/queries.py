"""Comments that their reader may see, a page at a time; and the mentions that nobody has read yet.

Internal comments are for the partner's staff alone: whoever has a customer's role here sees none, whatever else they
hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import Select, func, select

from app.access.permissions import Permission
from app.access.require import require
from app.access.roles import CUSTOMER_ROLES
from app.flow.definition import Definition
from app.kernel.errors import Missing
from app.kernel.paging import CursorKey, Listing, Position, make_cursor, read_cursor
from app.kernel.work import Work
from app.onboarding.models import Comment, Onboarding
from app.onboarding.queries.stored import find_onboarding, plan_of, state_of
from app.onboarding.talk.places import title_of
from app.onboarding.talk.schemas import AuthorOut, CommentOut, CommentQuery, EarlierOut, MentionOut
from app.onboarding.talk.watching import watched_by
from app.web.translations import mark


class CommentMissing(Missing):
    """There is no such comment in this onboarding, or it is not for the reader."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of comments, the newest first, and the cursor behind it."""

    rows: list[Comment]
    next: str | None


def list_comments(work: Work, onboarding_id: UUID, asked: CommentQuery) -> Found:
    """One page of what the reader may see. Raises NotPermitted, CursorForeign, CursorExpired."""
    require(work, Permission.ONBOARDING_READ)
    key, about = work.service(CursorKey).value, None if asked.about is UNSET else str(asked.about)
    place = (("onboarding", str(onboarding_id)), ("about", about or ""), ("reader", str(work.actor.id)))
    listing = Listing("comments", work.tenant.id, place)
    query = _visible(work).where(Comment.onboarding_id == onboarding_id)
    if about is not None:
        query = query.where(Comment.about == about)
    if asked.cursor is not UNSET:
        query = query.where(Comment.id < read_cursor(key, listing, str(asked.cursor), now=work.database_now).id)
    rows = list(work.session.scalars(query.order_by(Comment.id.desc()).limit(asked.limit + 1)))
    more = rows[asked.limit - 1] if len(rows) > asked.limit else None
    cursor = make_cursor(key, listing, Position((), more.id), now=work.database_now) if more else None
    return Found(rows[: asked.limit], cursor)


def find_comment(work: Work, onboarding_id: UUID, comment_id: UUID) -> Comment:
    """One comment that the reader may see. Raises NotPermitted, CommentMissing."""
    require(work, Permission.ONBOARDING_READ)
    query = _visible(work).where(Comment.onboarding_id == onboarding_id, Comment.id == comment_id)
    comment = work.session.scalars(query).one_or_none()
    if comment is None:
        raise CommentMissing(mark("This comment is not here."))
    return comment


def count_comments(work: Work, onboarding_id: UUID) -> dict[str, int]:
    """How many comments the reader may see, by what they are about; those about the onboarding itself under ""."""
    visible = _visible(work).where(Comment.onboarding_id == onboarding_id, Comment.withdrawn_at.is_(None)).subquery()
    query = select(func.coalesce(visible.c.about, ""), func.count()).group_by(visible.c.about)
    return {row[0]: row[1] for row in work.session.execute(query)}


def list_open_mentions(work: Work, onboarding_id: UUID) -> Sequence[Comment]:
    """Comments in which somebody is mentioned who has not read it yet."""
    waiting = Comment.mentions.contains([{"open": True}])
    return work.session.scalars(select(Comment).where(Comment.onboarding_id == onboarding_id, waiting)).all()


def mention_lines(work: Work, onboarding: Onboarding, definition: Definition) -> list[dict[str, Any]]:
    """A line of the work queues for each person and comment, as `waiting_of` makes them for steps."""
    about: dict[str, Any] = {"tenant_id": work.tenant.id, "onboarding_id": onboarding.id, "name": onboarding.name}
    about |= {"organisation_id": work.tenant.organisation_id, "seq": onboarding.seq, "kind": "mention"}
    about |= {"queue": "mentions", "state": "open", "role": "", "role_title": {}, "candidates": [], "unowned": False}
    about |= {"assignee": None, "due_at": None, "watchers": []}
    state, lines = state_of(onboarding), list[dict[str, Any]]()
    for comment in list_open_mentions(work, onboarding.id):
        line = about | {"title": title_of(definition, state, comment.about, onboarding.name), "side": comment.side}
        line |= {"since": comment.edited_at or comment.written_at, "reason": comment.author_name}
        for one in (each for each in comment.mentions if each["open"]):
            people = [{"id": one["id"], "name": one["name"]}]
            lines.append(line | {"key": f"mention:{comment.id}:{one['id']}", "people": people})
    return lines


def list_mentions(work: Work) -> list[dict[str, Any]]:
    """Those lines of every onboarding of this tenant, of finished ones too."""
    waiting = select(Comment.onboarding_id).where(Comment.mentions.contains([{"open": True}]))
    found = work.session.scalars(select(Onboarding).where(Onboarding.id.in_(waiting)).order_by(Onboarding.id))
    return [line for each in found for line in mention_lines(work, each, plan_of(work, each))]


def show(comment: Comment) -> CommentOut:
    """As software gets it."""
    gone = comment.withdrawn_at is not None
    return CommentOut(
        id=comment.id,
        about=comment.about,
        internal=comment.internal,
        author=AuthorOut(comment.author_id, comment.author_name, comment.side),
        text=None if gone else comment.text,
        mentions=[MentionOut(UUID(one["id"]), one["name"]) for one in comment.mentions],
        earlier=[EarlierOut(datetime.fromisoformat(one["at"]), one["text"]) for one in comment.earlier],
        version=comment.version,
        written_at=comment.written_at,
        edited_at=comment.edited_at,
        withdrawn_at=comment.withdrawn_at,
    )


def _visible(work: Work) -> Select[Comment]:
    query = select(Comment)
    return query.where(Comment.internal.is_(False)) if work.rights & CUSTOMER_ROLES else query


def read_watching(work: Work, onboarding_id: UUID) -> frozenset[str]:
    """What the reader watches here. Raises NotPermitted, OnboardingMissing."""
    require(work, Permission.ONBOARDING_READ)
    return watched_by(find_onboarding(work.session, onboarding_id), work.actor.id)
