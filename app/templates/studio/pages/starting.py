"""The doors at which a draft begins: empty, from what works, from a published version, or upon one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from app.access.permissions import Permission
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.templates.authoring.addresses import digest_of
from app.templates.queries import NO_SUCH, TemplateMissing, get_published, list_published, list_versions
from app.templates.studio.operations import start_draft
from app.templates.studio.pages.entering import PageRequest, check, enter, of_partner, plain_lines, text_of
from app.templates.studio.queries import find_source
from app.templates.studio.starting import adaptation_of, next_version_of, skeleton
from app.templates.upgrades.operations import see_line
from app.web.begin import begin_work, run_form, site_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect


class StartPages(Controller):
    """Where an author begins."""

    path = "/templates/drafts"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/new", sync_to_thread=True)
    def choose(self, request: PageRequest) -> Response[str]:
        """The ways to begin."""
        enter(request, Permission.TEMPLATE_EDIT)
        return _draw(request)

    @post("/", sync_to_thread=True)
    def begin(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Begin a draft in one of them."""
        home = enter(request, Permission.TEMPLATE_EDIT)
        source = _source(request, home.id, form)
        text, draft_id = text_of(source, check(request, source)), new_id()

        def operation(work: Work) -> dict[str, object]:
            start_draft(work, draft_id, text)
            return {"draft": str(draft_id)}

        try:
            begun = run_form(request, home.id, key=form.command_key, body=form.typed, operation=operation)
        except SlipwayError as error:
            return _draw(request, refused=error.message, source=source, status=error.status)
        return redirect(request, f"/templates/drafts/{begun['draft']}")


def _source(request: PageRequest, home_id: Any, form: Form) -> str:
    """The text that the draft begins with. Raises TemplateMissing for a version that is not there."""
    way = form.first("begin", "source")
    if way == "skeleton":
        return skeleton()
    if way not in {"version", "adaptation"}:
        return plain_lines(form.first("source"))
    digest = digest_of(form.first("address"))
    with of_partner(request) as session:
        document = get_published(session, digest)
        published = list_published(session, site_of(request).organisation_id, str(document.get("id", "")))
    if "package" in document or (way == "adaptation" and "overlay" in document):
        raise TemplateMissing(NO_SUCH)
    with begin_work(request, home_id) as work:
        if way == "adaptation":
            return _adaptation(work, document, digest, site_of(request).slug)
        kept = find_source(work.session, digest)
    return next_version_of(document, [each.version for each in published], kept)


def _adaptation(work: Work, document: Mapping[str, Any], digest: str, partner: str) -> str:
    """An adaptation to go on with: the next version of the one that is offered, or a first one upon what is offered."""
    try:
        line = see_line(work, str(document["id"]))
    except TemplateMissing:
        return adaptation_of(document, digest, partner)
    if line.chain.template.digest != digest:
        return adaptation_of(document, digest, partner)
    if line.own:
        mine = line.chain.overlays[-1]
        return next_version_of(
            mine.document, list_versions(work.session, mine.id), find_source(work.session, mine.digest)
        )
    return adaptation_of(document, line.chain.effective().digest, partner)


def _draw(request: PageRequest, *, refused: str = "", source: str = "", status: int = 200) -> Response[str]:
    context = {"refused": refused, "source": source, "keys": [new_command_key() for _ in range(3)]}
    return page(request, "templates/studio/begin.html", context, status=status, nav=staff_nav(request))
