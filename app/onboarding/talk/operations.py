"""Writing a comment, editing it, withdrawing it; and having read a mention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow.state import State
from app.kernel.errors import Conflict, Forbidden, Invalid, Missing
from app.kernel.events import Event
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.notifications.operations import Letter, queue_letter
from app.onboarding.models import Comment, Onboarding
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.operations.card import ask_for_card
from app.onboarding.people import Holder, acting, people_of
from app.onboarding.queries.stored import plan_of, state_of
from app.onboarding.talk.events import CommentEdited, CommentTakenBack, CommentWritten, NoteChanged
from app.onboarding.talk.mentions import find_mentions
from app.onboarding.talk.places import title_of, way_to
from app.onboarding.talk.queries import find_comment, list_open_mentions
from app.onboarding.talk.watching import News, follow, keep_news
from app.web.translations import mark

SYSTEM_ONLY = {"check_place": "part of an operation that has checked its own permission"}
LONGEST = 10_000  # characters


class CommentUnfit(Invalid):
    """A comment says something, and not a whole book."""


class PlaceUnknown(Missing):
    """There is nothing of that name in this onboarding to write about."""


class InternalForStaff(Forbidden):
    """Internal comments are the partner's staff's; what a customer writes is for both sides."""


class NotTheAuthor(Forbidden):
    """A comment is changed and withdrawn by who wrote it, by nobody else."""


class CommentOver(Conflict):
    """The comment was withdrawn."""


class CommentStale(Conflict):
    """The comment was changed since it was read."""

    status = 412


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be said: about the onboarding, or the item or exception `about`; `internal` None: as usual."""

    text: str
    about: str | None = None
    internal: bool | None = None


def write_comment(work: Work, *, onboarding_id: UUID, wish: Wish) -> Comment:
    """Say something. Staff speak among themselves unless they say otherwise; customers always to both sides.

    Raises NotPermitted, OnboardingMissing, CommentUnfit, PlaceUnknown, InternalForStaff, and what a mention raises.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    side, text = acting(work, onboarding).side, _fit(wish.text)
    if wish.internal and side == "customer":
        raise InternalForStaff(mark("What you write here is for both sides."))
    internal = side == "partner" if wish.internal is None else wish.internal
    check_place(work, onboarding, wish.about)
    named = find_mentions(text, _people(onboarding), internal=internal)
    comment = Comment(
        id=new_id(),
        onboarding_id=onboarding.id,
        about=wish.about,
        internal=internal,
        author_id=work.actor.id,
        author_name=work.actor.name,
        side=side,
        text=text,
        earlier=[],
        mentions=_mentions(named, work.actor.id),
        version=1,
        written_at=work.now,
    )
    work.session.add(comment)
    _settle(work, onboarding, wish.about)
    fact: dict[str, Any] = {"comment": str(comment.id), "text": text, "item": wish.about}
    fact |= {"mentions": [person.name for person in named]}
    _tell(work, onboarding, comment, None if internal else CommentWritten(**fact, **_about(onboarding)))
    _draw_in(work, onboarding, comment, named)
    return comment


def edit_comment(work: Work, *, onboarding_id: UUID, comment_id: UUID, text: str, seen: frozenset[str]) -> Comment:
    """Change one's own comment; what stood there is kept. Who is mentioned for the first time hears of it.

    `seen`: the versions (ETags) it was read at. Raises as `write_comment`, and CommentMissing, NotTheAuthor,
    CommentOver, CommentStale.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    comment, now = _own(work, onboarding, comment_id, seen), _fit(text)
    if now == comment.text:
        return comment
    named = find_mentions(now, _people(onboarding), internal=comment.internal)
    known, was = {str(one["id"]) for one in comment.mentions}, comment.text
    fresh = [person for person in named if str(person.id) not in known]
    comment.earlier = [*comment.earlier, {"at": work.now.isoformat(), "text": was}]
    comment.mentions = [*comment.mentions, *_mentions(fresh, work.actor.id)]
    comment.text, comment.edited_at, comment.version = now, work.now, comment.version + 1
    fact: dict[str, Any] = {"comment": str(comment.id), "was": was, "text": now, "item": comment.about}
    fact |= {"mentions": [person.name for person in fresh]}
    _tell(work, onboarding, comment, None if comment.internal else CommentEdited(**fact, **_about(onboarding)))
    _draw_in(work, onboarding, comment, fresh)
    return comment


def withdraw_comment(work: Work, *, onboarding_id: UUID, comment_id: UUID, seen: frozenset[str]) -> Comment:
    """Take one's own comment back: "withdrawn" is left of it. What both sides have read stays in the trail.

    Raises NotPermitted, OnboardingMissing, CommentMissing, NotTheAuthor, CommentOver, CommentStale.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    comment = _own(work, onboarding, comment_id, seen)
    fact: dict[str, Any] = {"comment": str(comment.id), "was": comment.text, "item": comment.about}
    comment.text, comment.earlier, comment.mentions = "", [], []
    comment.withdrawn_at, comment.version = work.now, comment.version + 1
    _tell(work, onboarding, comment, None if comment.internal else CommentTakenBack(**fact, **_about(onboarding)))
    return comment


def settle_mention(work: Work, *, onboarding_id: UUID, comment_id: UUID) -> Comment:
    """Say that one has read where one was mentioned; it leaves the list. Repeatable.

    Raises NotPermitted, OnboardingMissing, CommentMissing.
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    comment = find_comment(work, onboarding_id, comment_id)
    if _close(comment, work.actor.id):
        ask_for_card(work, onboarding.id, cause=f"{comment.id}:{work.actor.id}")
    return comment


def _fit(text: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        message = mark("Write something first.")
        raise CommentUnfit(message, errors=[("/text", message)])
    if len(text) > LONGEST:
        message = mark("This is too long.")
        raise CommentUnfit(message, errors=[("/text", message)])
    return text


def check_place(work: Work, onboarding: Onboarding, about: str | None) -> None:
    """That there is such a thing in the onboarding. Raises PlaceUnknown."""
    definition = plan_of(work, onboarding)
    state: State = state_of(onboarding)
    if about is not None and about not in definition.items and about not in state.exceptions:
        raise PlaceUnknown(mark("There is no such step in this onboarding."))


def _own(work: Work, onboarding: Onboarding, comment_id: UUID, seen: frozenset[str]) -> Comment:
    comment = find_comment(work, onboarding.id, comment_id)
    if comment.author_id != work.actor.id:
        raise NotTheAuthor(mark("Only who wrote a comment changes or withdraws it."))
    if comment.withdrawn_at is not None:
        raise CommentOver(mark("This comment was withdrawn."))
    if not seen & {"*", f'"{comment.version}"'}:
        raise CommentStale(mark("This comment was changed since you read it; look at it again."))
    return comment


def _people(onboarding: Onboarding) -> list[Holder]:
    return [*people_of(onboarding, "partner"), *people_of(onboarding, "customer")]


def _mentions(people: list[Holder], author: UUID) -> list[dict[str, Any]]:
    return [{"id": str(each.id), "name": each.name, "open": each.id != author} for each in people]


def _about(onboarding: Onboarding) -> dict[str, Any]:
    return {"subject_id": onboarding.id, "onboarding_id": onboarding.id}


def _tell(work: Work, onboarding: Onboarding, comment: Comment, event: Event | None) -> None:
    """Into the trail; to whoever looks at the page and to who watches. Of an internal one the trail says only that."""
    if event is not None:
        news = News(work.announce(event, lane_seq=onboarding.seq), comment.about)
    else:
        change = "withdrawn" if comment.withdrawn_at else "edited" if comment.edited_at else "written"
        note = NoteChanged(comment=str(comment.id), change=change, **_about(onboarding))
        news = News(work.record(note), comment.about, staff=True)
    if comment.withdrawn_at is None:
        keep_news(work, onboarding, [news])
    ask_for_card(work, onboarding.id, cause=f"{comment.id}:{comment.version}")


def _draw_in(work: Work, onboarding: Onboarding, comment: Comment, named: list[Holder]) -> None:
    """Who writes and who is mentioned watches from now on; who is mentioned gets a letter, without the text."""
    definition, state = plan_of(work, onboarding), state_of(onboarding)
    follow(onboarding, comment.author_id, comment.about)
    for person in named:
        follow(onboarding, person.id, comment.about)
        if person.id == comment.author_id:
            continue
        facts = {"title": title_of(definition, state, comment.about, onboarding.name), "by": comment.author_name}
        facts |= {"onboarding": onboarding.name, "page": way_to(comment)}
        queue_letter(work, Letter("mentioned", person, facts, onboarding.id))


def _settle(work: Work, onboarding: Onboarding, about: str | None) -> None:
    """Who answers at a place has read where they were mentioned there."""
    for comment in list_open_mentions(work, onboarding.id):
        if comment.about == about:
            _close(comment, work.actor.id)


def _close(comment: Comment, person: UUID) -> bool:
    """Mark the mention of that person as read. Raises CommentMissing where there is none of them."""
    mine = [one for one in comment.mentions if one["id"] == str(person) and one["open"]]
    if mine:
        comment.mentions = [one | {"open": one["open"] and one not in mine} for one in comment.mentions]
    return bool(mine)
