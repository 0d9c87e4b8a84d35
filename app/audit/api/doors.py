"""The JSON doors of a workspace's trail: read it, take it out, erase a person's values from it."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody
from litestar.response import Stream

from app.audit.api import described
from app.audit.operations.erasure import erase_person
from app.audit.operations.exporting import export_trail
from app.audit.queries.search import search_trail
from app.audit.schemas import ErasedOut, ErasureWanted, ExportQuery, TrailQuery
from app.kernel.work import Work
from app.web.begin import begin_work, run_form
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_key, read_query

PageRequest = Request[Any, Any, Any]


class TrailDoors(Controller):
    """The trail of one tenant."""

    path = "/api/v1/tenants/{tenant_id:uuid}/trail"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("trail",)

    @get("/", operation_id="trail.list", operation_class=account(described.LIST), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List what happened, the newest first. `next`, also as `Link`, leads to older entries of the same filters."""
        asked = read_query(request, TrailQuery)
        with begin_work(request, tenant_id) as work:
            page = search_trail(work, asked)
        return answer_read(request, write(page), link_next(request, page.next))

    @get("/export", operation_id="trail.export", operation_class=account(described.EXPORT), sync_to_thread=True)
    def export(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Stream:
        """Take the signed part of the trail out, as one file. Who did so is in the trail."""
        kind = read_query(request, ExportQuery).format
        export = export_trail(lambda: begin_work(request, tenant_id), kind=kind)
        headers = {"content-disposition": f'attachment; filename="{export.name}"', "cache-control": "no-store"}
        return Stream(export.lines, media_type=export.media, headers=headers)

    @post(
        "/erasures",
        operation_id="trail.erase",
        operation_class=account(described.ERASE),
        status_code=200,
        sync_to_thread=True,
    )
    def erase(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Destroy one person's personal values in the trail, for good. Entries stay, and the trail still verifies."""
        wanted, key = read_body(request, body, ErasureWanted), read_key(request)

        def operation(work: Work) -> dict[str, object]:
            return {"entries": erase_person(work, person_id=wanted.person_id, reason=wanted.reason)}

        sent = {"person_id": str(wanted.person_id), "reason": wanted.reason}
        done = run_form(request, tenant_id, key=key, body=sent, operation=operation)
        return answer_done(write(ErasedOut(int(str(done["entries"])))), status=200)
