"""The HTML doors of comments, of watching and of reminding: one page for both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.kernel.errors import Conflict, Invalid, SlipwayError
from app.kernel.work import Work
from app.onboarding.pages.doors import names, saying, see
from app.onboarding.sending import in_words
from app.onboarding.talk.following import watch
from app.onboarding.talk.mentions import MentionUnclear, MentionUnseen
from app.onboarding.talk.operations import Wish, edit_comment, settle_mention, withdraw_comment, write_comment
from app.onboarding.talk.reminding import remind
from app.onboarding.talk.schemas import CommentQuery
from app.onboarding.talk.showing import comment_page, comments_page
from app.web.begin import begin_work, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect

PageRequest = Request[Any, Any, Any]
Operation = Callable[[Work], object]
_HERE = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}"


class CommentPages(Controller):
    """What is said about an onboarding; each form is one command, counted once by its key."""

    path = _HERE
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/comments", sync_to_thread=True)
    def show(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        about: FromQuery[str] = "",
        after: FromQuery[str] = "",
    ) -> Response[str]:
        """Comments on the onboarding, or on one thing in it, the newest first."""
        return _drawn(request, tenant_id, onboarding_id, about=about, after=after)

    @get("/comments/{comment_id:uuid}", sync_to_thread=True)
    def one(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], comment_id: FromPath[UUID]
    ) -> Response[str]:
        """One comment, where a letter or a mention leads to."""
        with begin_work(request, tenant_id) as work:
            context = comment_page(work, see(request, work, onboarding_id), comment_id)
            context |= _own(request, work)
        return _answer(request, context)

    @post("/comments", sync_to_thread=True)
    def write(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Say something."""
        about, to = form.first("about"), form.first("to")
        wish = Wish(text=form.first("text"), about=about or None, internal={"staff": True, "both": False}.get(to))
        try:
            _run(request, tenant_id, form, lambda work: write_comment(work, onboarding_id=onboarding_id, wish=wish))
        except (Conflict, Invalid) as error:
            return _drawn(request, tenant_id, onboarding_id, about=about, typed=form.typed, error=error)
        return redirect(request, _list(tenant_id, onboarding_id, about))

    @post("/comments/{comment_id:uuid}", sync_to_thread=True)
    def edit(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        comment_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Change what one wrote; what is refused is given back where it was typed."""
        which: dict[str, Any] = {"onboarding_id": onboarding_id, "comment_id": comment_id, "seen": _seen(form)}
        try:
            _run(request, tenant_id, form, lambda work: edit_comment(work, text=form.first("text"), **which))
        except (Conflict, Invalid) as error:
            typed = {"id": str(comment_id), "text": form.first("text")}
            return _drawn(request, tenant_id, onboarding_id, about=form.first("about"), edited=typed, error=error)
        return redirect(request, _list(tenant_id, onboarding_id, form.first("about"), comment_id))

    @post("/comments/{comment_id:uuid}/withdrawal", sync_to_thread=True)
    def withdraw(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        comment_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Take back what one wrote."""
        which: dict[str, Any] = {"onboarding_id": onboarding_id, "comment_id": comment_id, "seen": _seen(form)}
        _run(request, tenant_id, form, lambda work: withdraw_comment(work, **which))
        return redirect(request, _list(tenant_id, onboarding_id, form.first("about"), comment_id))

    @post("/comments/{comment_id:uuid}/seen", sync_to_thread=True)
    def settle(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        comment_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Say that one has read where one is mentioned."""
        which: dict[str, Any] = {"onboarding_id": onboarding_id, "comment_id": comment_id}
        _run(request, tenant_id, form, lambda work: settle_mention(work, **which))
        back = f"/t/{tenant_id}/onboardings/{onboarding_id}/comments/{comment_id}"
        lists = {"/work": "/work", f"/t/{tenant_id}/work": f"/t/{tenant_id}/work"}
        where = lists.get(form.first("back"))
        return redirect(request, f"{where}?view=mentions" if where else back)

    @post("/watching", sync_to_thread=True)
    def watch(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Watch it, or no longer."""
        about, watching = form.first("about"), form.first("watching") == "yes"
        wish: dict[str, Any] = {"about": about or None, "watching": watching}
        _run(request, tenant_id, form, lambda work: watch(work, onboarding_id=onboarding_id, **wish))
        return redirect(request, _list(tenant_id, onboarding_id, about))

    @post("/items/{key:str}/reminders", sync_to_thread=True)
    def remind(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        key: FromPath[str],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Remind whoever has the step to do."""
        note = form.first("note")
        try:
            _run(request, tenant_id, form, lambda work: remind(work, onboarding_id=onboarding_id, item=key, note=note))
        except (Conflict, Invalid) as error:
            return _drawn(request, tenant_id, onboarding_id, about=key, typed=form.typed, error=error)
        return redirect(request, _list(tenant_id, onboarding_id, key))


def _run(request: PageRequest, tenant_id: UUID, form: Form, perform: Operation) -> None:
    def operation(work: Work) -> dict[str, object]:
        perform(work)
        return {}

    run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)


def _drawn(  # what is asked for, and what is given back where something was refused
    request: PageRequest,
    tenant_id: UUID,
    onboarding_id: UUID,
    *,
    about: str,
    after: str = "",
    typed: dict[str, Any] | None = None,
    edited: dict[str, str] | None = None,
    error: SlipwayError | None = None,
) -> Response[str]:
    asked = {name: value for name, value in (("about", about[:200]), ("cursor", after)) if value}
    with begin_work(request, tenant_id) as work:
        seen = see(request, work, onboarding_id)
        context = comments_page(work, seen, msgspec.convert(asked, CommentQuery)) | _own(request, work)
    if error is None:
        return _answer(request, context)
    place = "note" if typed and "note" in typed else f"edit-{edited['id']}-text" if edited else "text"
    errors = [(place, _said(error, saying(request)))]
    return _answer(request, context | {"typed": typed or {}, "edited": edited or {}, "errors": errors}, error.status)


def _own(request: PageRequest, work: Work) -> dict[str, Any]:
    """What only the door knows."""
    fresh: dict[str, Any] = {"names": names(request, work), "typed": {}, "edited": {}, "errors": []}
    return fresh | {"command_key": new_command_key()}


def _answer(request: PageRequest, context: dict[str, Any], status: int = 200) -> Response[str]:
    customer = context["side"] == "customer"
    name = f"onboarding/talk/{context['side']}.html"
    return page(request, name, context, status=status, nav=() if customer else tuple(staff_nav(request)))


def _said(error: SlipwayError, say: Callable[[str], str]) -> str:
    """What was refused, in the reader's language."""
    if isinstance(error, MentionUnclear | MentionUnseen):
        return say(error.sentence) % {"names": error.names}
    own = say(error.message)
    return own if own != error.message else in_words(error.message, say)


def _list(tenant_id: UUID, onboarding_id: UUID, about: str, comment_id: UUID | None = None) -> str:
    where = f"/t/{tenant_id}/onboardings/{onboarding_id}/comments"
    query = f"?{urlencode({'about': about})}" if about else ""
    return f"{where}{query}" + (f"#comment-{comment_id}" if comment_id else "")


def _seen(form: Form) -> frozenset[str]:
    return frozenset({f'"{form.first("version")}"'})
