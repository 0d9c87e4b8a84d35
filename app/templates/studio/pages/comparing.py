"""The doors that say what changed: a draft against a published version, and one published version against another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Controller, Response, get
from litestar.params import FromPath, FromQuery

from app.access.permissions import Permission
from app.templates.authoring.addresses import digest_of
from app.templates.components import expand
from app.templates.library import find_component
from app.templates.queries import NO_SUCH, PublishedVersion, TemplateMissing, get_published, list_published
from app.templates.rules import TemplateRefused
from app.templates.studio.comparing import MOST_LINES, compared, raw_lines
from app.templates.studio.pages.entering import PageRequest, check, enter, of_partner, say_in, source_of
from app.templates.studio.queries import get_draft
from app.web.begin import begin_work, site_of
from app.web.page.ways import staff_nav
from app.web.responses import locale_of, page

Document = Mapping[str, Any]


class ComparePages(Controller):
    """What was added, changed, moved and taken out."""

    path = "/templates"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/drafts/{draft_id:uuid}/differences", sync_to_thread=True)
    def of_draft(self, request: PageRequest, draft_id: FromPath[UUID], old: FromQuery[str] = "") -> Response[str]:
        """A draft against a published version: the newest of the same template, or the one that is asked for."""
        home = enter(request, Permission.TEMPLATE_EDIT)
        with begin_work(request, home.id) as work:
            draft, text = get_draft(work.session, draft_id, locale_of(request).language)
        document, upon = _document_of(request, text)
        name = str(document.get("id", "")) if document else ""
        about = {"draft": draft, "title": draft.title, "path": f"/templates/drafts/{draft_id}", "number": draft.number}
        return _draw(request, about, document, (name, old or upon))

    @get("/{address:str}/differences", sync_to_thread=True)
    def of_version(self, request: PageRequest, address: FromPath[str], old: FromQuery[str] = "") -> Response[str]:
        """A published version against another: the one before it, or the one that is asked for."""
        enter(request, Permission.TEMPLATE_READ)
        document = _published(request, address)
        title = say_in(request)(dict(document["title"]))
        about = {"draft": None, "title": title, "path": f"/templates/{address}", "number": document["version"]}
        return _draw(request, about | {"address": address}, document, (str(document["id"]), old))


def _draw(
    request: PageRequest, about: dict[str, Any], document: Document | None, against: tuple[str, str]
) -> Response[str]:
    """The page; `against` is the template's name and the address of the old version, "" for the next older one."""
    name, old = against
    with of_partner(request) as session:
        versions = list_published(session, site_of(request).organisation_id, name)
    others = [each for each in versions if each.digest != f"sha256:{about.get('address', '')}"]
    chosen = old or _older(versions, str(about.get("address", "")))
    context = about | {"versions": others, "old": chosen, "old_number": "", "found": None, "lines": []}
    if document is not None and chosen:
        before = _published(request, chosen)
        context["old_number"] = str(before.get("version", ""))
        context["found"] = compared(before, document, say_in(request))
        context["lines"] = raw_lines(before, document)
    context |= {"readable": document is not None, "most_lines": MOST_LINES}
    return page(request, "templates/studio/differences.html", context, nav=staff_nav(request))


def _older(versions: list[PublishedVersion], address: str) -> str:
    """The version published before one; of a draft, the last published. "" where there is none."""
    addresses = [each.digest.removeprefix("sha256:") for each in versions]
    if address not in addresses:
        return next(iter(addresses), "")
    following = addresses[addresses.index(address) + 1 :] or addresses[: addresses.index(address)]
    return next(iter(following), "")


def _published(request: PageRequest, address: str) -> Document:
    """A published template. Raises TemplateMissing."""
    with of_partner(request) as session:
        document = get_published(session, digest_of(address))
    if "overlay" in document or "package" in document:
        raise TemplateMissing(NO_SUCH)
    return document


def _document_of(request: PageRequest, text: str) -> tuple[Document | None, str]:
    """What a draft makes, with its components put in; and of an adaptation the address of what it stands upon."""
    checked = check(request, text)
    if checked.effective is not None:
        upon = checked.effective.template.digest if checked.effective.overlays else ""
        return checked.effective.document, upon.removeprefix("sha256:")
    source = source_of(text)
    if source is None or not isinstance(source.document.get("stages"), list):
        return None, ""
    try:
        document: Document = expand(source, find_component).document
    except (TemplateRefused, LookupError, TypeError, AttributeError):
        document = source.document
    return document, ""
