"""The doors of one draft: look, check while typing, change and save, publish, discard."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.access.permissions import Permission
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.templates.operations import publish
from app.templates.rules import TemplateRefused
from app.templates.studio.editing.applying import Wish, edited
from app.templates.studio.editing.forms import PREFIX
from app.templates.studio.operations import discard_draft, note_published, save_draft
from app.templates.studio.pages.entering import (
    PageRequest,
    check,
    enter,
    may,
    plain_lines,
    say_in,
    source_of,
    text_of,
)
from app.templates.studio.pages.shown import Sheet, findings_of, studio_of
from app.templates.studio.queries import get_draft
from app.web.begin import begin_work, home_of, run_form
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import fragment, locale_of, page, redirect, wants_fragment
from app.web.translations import mark

_UNREADABLE = mark("The source cannot be read, so nothing of the form was applied. Your source is kept as it is.")
_LONGEST = 9  # digits of a version


class DraftPages(Controller):
    """One draft in the studio."""

    path = "/templates/drafts/{draft_id:uuid}"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest, draft_id: FromPath[UUID], at: FromQuery[str] = "") -> Response[str]:
        """Structure and source side by side."""
        enter(request, Permission.TEMPLATE_EDIT)
        return _draw(request, draft_id, at=at)

    @post("/checks", status_code=200, sync_to_thread=True)
    def check(self, request: PageRequest, draft_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """The structure of a text as it is typed, and what is wrong with it; nothing is kept."""
        enter(request, Permission.TEMPLATE_EDIT)
        (draft, saved), text = _saved(request, draft_id), plain_lines(form.first("source"))
        sheet = Sheet(text, source_of(text), check(request, text), form.first("at"))
        found = findings_of(sheet, say_in(request)) | {"unsaved": text != saved, "draft": draft}
        return fragment(request, "templates/studio/_findings.html", found)

    @post("/edits", sync_to_thread=True)
    def edit(self, request: PageRequest, draft_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Apply what was typed into the element's form and what a button asks for, and save."""
        enter(request, Permission.TEMPLATE_EDIT)
        try:
            at = _apply(request, draft_id, form)
        except SlipwayError as error:
            return _draw(request, draft_id, at=form.first("at"), form=form, trouble=error)
        if wants_fragment(request):
            return _draw(request, draft_id, at=at)
        return redirect(request, f"/templates/drafts/{draft_id}?{urlencode({'at': at})}")

    @post("/publications", sync_to_thread=True)
    def publish(self, request: PageRequest, draft_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Save it, and publish it if nothing is wrong with it."""
        enter(request, Permission.TEMPLATE_PUBLISH)
        try:
            _publish(request, draft_id, form)
        except SlipwayError as error:
            return _draw(request, draft_id, at=form.first("at"), form=form, trouble=error)
        return redirect(request, "/templates?published=true")

    @post("/removal", sync_to_thread=True)
    def discard(self, request: PageRequest, draft_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        """Throw it away, as the reader saw it."""
        home = enter(request, Permission.TEMPLATE_EDIT)

        def operation(work: Work) -> dict[str, object]:
            discard_draft(work, draft_id, version_of(form))
            return {}

        run_form(request, home.id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, "/templates?discarded=true")


def version_of(form: Form) -> int:
    """The version that a page was drawn from, or the one that its reader wants to save over."""
    said = form.first("over") or form.first("version")
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= _LONGEST else 0


def _apply(request: PageRequest, draft_id: UUID, form: Form) -> str:
    """Change the text as the form wants it and save it. Returns the words of the element to show."""
    text, at = _changed(request, draft_id, form)
    kept = text_of(text, check(request, text))

    def operation(work: Work) -> dict[str, object]:
        return {"version": save_draft(work, draft_id, kept, version_of(form)), "at": at}

    done = run_form(request, home_of(request).id, key=form.command_key, body=form.typed, operation=operation)
    return str(done["at"])


def _changed(request: PageRequest, draft_id: UUID, form: Form) -> tuple[str, str]:
    """The text after what the form asks for; a text that cannot be read is saved as it is, if that is all."""
    text, do = plain_lines(form.first("source")), form.first("do")
    goes_to = do.removeprefix("open:") if do.startswith("open:") else None
    wish = Wish(form.first("at"), "" if goes_to is not None or do == "save" else do, _typed(form))
    try:
        text, at = edited(_saved(request, draft_id)[1], text, wish)
    except TemplateRefused:
        if wish.do:
            raise TemplateRefused([]) from None
        at = wish.at
    return text, at if goes_to is None else goes_to


def _typed(form: Form) -> dict[str, str]:
    return {name: value for name, value in form.pairs if name.startswith(PREFIX)}


def _publish(request: PageRequest, draft_id: UUID, form: Form) -> None:
    text, _ = _changed(request, draft_id, form)
    checked = check(request, text)
    if checked.version is None:
        raise TemplateRefused(checked.problems)
    kept, version = text_of(text, checked), checked.version

    def operation(work: Work) -> dict[str, object]:
        saved = save_draft(work, draft_id, kept, version_of(form))
        digest = publish(work, version)
        note_published(work, draft_id, kept.number, digest)
        return {"digest": digest, "version": saved}

    run_form(request, home_of(request).id, key=form.command_key, body=form.typed, operation=operation)


def _saved(request: PageRequest, draft_id: UUID) -> Any:
    with begin_work(request, home_of(request).id) as work:
        return get_draft(work.session, draft_id, locale_of(request).language)


def _draw(
    request: PageRequest, draft_id: UUID, *, at: str, form: Form | None = None, trouble: SlipwayError | None = None
) -> Response[str]:
    """The studio with what is saved; after a trouble with what was sent, so that nothing is lost."""
    draft, saved = _saved(request, draft_id)
    text = plain_lines(form.first("source")) if form else saved
    typed, errors = (_typed(form) if form else {}), dict(trouble.errors if trouble else [])
    sheet = Sheet(text, source_of(text), check(request, text), at, typed, errors)
    refused = _sentence(trouble) if trouble else ""
    context = studio_of(sheet, say_in(request)) | {
        "draft": draft,
        "version": version_of(form) if form else draft.version,
        "unsaved": text != saved,
        "refused": refused,
        "newer": trouble.extensions if trouble and "by" in trouble.extensions else None,
        "may_publish": may(request, Permission.TEMPLATE_PUBLISH),
        "command_key": new_command_key(),
    }
    status = trouble.status if trouble else 200
    if wants_fragment(request):
        return fragment(request, "templates/studio/_saved.html", context, status=status)
    return page(request, "templates/studio/studio.html", context, status=status, nav=staff_nav(request))


def _sentence(trouble: SlipwayError) -> str:
    if isinstance(trouble, TemplateRefused):
        return "" if trouble.problems else _UNREADABLE
    return trouble.message
