"""The HTML doors of files: handing them over, taking one back, reading one. They work without any script."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID

from anyio.to_thread import run_sync
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.files.doors.answering import answer_content
from app.onboarding.files.operations import Place, allow_upload, keep_files, open_file, take_back
from app.onboarding.files.receiving import Reception
from app.onboarding.files.showing import places_of, reason
from app.onboarding.pages.doors import names, see
from app.onboarding.queries.customer import task_page
from app.onboarding.queries.heading import TOLD, head
from app.vault.files.folder import FileFolder
from app.web.begin import begin_work, run_form, runtime_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page, redirect
from app.web.wire.uploads import heard_out, read_upload

PageRequest = Request[Any, Any, Any]
_TOLD_HERE = frozenset({400, 409, 413, 422})  # what the person can mend by choosing again


class FilePages(Controller):
    """The files of one onboarding."""

    path = "/t/{tenant_id:uuid}/onboardings/{onboarding_id:uuid}"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/tasks/{task:str}/files", sync_to_thread=True)
    def show(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], task: FromPath[str]
    ) -> Response[str]:
        """What a task asks for, and what is there."""
        return _drawn(request, tenant_id, Place(onboarding_id, task, ""))

    @post("/tasks/{task:str}/files/{slot:str}", request_max_body_size=None)
    async def hand_over(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        task: FromPath[str],
        slot: FromPath[str],
    ) -> Response[str]:
        """Hand files over: each is looked at and sealed as it comes in; if one is refused, none is kept."""
        place = Place(onboarding_id, task, slot)
        try:
            await _received(request, tenant_id, place)
        except SlipwayError as error:
            if error.status not in _TOLD_HERE:
                raise
            return await run_sync(_again, request, tenant_id, place, error)
        return redirect(request, _path(tenant_id, place))

    @post("/files/{file_id:uuid}/removal", sync_to_thread=True)
    def remove(
        self,
        request: PageRequest,
        tenant_id: FromPath[UUID],
        onboarding_id: FromPath[UUID],
        file_id: FromPath[UUID],
        form: NamedDependency[Form],
    ) -> Response[str]:
        """Take a file back, while its task is open."""

        def operation(work: Work) -> dict[str, object]:
            return {"task": take_back(work, onboarding_id=onboarding_id, file_id=file_id)}

        done = run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=operation)
        return redirect(request, _path(tenant_id, Place(onboarding_id, str(done["task"]), "")))

    @get("/files/{file_id:uuid}", sync_to_thread=True)
    def read(
        self, request: PageRequest, tenant_id: FromPath[UUID], onboarding_id: FromPath[UUID], file_id: FromPath[UUID]
    ) -> Stream:
        """The file, to be saved: never shown inside of a page."""
        with begin_work(request, tenant_id) as work:
            opened = open_file(work, onboarding_id=onboarding_id, file_id=file_id)
        return answer_content(runtime_of(request).service(FileFolder), opened)


async def _received(request: PageRequest, tenant_id: UUID, place: Place) -> None:
    """Read and keep what was sent. Whatever becomes of it, nothing of a refused or broken request stays."""
    async with heard_out(request):
        slot = await run_sync(_let_in, request, tenant_id, place)
    folder = runtime_of(request).service(FileFolder)
    reception = Reception(folder, (tenant_id, place.onboarding_id), slot)
    try:
        form = await read_upload(request, reception)
        await run_sync(_kept, request, tenant_id, place, reception, form)
    finally:
        await run_sync(reception.close)


def _let_in(request: PageRequest, tenant_id: UUID, place: Place) -> Any:
    with begin_work(request, tenant_id) as work:
        return allow_upload(work, place)


def _kept(request: PageRequest, tenant_id: UUID, place: Place, reception: Reception, form: Form) -> None:
    """Once for the form's key: sent again, its files are those that are there already."""
    received = reception.whole()

    def operation(work: Work) -> dict[str, object]:
        return {"files": [str(each) for each in keep_files(work, place, received)]}

    body = [form.typed, [each.told(form.command_key) for each in received]]
    with reception.committing() as kept:
        kept(run_form(request, tenant_id, key=form.command_key, body=body, operation=operation)["files"])


def _again(request: PageRequest, tenant_id: UUID, place: Place, error: SlipwayError) -> Response[str]:
    return _drawn(request, tenant_id, place, error)


def _drawn(request: PageRequest, tenant_id: UUID, place: Place, error: SlipwayError | None = None) -> Response[str]:
    """The task's own page for a customer; for staff a page with its places alone."""
    with begin_work(request, tenant_id) as work:
        seen = see(request, work, place.onboarding_id)
        item = seen.item(place.task)
        wrong = (place.slot, reason(seen, error)) if error else ("", "")
        places = places_of(work, seen, item, wrong=wrong)
        customers = item.side == "customer"
        context = task_page(work, seen, place.task) if customers else {"onboarding": head(seen, TOLD)}
        own = {"names": names(request, work), "back": seen.path, "title": dict(item.title)}
    context |= {"places": places, "command_key": new_command_key(), **own}
    name = "onboarding/customer_task.html" if customers else "onboarding/files/task_files.html"
    nav = () if customers else staff_nav(request)
    return page(request, name, context, status=error.status if error else 200, nav=nav)


def _path(tenant_id: UUID, place: Place) -> str:
    return f"/t/{tenant_id}/onboardings/{place.onboarding_id}/tasks/{quote(place.task)}/files"
