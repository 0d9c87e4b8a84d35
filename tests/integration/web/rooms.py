"""Doors of our own for the tests of the furniture: one of each kind, doing as little as a real one may."""

from typing import Annotated, Any, ClassVar
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from msgspec import Meta, Struct

from app.kernel.errors import Conflict, Invalid, Unavailable
from app.kernel.events import Event
from app.kernel.work import Work
from app.web.begin import begin_work, run_form, visit_of
from app.web.forms import Form
from app.web.responses import redirect
from app.web.translations import mark
from tenants.sessions import DatabaseAway

PageRequest = Request[Any, Any, Any]


class NoteTaken(Event, frozen=True, kw_only=True):
    """Something was written down."""

    type: ClassVar[str] = "test.note.taken"
    subject_kind: ClassVar[str] = "tenant"


class NoteForm(Struct):
    """A form with a bit of everything."""

    text: Annotated[str, Meta(min_length=3, max_length=20)]
    count: Annotated[int, Meta(ge=1, le=5)]
    tags: list[str] = []
    agreed: bool = False


class AlreadyThere(Conflict):
    """Expected trouble."""


class Busy(Unavailable):
    """Expected trouble that passes."""


TROUBLES: dict[str, Exception] = {
    "conflict": AlreadyThere("This name is taken."),
    "invalid": Invalid("Two places are wrong.", errors=[("/name", "Too short."), ("/lines/0", "Empty.")]),
    "busy": Busy("Try later."),
    "away": DatabaseAway("connection to 10.0.0.7 refused"),
    "known": AlreadyThere(mark("Sign in to see this page.")),
    "bug": RuntimeError("secret inside: hunter2"),
}


class Rooms(Controller):
    """Doors for tests."""

    @get("/me", opt={"door": "signed_in"}, sync_to_thread=True)
    def me(self, request: PageRequest) -> str:
        return visit_of(request).email

    @get("/staff", opt={"door": "partner"}, sync_to_thread=True)
    def staff(self, request: PageRequest) -> list[str]:
        return sorted(visit_of(request).actor.roles)

    @get(path="/t/{tenant_id:uuid}/note", opt={"door": "tenant"}, sync_to_thread=True)
    def look(self, request: PageRequest, tenant_id: FromPath[UUID]) -> list[str]:
        with begin_work(request, tenant_id) as work:
            return sorted(work.rights)

    @get(path="/api/v1/tenants/{tenant_id:uuid}/note", opt={"door": "tenant"}, sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], size: FromQuery[int] = 1) -> dict[str, Any]:
        with begin_work(request, tenant_id) as work:
            return {"rights": sorted(work.rights), "size": size}

    @get(path="/t/{tenant_id:uuid}/other/{other:uuid}", opt={"door": "tenant"}, sync_to_thread=True)
    def confused(self, request: PageRequest, tenant_id: FromPath[UUID], other: FromPath[UUID]) -> str:
        with begin_work(request, other) as work:
            return f"{tenant_id} {work.tenant.id}"

    @post(path="/t/{tenant_id:uuid}/note", opt={"door": "tenant"}, sync_to_thread=True)
    def write(self, request: PageRequest, tenant_id: FromPath[UUID], form: NamedDependency[Form]) -> Response[str]:
        def take(work: Work) -> dict[str, object]:
            return {"entry": str(work.record(NoteTaken(subject_id=work.tenant.id)))}

        result = run_form(request, tenant_id, key=form.command_key, body=form.typed, operation=take)
        return redirect(request, f"/t/{tenant_id}/note?entry={result['entry']}")

    @post("/answers", opt={"door": "public"}, status_code=200, sync_to_thread=True)
    def answers(self, form: NamedDependency[Form]) -> dict[str, Any]:
        filled = form.fill(NoteForm)
        return {"value": filled.value, "typed": filled.typed, "errors": filled.errors}

    @get(["/trouble/{kind:str}"], opt={"door": "public"}, sync_to_thread=True)
    def trouble(self, kind: FromPath[str]) -> None:
        raise TROUBLES[kind]

    @post("/rooms/{kind:str}/completion", opt={"door": "public"}, sync_to_thread=True)
    def completion(self, kind: FromPath[str]) -> None:
        raise TROUBLES[kind]

    @get("/rooms/{kind:str}", opt={"door": "public"}, sync_to_thread=True)
    def room(self, kind: FromPath[str]) -> str:
        return kind

    @get("/api/v1/trouble/{kind:str}", opt={"door": "public"}, sync_to_thread=True)
    def api_trouble(self, kind: FromPath[str]) -> None:
        raise TROUBLES[kind]
