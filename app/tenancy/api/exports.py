"""The JSON doors of exports: a bundle of a workspace is asked for, followed, fetched and taken away."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, delete, get, post
from litestar.params import FromPath, RawBody

from app.tenancy.api import transfers_described as described
from app.tenancy.api.answers import once
from app.tenancy.api.transfers import accepted, answer_file, export_out
from app.tenancy.operations.once import Reply
from app.tenancy.operations.transferring.exports import discard_export, open_export, read_export, request_export
from app.tenancy.schemas import ExportWanted
from app.web.begin import runtime_of, trace_of, visit_of
from app.web.wire.answering import answer_done, answer_read, etag_of, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body

PageRequest = Request[Any, Any, Any]


class ExportDoors(Controller):
    """Bundles of one tenant of the host's organisation, or of one below it."""

    path = "/api/v1/tenants/{tenant_id:uuid}/exports"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("tenants",)

    @post("/", operation_id="tenants.export", operation_class=account(described.EXPORT), sync_to_thread=True)
    def ask(self, request: PageRequest, tenant_id: FromPath[UUID], body: RawBody) -> Response[bytes]:
        """Ask for a signed file of the whole workspace, sealed for one other installation.

        The workspace rests while it is written: nobody gets in and nothing runs. Then it goes on, unless it moves.
        """
        wanted = read_body(request, body, ExportWanted)
        runtime, actor = runtime_of(request), visit_of(request).actor

        def perform(key: str) -> Reply:
            made = request_export(runtime, actor, tenant_id, wanted, key=key, trace_id=trace_of(request))
            return accepted(export_out(made))

        return once(request, wanted, perform)

    @get(
        "/{export_id:uuid}",
        operation_id="tenants.readExport",
        operation_class=account(described.READ_EXPORT),
        sync_to_thread=True,
    )
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], export_id: FromPath[UUID]) -> Response[bytes]:
        """Read how far it is; why it came to no end, and what to do next."""
        found = read_export(runtime_of(request), visit_of(request).actor, tenant_id, export_id)
        return answer_read(request, write(export_out(found)))

    @get(
        "/{export_id:uuid}/bundle",
        operation_id="tenants.fetchBundle",
        operation_class=account(described.BUNDLE),
        sync_to_thread=True,
    )
    def fetch(self, request: PageRequest, tenant_id: FromPath[UUID], export_id: FromPath[UUID]) -> Response[Any]:
        """Fetch the file, whole or from some byte on. Only the installation it is sealed for can open it."""
        bundle = open_export(runtime_of(request), visit_of(request).actor, tenant_id, export_id)
        return answer_file(request, bundle)

    @delete(
        "/{export_id:uuid}",
        operation_id="tenants.discardExport",
        operation_class=account(described.DISCARD),
        status_code=200,
        sync_to_thread=True,
    )
    def discard(self, request: PageRequest, tenant_id: FromPath[UUID], export_id: FromPath[UUID]) -> Response[bytes]:
        """Cancel it while it is under way; of a finished one remove the file. What it was stays to be read."""
        found = discard_export(runtime_of(request), visit_of(request).actor, tenant_id, export_id)
        content = write(export_out(found))
        return answer_done(content, status=200, headers={"etag": etag_of(content)})
