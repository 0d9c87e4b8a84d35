"""The JSON doors of files: what is there, its content, handing one over, taking one back."""

from typing import Any
from uuid import UUID

import msgspec
from anyio.to_thread import run_sync
from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from app.kernel.work import Work
from app.onboarding.files.doors import described
from app.onboarding.files.doors.answering import answer_content
from app.onboarding.files.operations import Place, allow_upload, keep_files, open_file, take_back
from app.onboarding.files.receiving import Reception
from app.onboarding.files.schemas import FileList, FileQuery, UploadQuery
from app.onboarding.files.showing import list_files, read_file
from app.vault.files.folder import FileFolder
from app.web.begin import begin_work, run_once, runtime_of
from app.web.translations import mark
from app.web.wire.answering import answer_done, answer_read, write
from app.web.wire.openapi import FILE
from app.web.wire.openapi import described as account
from app.web.wire.reading import MediaTypeUnknown, read_key, read_query
from app.web.wire.uploads import feed, heard_out

PageRequest = Request[Any, Any, Any]
_FRAME = 1 << 16  # bytes beyond the largest file that are read before it is called too large


class FileDoors(Controller):
    """Files of one onboarding."""

    path = "/api/v1/tenants/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("onboardings",)

    @get("/files", operation_id="files.list", operation_class=account(described.LIST), sync_to_thread=True)
    def list(self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID]) -> Response[bytes]:
        """List the files that were handed over, as far as your side may see them."""
        asked = read_query(request, FileQuery)
        with begin_work(request, tenant_id) as work:
            found = FileList(list_files(work, onboarding_id, asked))
        return answer_read(request, write(found))

    @get(
        "/files/{file_id:uuid}", operation_id="files.read", operation_class=account(described.READ), sync_to_thread=True
    )
    def read(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], file_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Read what a file is: its name, kind and size, who handed it over, and for which task."""
        with begin_work(request, tenant_id) as work:
            found = read_file(work, onboarding_id, file_id)
        return answer_read(request, write(found))

    @get(
        "/files/{file_id:uuid}/content",
        operation_id="files.fetch",
        operation_class=account(described.FETCH),
        sync_to_thread=True,
    )
    def fetch(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], file_id: FromPath[UUID]
    ) -> Stream:
        """Fetch its content. That it was fetched stands in the workspace's trail."""
        with begin_work(request, tenant_id) as work:
            opened = open_file(work, onboarding_id=onboarding_id, file_id=file_id)
        return answer_content(runtime_of(request).service(FileFolder), opened)

    @post(
        "/tasks/{task:str}/files/{slot:str}",
        operation_id="files.handOver",
        operation_class=account(described.HAND_OVER),
        request_max_body_size=None,
    )
    async def hand_over(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        slot: FromPath[str],
    ) -> Response[bytes]:
        """Hand a file over for an open task of your side. It is looked at and sealed as it comes in."""
        place = Place(onboarding_id, task, slot)
        async with heard_out(request):
            key, reception = await run_sync(_begun, request, tenant_id, place)
        try:
            await feed(request, reception.put, most=reception.largest + _FRAME)
            await run_sync(reception.end)
            return await run_sync(_kept, request, tenant_id, place, reception, key)
        finally:
            await run_sync(reception.close)

    @post(
        "/files/{file_id:uuid}/removal",
        operation_id="files.takeBack",
        operation_class=account(described.TAKE_BACK),
        status_code=200,
        sync_to_thread=True,
    )
    def remove(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], file_id: FromPath[UUID]
    ) -> Response[bytes]:
        """Take a file back while its task is open. Nobody can read it from then on; the answer is what it was."""

        def perform(work: Work) -> dict[str, object]:
            shown = read_file(work, onboarding_id, file_id)
            take_back(work, onboarding_id=onboarding_id, file_id=file_id)
            return {"shown": msgspec.to_builtins(shown)}

        done, replayed = run_once(request, tenant_id, key=read_key(request), body=None, operation=perform)
        return answer_done(write(done["shown"]), status=200, replayed=replayed)


def _begun(request: PageRequest, tenant_id: UUID, place: Place) -> tuple[str, Reception]:
    """Everything that can be said before the first byte of the file is read."""
    key, asked = read_key(request), read_query(request, UploadQuery)
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != FILE:
        raise MediaTypeUnknown(mark("Send the body in a media type that this address takes."), errors=[("", FILE)])
    with begin_work(request, tenant_id) as work:
        slot = allow_upload(work, place)
    reception = Reception(runtime_of(request).service(FileFolder), (tenant_id, place.onboarding_id), slot)
    reception.begin(asked.name)
    return key, reception


def _kept(request: PageRequest, tenant_id: UUID, place: Place, reception: Reception, key: str) -> Response[bytes]:
    received = reception.whole()

    def perform(work: Work) -> dict[str, object]:
        [file_id] = keep_files(work, place, received)
        work.session.flush()
        return {"files": [str(file_id)], "shown": msgspec.to_builtins(read_file(work, place.onboarding_id, file_id))}

    body = [each.told(key) for each in received]
    with reception.committing() as kept:
        done, replayed = run_once(request, tenant_id, key=key, body=body, operation=perform)
        kept(done["files"])
    base = request.url.path.partition("/tasks/")[0]
    shown: Any = done["shown"]
    return answer_done(write(shown), status=201, headers={"location": f"{base}/files/{shown['id']}"}, replayed=replayed)
