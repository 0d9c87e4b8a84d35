"""The JSON doors of comments, of watching and of reminders.

What is kept of a command under its key names the comment only: its text is read again for the answer, by who may.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post, put
from litestar.params import FromPath, RawBody

from app.kernel.work import Work
from app.onboarding.models import Comment
from app.onboarding.queries.stored import find_onboarding
from app.onboarding.talk.api import described
from app.onboarding.talk.following import watch
from app.onboarding.talk.operations import Wish, edit_comment, settle_mention, withdraw_comment, write_comment
from app.onboarding.talk.queries import find_comment, list_comments, read_watching, show
from app.onboarding.talk.reminding import remind
from app.onboarding.talk.schemas import (
    CommentEdit,
    CommentPage,
    CommentQuery,
    CommentWish,
    MentionOut,
    ReminderOut,
    ReminderWish,
    WatchOut,
    WatchWish,
)
from app.onboarding.talk.watching import WHOLE
from app.web.begin import begin_work, run_once
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_key, read_match, read_query

PageRequest = Request[Any, Any, Any]
ONBOARDING = "/api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}"


class CommentDoors(Controller):
    """What is said about an onboarding."""

    path = f"{ONBOARDING}/comments"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get("/", operation_id="comments.list", operation_class=account(described.COMMENTS), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """List the comments that you may see, the newest first."""
        asked = read_query(request, CommentQuery)
        with begin_work(request, tenant_id) as work:
            found = list_comments(work, find_onboarding(work.session, onboarding_id).id, asked)
            page = CommentPage([show(row) for row in found.rows], found.next)
        return answer_read(request, write(page), link_next(request, page.next))

    @get(
        "/{comment_id:uuid}",
        operation_id="comments.read",
        operation_class=account(described.COMMENT),
        sync_to_thread=True,
    )
    def read(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], comment_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Read one comment. The ETag is its version: what a change of it says in `If-Match`."""
        return _answer(request, tenant_id, onboarding_id, comment_id)

    @post("/", operation_id="comments.write", operation_class=account(described.WRITE), sync_to_thread=True)
    def write(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Say something about the onboarding, or about one of its steps or exceptions; `@name` tells that person."""
        sent = read_body(request, body, CommentWish, lines="text")
        wish = Wish(text=sent.text, about=sent.about, internal=sent.internal)
        return _once(request, tenant_id, onboarding_id, sent, lambda work: write_comment(
            work, onboarding_id=onboarding_id, wish=wish), status=201)  # fmt: skip

    @put(
        "/{comment_id:uuid}",
        operation_id="comments.edit",
        operation_class=account(described.EDIT),
        sync_to_thread=True,
    )
    def edit(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        comment_id: FromPath[UUID],
        body: RawBody,
    ) -> Response[bytes]:
        """Change what you wrote; what stood there before is kept."""
        sent, seen = read_body(request, body, CommentEdit, lines="text"), read_match(request)
        which: dict[str, Any] = {"onboarding_id": onboarding_id, "comment_id": comment_id, "seen": seen}
        return _once(request, tenant_id, onboarding_id, sent, lambda work: edit_comment(work, text=sent.text, **which))

    @post(
        "/{comment_id:uuid}/withdrawal",
        operation_id="comments.withdraw",
        operation_class=account(described.WITHDRAW),
        status_code=200,
        sync_to_thread=True,
    )
    def withdraw(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], comment_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Take back what you wrote: "withdrawn" is left of it."""
        which: dict[str, Any] = {"onboarding_id": onboarding_id, "comment_id": comment_id}
        which |= {"seen": read_match(request)}
        return _once(request, tenant_id, onboarding_id, None, lambda work: withdraw_comment(work, **which))

    @post(
        "/{comment_id:uuid}/seen",
        operation_id="comments.settle",
        operation_class=account(described.SETTLE),
        status_code=200,
        sync_to_thread=True,
    )
    def settle(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], comment_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Say that you have read where you are mentioned; it leaves your list."""
        which: dict[str, Any] = {"onboarding_id": onboarding_id, "comment_id": comment_id}
        return _once(request, tenant_id, onboarding_id, None, lambda work: settle_mention(work, **which))


class WatchDoors(Controller):
    """What one watches of an onboarding."""

    path = f"{ONBOARDING}/watching"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get("/", operation_id="watching.read", operation_class=account(described.WATCHING), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """Read what you watch here."""
        with begin_work(request, tenant_id) as work:
            shown = _watched(read_watching(work, onboarding_id))
        return answer_read(request, write(shown))

    @put("/", operation_id="watching.change", operation_class=account(described.WATCH), sync_to_thread=True)
    def change(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Watch it: what others do there is told to you, many things in one letter; or watch it no longer."""
        sent = read_body(request, body, WatchWish)

        def perform(work: Work) -> dict[str, object]:
            wish: dict[str, Any] = {"about": sent.about, "watching": sent.watching}
            return {"watched": sorted(watch(work, onboarding_id=onboarding_id, **wish))}

        sentence = msgspec.to_builtins(sent)
        done, again = run_once(request, tenant_id, key=read_key(request), body=sentence, operation=perform)
        watched: Any = done["watched"]
        return answer_done(write(_watched(frozenset(watched))), status=200, replayed=again)


class ReminderDoors(Controller):
    """Reminding whoever has a step to do."""

    path = f"{ONBOARDING}/items"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @post(
        "/{key:str}/reminders",
        operation_id="items.remind",
        operation_class=account(described.REMIND),
        status_code=200,
        sync_to_thread=True,
    )
    def remind(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        body: RawBody,
    ) -> Response[bytes]:
        """Send the owners of an open step a mail now, at most once a day."""
        sent = read_body(request, body, ReminderWish)

        def perform(work: Work) -> dict[str, object]:
            people = remind(work, onboarding_id=onboarding_id, item=key, note=sent.note)
            return {"people": [{"id": str(each.id), "name": each.name} for each in people]}

        sentence = msgspec.to_builtins(sent)
        done, again = run_once(request, tenant_id, key=read_key(request), body=sentence, operation=perform)
        people = msgspec.convert(done["people"], list[MentionOut])
        return answer_done(write(ReminderOut(key, people, "sent")), status=200, replayed=again)


def _once(  # the parts of one command, in the order in which they are known
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    sent: Any,
    perform: Callable[[Work], Comment],
    *,
    status: int = 200,
) -> Response[bytes]:
    """Do it once for its key; what is kept under the key is which comment it was."""
    key = read_key(request)
    body = [msgspec.to_builtins(sent), request.headers.get("if-match", "")]

    def operation(work: Work) -> dict[str, object]:
        return {"id": str(perform(work).id)}

    done, again = run_once(request, tenant_id, key=key, body=body, operation=operation)
    return _answer(request, tenant_id, onboarding_id, UUID(str(done["id"])), status=status, replayed=again)


def _answer(
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    comment_id: UUID,
    *,
    status: int = 200,
    replayed: bool = False,
) -> Response[bytes]:
    with begin_work(request, tenant_id) as work:
        shown = show(find_comment(work, onboarding_id, comment_id))
    headers = {"etag": f'"{shown.version}"'}
    if status != 200:  # noqa: PLR2004 - it is new, and has an address
        headers["location"] = f"{request.url.path.rstrip('/')}/{shown.id}"
    return answer_done(write(shown), status=status, headers=headers, replayed=replayed)


def _watched(places: frozenset[str]) -> WatchOut:
    return WatchOut(whole=WHOLE in places, about=sorted(places - {WHOLE}))
