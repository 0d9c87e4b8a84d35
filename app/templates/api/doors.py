"""The JSON doors of a partner's templates: read what is offered, check and publish documents, upgrade a line."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Controller, Request, Response
from litestar.params import FromPath, RawBody

from app.access.permissions import Permission
from app.kernel.work import Work
from app.templates.api import described
from app.templates.api.answers import checked_out, decided, head_out, line_out, named, once, plan_out
from app.templates.api.shapes import (
    DocumentOut,
    DocumentWish,
    LineList,
    LineUpgradeOut,
    LineUpgradeWish,
    LineWayBack,
    OfferedOut,
    PublishedOut,
)
from app.templates.authoring.addresses import digest_of
from app.templates.lines.operations import go_back
from app.templates.lines.queries import find_entry, list_line
from app.templates.operations import publish
from app.templates.queries import NO_SUCH, TemplateMissing, check_name, get_published, list_catalogue, list_publishers
from app.templates.rules import TemplateRefused
from app.templates.studio.pages.entering import check, enter, of_partner, plain_lines
from app.templates.upgrades.operations import list_targets, see_line, try_upgrade, upgrade
from app.web.begin import begin_work, home_of, site_of
from app.web.wire.answering import answer_done, answer_read, write
from app.web.wire.doors import commands, reads
from app.web.wire.reading import read_body, read_key

PageRequest = Request[Any, Any, Any]
TEMPLATES = "/api/v1/templates"
_LARGEST = 1_600_000  # bytes of a body: 250,000 characters, each of them escaped


class TemplateDoors(Controller):
    """Templates of the partner whose host this is."""

    path = TEMPLATES
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("templates",)

    @reads("/", "templates.list", described.LIST)
    def list(self, request: PageRequest) -> Response[bytes]:
        """List what is offered of each template, the last published first."""
        enter(request, Permission.TEMPLATE_READ)
        with of_partner(request) as session:
            found = list_catalogue(session, site_of(request).organisation_id)
        return answer_read(request, write(LineList([head_out(each) for each in found])))

    @reads("/{template:str}", "templates.read", described.READ)
    def read(self, request: PageRequest, template: FromPath[str]) -> Response[bytes]:
        """Read one line: what new onboardings get, what is newer, what was offered before."""
        home = enter(request, Permission.TEMPLATE_READ)
        check_name(template)
        with begin_work(request, home.id) as work:
            line = see_line(work, template)
            targets, publishers = list_targets(work, line), list_publishers(work.session, template)
        with of_partner(request) as session:
            history = list_line(session, template)
        return answer_read(request, write(line_out(line, targets, publishers, history)))

    @reads("/versions/{address:str}", "templates.document", described.DOCUMENT)
    def document(self, request: PageRequest, address: FromPath[str]) -> Response[bytes]:
        """Read a published document by the 64 digits of its address. It never changes."""
        enter(request, Permission.TEMPLATE_READ)
        digest = digest_of(address)
        with of_partner(request) as session:
            document = get_published(session, digest)
        return answer_read(request, write(DocumentOut(digest, dict(document))))

    @commands("/checks", "templates.check", described.CHECK, most=_LARGEST)
    def check(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Say everything that is wrong with a template or an adaptation. Nothing is kept."""
        read_key(request)
        enter(request, Permission.TEMPLATE_EDIT)
        wish = read_body(request, body, DocumentWish, lines="source")
        return answer_done(write(checked_out(check(request, plain_lines(wish.source)))), status=200)

    @commands("/versions", "templates.publish", described.PUBLISH, status=201, most=_LARGEST)
    def publish(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Publish a template or an adaptation, and offer it where that loses nothing. What runs goes on as it is."""
        read_key(request)
        enter(request, Permission.TEMPLATE_PUBLISH)
        wish = read_body(request, body, DocumentWish, lines="source")
        checked = check(request, plain_lines(wish.source))
        version = checked.version
        if version is None:
            raise TemplateRefused(checked.problems)
        _done, replayed = once(request, version.digest, lambda work: {"digest": publish(work, version)})
        headers = {"location": f"{TEMPLATES}/versions/{version.digest.removeprefix('sha256:')}"}
        shown = PublishedOut(*named(version), version.digest)
        return answer_done(write(shown), status=201, headers=headers, replayed=replayed)

    @commands("/{template:str}/upgrade", "templates.upgrade", described.UPGRADE)
    def upgrade(self, request: PageRequest, template: FromPath[str], body: RawBody) -> Response[bytes]:
        """Bring the line's adaptations to another version: what it would make, with every conflict; or publish that."""
        read_key(request)
        enter(request, Permission.TEMPLATE_PUBLISH)
        check_name(template)
        wish = read_body(request, body, LineUpgradeWish)
        if wish.dry_run:
            with begin_work(request, home_of(request).id) as work:
                shown = _plan(work, template, wish)
            return answer_done(write(shown), status=200)
        done, replayed = once(request, msgspec.to_builtins(wish), lambda work: _publish(work, template, wish))
        return answer_done(write(msgspec.convert(done, LineUpgradeOut)), status=200, replayed=replayed)

    @commands("/{template:str}/way-back", "templates.takeBack", described.BACK)
    def take_back(self, request: PageRequest, template: FromPath[str], body: RawBody) -> Response[bytes]:
        """Offer again what was offered before, byte for byte. What runs goes on as it is."""
        read_key(request)
        enter(request, Permission.TEMPLATE_PUBLISH)
        check_name(template)
        wish = read_body(request, body, LineWayBack)
        with of_partner(request) as session:
            entry = find_entry(session, template, str(wish.seq))
        if entry is None:
            raise TemplateMissing(NO_SUCH)
        offered = entry.offered

        def operation(work: Work) -> dict[str, object]:
            go_back(work, template, offered, wish.reason)
            return {}

        _done, replayed = once(request, msgspec.to_builtins(wish), operation)
        shown = OfferedOut(template, offered.template_digest, offered.overlay_digest)
        return answer_done(write(shown), status=200, replayed=replayed)


def _plan(work: Work, template: str, wish: LineUpgradeWish) -> LineUpgradeOut:
    said = decided(wish.decisions)
    return plan_out(try_upgrade(work, template, wish.to, said), said)


def _publish(work: Work, template: str, wish: LineUpgradeWish) -> dict[str, object]:
    said = decided(wish.decisions)
    plan = try_upgrade(work, template, wish.to, said)
    made = upgrade(work, template, wish.to, said, seen=wish.seen)
    done: dict[str, object] = msgspec.to_builtins(plan_out(plan, said, published=made))
    return done
