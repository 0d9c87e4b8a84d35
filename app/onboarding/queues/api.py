"""The JSON doors of the work queues: over all of a partner's customers, and of one workspace."""

from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post
from litestar.params import FromPath, RawBody

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.kernel.commands import CommandKeyReused
from app.kernel.paging import CursorExpired, CursorForeign
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.onboarding.queues.bulk import change_many
from app.onboarding.queues.inside import list_own_work
from app.onboarding.queues.queries import list_work
from app.onboarding.queues.schemas import BulkWork, BulkWorkOut, WorkPage, WorkQuery
from app.web.begin import NothingHere, NotSignedIn, begin_work, runtime_of, site_of, trace_of, visit_of
from app.web.security import NotFromHere
from app.web.wire.answering import answer_done, answer_read, link_next, write
from app.web.wire.openapi import Described, Told, described
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    QueryUnfit,
    read_body,
    read_key,
    read_query,
)

PageRequest = Request[Any, Any, Any]
_LINE: dict[str, Any] = {
    "tenant_id": "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07",
    "onboarding_id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c",
    "key": "task.assign_team",
    "kind": "task",
    "onboarding": "Acme Ltd",
    "queue": "tasks",
    "side": "partner",
    "state": "open",
    "title": {"en": "Assign the team"},
    "role": "onboarding_lead",
    "assignee": None,
    "people": [{"id": "01969c3b-7a10-7b52-b1de-0c9a8f7e6d00", "name": "Dana Weber"}],
    "unowned": False,
    "since": "2026-11-21T09:00:00Z",
    "due_at": "2026-11-24T16:00:00Z",
    "late": False,
    "reason": None,
}
_VIEWS = {"all": 1, "mine": 0, "roles": 1, "unowned": 0, "late": 0, "customer": 0}
_QUEUE = {"queue": "tasks", "count": 1, "oldest": "2026-11-21T09:00:00Z", "late": 0}
_PAGE = {"items": [_LINE], "next": None, "total": 1, "views": _VIEWS, "queues": [_QUEUE]}
_TOLD = {200: Told("A page of the work.", WorkPage, headers=("ETag", "Link"), example=_PAGE)}
_PROBLEMS = (NotSignedIn, NotPermitted, QueryUnfit, CursorForeign, CursorExpired)
_ALL = Described(_TOLD, query=WorkQuery, problems=_PROBLEMS, scopes=(Permission.ONBOARDING_READ,))
_OWN = Described(
    _TOLD,
    query=WorkQuery,
    problems=(*_PROBLEMS, NothingHere, TenantNotActive, TenantUpgrading),
    scopes=(Permission.ONBOARDING_READ,),
)
_STEP = {name: _LINE[name] for name in ("tenant_id", "onboarding_id", "key")}
_RESULT = _STEP | {"outcome": "changed", "problem": None, "detail": ""}
_DONE = {"dry_run": True, "total": 1, "changed": 1, "unchanged": 0, "refused": 0, "items": [_RESULT]}
_BULK = Described(
    {200: Told("What became of each, or would.", BulkWorkOut, example=_DONE)},
    takes=BulkWork,
    example={"action": "claim", "dry_run": True, "items": [_STEP]},
    headers=("Idempotency-Key",),
    problems=(
        *(NotSignedIn, NotPermitted, NotFromHere, BodyUnreadable, BodyUnfit, MediaTypeUnknown),
        *(IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused),
    ),
    scopes=(Permission.ONBOARDING_READ, Permission.TASK_COMPLETE),
)


class WorkDoors(Controller):
    """What waits for somebody."""

    path = "/api/v1"
    tags = ("onboardings",)

    @get(
        "/work",
        operation_id="work.index",
        operation_class=described(_ALL),
        opt={"door": "partner"},
        sync_to_thread=True,
    )
    def index(self, request: PageRequest) -> Response[bytes]:
        """List the work of all customers, the earliest date first, with how much waits in each queue and since when."""
        asked, actor = read_query(request, WorkQuery), visit_of(request).actor
        shown = list_work(runtime_of(request), actor, site_of(request).organisation_id, asked).page()
        return answer_read(request, write(shown), link_next(request, shown.next))

    @get(
        "/tenants/{tenant_id:uuid}/work",
        operation_id="work.list",
        operation_class=described(_OWN),
        opt={"door": "tenant"},
        sync_to_thread=True,
    )
    def list(self, request: PageRequest, tenant_id: FromPath[UUID]) -> Response[bytes]:
        """List the work of one workspace, the earliest date first."""
        asked = read_query(request, WorkQuery)
        with begin_work(request, tenant_id) as work:
            shown = list_own_work(work, asked).page()
        return answer_read(request, write(shown), link_next(request, shown.next))

    @post(
        "/work/changes",
        operation_id="work.change",
        operation_class=described(_BULK),
        opt={"door": "partner"},
        status_code=200,
        sync_to_thread=True,
    )
    def change(self, request: PageRequest, body: RawBody) -> Response[bytes]:
        """Take or hand over up to 100 steps, one after the other; with `dry_run` only say what would become of each.

        What one of them meets stops none of the others. Sent again with its key, what was changed is not changed twice.
        """
        wish, key = read_body(request, body, BulkWork), read_key(request)
        done = change_many(runtime_of(request), visit_of(request).actor, wish, key=key, trace_id=trace_of(request))
        return answer_done(write(done), status=200)
