"""The JSON doors of imports: a bundle is received piece by piece, and followed until its workspace is here."""

import hashlib
from typing import Any, BinaryIO
from uuid import UUID

from anyio.to_thread import run_sync
from litestar import Controller, Request, Response, get, post
from litestar.exceptions import InternalServerException
from litestar.params import FromPath

from app.kernel.ids import new_id
from app.tenancy.api import transfers_described as described
from app.tenancy.api.answers import once
from app.tenancy.api.transfers import accepted, import_out
from app.tenancy.folder import BundleFolder, BundlesAway
from app.tenancy.operations.once import Reply
from app.tenancy.operations.transferring.imports import (
    BundleTooLarge,
    Received,
    UploadCut,
    allow_import,
    read_import,
    request_import,
)
from app.tenancy.schemas import ImportQuery
from app.web.begin import runtime_of, trace_of, visit_of
from app.web.guard.backlog import BEGINS_WORK
from app.web.translations import mark
from app.web.wire.answering import answer_read, write
from app.web.wire.openapi import FILE
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_key, read_query, require_media

PageRequest = Request[Any, Any, Any]


class ImportDoors(Controller):
    """Bundles that become workspaces of the host's organisation, or of one below it."""

    path = "/api/v1/tenants/imports"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("tenants",)

    @post(
        "/",
        operation_id="tenants.import",
        operation_class=account(described.IMPORT),
        opt=BEGINS_WORK,
        request_max_body_size=None,
    )
    async def receive(self, request: PageRequest) -> Response[bytes]:
        """Upload a bundle. It is checked whole before anything is written, then its workspace is made here.

        A refused one is not kept and changes nothing. Nothing of the workspace can be seen before all of it is there.
        """
        asked = await run_sync(_allowed, request)
        transfer_id, folder = new_id(), runtime_of(request).service(BundleFolder)
        kept: list[UUID] = []
        try:
            with await run_sync(folder.begin_upload, transfer_id) as file:
                received = await _received(request, transfer_id, file, most=folder.most_bytes)
                return await run_sync(_carried_on, request, asked, received, kept)
        finally:
            if transfer_id not in kept:
                await run_sync(folder.remove, transfer_id)

    @get(
        "/{import_id:uuid}",
        operation_id="tenants.readImport",
        operation_class=account(described.READ_IMPORT),
        sync_to_thread=True,
    )
    def read(self, request: PageRequest, import_id: FromPath[UUID]) -> Response[bytes]:
        """Read how far it is: the workspace that was made, or why the bundle was refused."""
        found = read_import(runtime_of(request), visit_of(request).actor, import_id)
        return answer_read(request, write(import_out(found)))


def _allowed(request: PageRequest) -> ImportQuery:
    """Everything that can be said before the first byte of the file is read."""
    asked = read_query(request, ImportQuery)
    key = read_key(request)
    require_media(request, FILE)
    allow_import(runtime_of(request), visit_of(request).actor, asked, key=key)
    return asked


async def _received(request: PageRequest, transfer_id: UUID, file: BinaryIO, *, most: int) -> Received:
    """The body, piece by piece on the disk. Raises BundleTooLarge, UploadCut, BundlesAway."""
    digest, size = hashlib.sha256(), 0

    def put(piece: bytes) -> None:
        file.write(piece)
        digest.update(piece)

    if int(request.headers.get("content-length", "0")) > most:
        raise BundleTooLarge(_TOO_LARGE)
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise BundleTooLarge(_TOO_LARGE)
            await run_sync(put, piece)
    except InternalServerException as cut:  # how Litestar says that the sender has gone
        raise UploadCut(mark("The upload was cut off. Send the file again.")) from cut
    except OSError as trouble:
        raise BundlesAway(mark("The file cannot be kept right now. Try again in a moment.")) from trouble
    return Received(transfer_id, file, digest.hexdigest(), size)


def _carried_on(request: PageRequest, asked: ImportQuery, received: Received, kept: list[UUID]) -> Response[bytes]:
    """Have it imported once for the key. `kept` says whether this file is the one that is."""
    runtime, actor = runtime_of(request), visit_of(request).actor

    def perform(key: str) -> Reply:
        made = request_import(runtime, actor, asked, received, key=key, trace_id=trace_of(request))
        kept.append(made.id)
        return accepted(import_out(made))

    return once(request, [asked, received.sha256], perform)


_TOO_LARGE = mark("This file is larger than this installation takes. Ask whoever runs it to import it by command.")
