"""The HTML doors of signed files: which publishers are trusted, and taking a file of theirs in."""

from __future__ import annotations

import hashlib
from typing import Any

from anyio.to_thread import run_sync
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency

from app.access.permissions import Permission
from app.audit.note import read_key
from app.audit.queries.documents import list_documents
from app.kernel.errors import Invalid, SlipwayError
from app.marketplace.doors.places import let_in, receive
from app.marketplace.operations.installing import TRUSTED, PublisherUnknown, trust_key
from app.marketplace.pages.market import run_home
from app.templates.packing.package import LARGEST
from app.web.begin import begin_work, home_of
from app.web.forms import Form, new_command_key
from app.web.page.ways import staff_nav
from app.web.responses import page
from app.web.translations import mark

PageRequest = Request[Any, Any, Any]
_FORM = LARGEST + 100_000  # bytes of a form with a file in it
_TRUSTED = mark("The key is trusted now. Choose the file again to import it.")
_IMPORTED = mark("Imported. It stands among your templates within seconds.")
_KNOWN = mark("Everything in this file is here already. Nothing has changed.")


class FileMissing(Invalid):
    """No file came with the form."""


class ImportPages(Controller):
    """Templates that come as files."""

    path = "/marketplace/imports"
    opt = {"door": "partner"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def show(self, request: PageRequest) -> Response[str]:
        """The form, and whom the partner trusts."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        return _draw(request)

    @post("/", status_code=200, request_max_body_size=_FORM)
    async def receive(self, request: PageRequest) -> Response[str]:
        """Take a file in, if it is whole, signed by somebody who is trusted, and sound here."""
        await run_sync(let_in, request, Permission.TEMPLATE_PUBLISH)
        sent = await request.form()
        upload = sent.get("file")
        raw = await upload.read() if isinstance(upload, UploadFile) else b""
        form = Form(tuple((name, value) for name, value in sent.multi_items() if isinstance(value, str)))
        return await run_sync(_receive, request, form, raw)

    @post("/keys", status_code=200, sync_to_thread=True)
    def trust(self, request: PageRequest, form: NamedDependency[Form]) -> Response[str]:
        """Decide to trust a publisher's key."""
        let_in(request, Permission.TEMPLATE_PUBLISH)
        try:
            key = read_key(form.first("key"))
            run_home(request, form, lambda work: {"trusted": trust_key(work, key)})
        except SlipwayError as trouble:
            return _draw(request, refused=trouble)
        return _draw(request, notice=_TRUSTED)


def _receive(request: PageRequest, form: Form, raw: bytes) -> Response[str]:
    try:
        if not raw:
            raise FileMissing(mark("Choose the file that your publisher gave you."))
        _package, take = receive(request, raw)
        sent = Form((*form.pairs, ("file", hashlib.sha256(raw).hexdigest())))  # the form's key is for this file alone
        done = run_home(request, sent, lambda work: {"new": take(work)})
    except SlipwayError as trouble:
        return _draw(request, refused=trouble)
    return _draw(request, notice=_IMPORTED if done["new"] else _KNOWN)


def _draw(request: PageRequest, *, notice: str = "", refused: SlipwayError | None = None) -> Response[str]:
    home = home_of(request)
    with begin_work(request, home.id) as work:
        trusted = [each.body | {"fingerprint": each.key} for each in list_documents(work.session, TRUSTED)]
    unknown = refused.key if isinstance(refused, PublisherUnknown) else None
    context = {
        "trusted": trusted,
        "unknown": {"name": unknown.name, "key": unknown.written, "fingerprint": unknown.fingerprint}
        if unknown
        else None,
        "refused": refused.message if refused else "",
        "problems": [{"place": place, "message": said} for place, said in (refused.errors if refused else ())],
        "command_key": new_command_key(),
    }
    status, nav = refused.status if refused else 200, staff_nav(request)
    return page(request, "marketplace/imports.html", context, status=status, nav=nav, notice=notice)
