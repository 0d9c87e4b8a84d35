"""The JSON doors of a connection's settings."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Controller, Request, Response, get, post, put
from litestar.params import FromPath, RawBody

from app.connectors.settings import described
from app.connectors.settings.operations import (
    approve_access,
    change_settings,
    get_settings,
    lift_pause,
    refuse_access,
    roll_back_settings,
)
from app.connectors.settings.undoing import compensate_run
from app.connectors.settings.wire import RollbackWanted, SettingsWanted, UndoingOut, UndoingWanted, settings_out
from app.kernel.commands import Result
from app.kernel.work import Work
from app.web.begin import begin_work, run_once
from app.web.wire.answering import answer_done, answer_read, write
from app.web.wire.openapi import described as account
from app.web.wire.reading import read_body, read_key

PageRequest = Request[Any, Any, Any]


class SettingsDoors(Controller):
    """How one connection is set."""

    path = "/api/v1/tenants/{tenant_id:uuid}/connections/{system_id:uuid}/settings"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("connections",)

    @get("/", operation_id="connection_settings.read", operation_class=account(described.READ), sync_to_thread=True)
    def read(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[bytes]:
        """Read how a connection is set, its versions with what each has changed, and whether it is left alone now."""
        with begin_work(request, tenant_id) as work:
            content = write(settings_out(get_settings(work, system_id)))
        return answer_read(request, content)

    @put("/", operation_id="connection_settings.change", operation_class=account(described.CHANGE), sync_to_thread=True)
    def change(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Set a connection otherwise. An attempt under way ends as it began; the next goes by the new version."""
        key = read_key(request)
        wanted = read_body(request, body, SettingsWanted)

        def operation(work: Work) -> Result:
            change_settings(work, system_id, wanted.config(), seen=wanted.seen, reason=wanted.reason)
            return {}

        return _done(request, tenant_id, system_id, key, wanted, operation)

    @post(
        "/rollback",
        operation_id="connection_settings.roll_back",
        operation_class=account(described.ROLLBACK),
        status_code=200,
        sync_to_thread=True,
    )
    def roll_back(
        self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Take an earlier version again, as a new one."""
        key = read_key(request)
        wanted = read_body(request, body, RollbackWanted)

        def operation(work: Work) -> Result:
            roll_back_settings(work, system_id, wanted.version, reason=wanted.reason)
            return {}

        return _done(request, tenant_id, system_id, key, wanted, operation)

    @post(
        "/approval",
        operation_id="connection_settings.approve",
        operation_class=account(described.APPROVE),
        status_code=200,
        sync_to_thread=True,
    )
    def approve(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[bytes]:
        """Let a connection do what somebody else has asked for."""
        key = read_key(request)

        def operation(work: Work) -> Result:
            return {"version": approve_access(work, system_id).number}

        return _done(request, tenant_id, system_id, key, None, operation)

    @post(
        "/refusal",
        operation_id="connection_settings.refuse",
        operation_class=account(described.REFUSE),
        status_code=200,
        sync_to_thread=True,
    )
    def refuse(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[bytes]:
        """Refuse what somebody has asked for, or take it back."""
        key = read_key(request)

        def operation(work: Work) -> Result:
            refuse_access(work, system_id)
            return {}

        return _done(request, tenant_id, system_id, key, None, operation)

    @post(
        "/resumption",
        operation_id="connection_settings.resume",
        operation_class=account(described.LIFT),
        status_code=200,
        sync_to_thread=True,
    )
    def resume(self, request: PageRequest, tenant_id: FromPath[UUID], system_id: FromPath[UUID]) -> Response[bytes]:
        """Have a connection called again at once that is left alone for a while."""
        key = read_key(request)

        def operation(work: Work) -> Result:
            lift_pause(work, system_id)
            return {}

        return _done(request, tenant_id, system_id, key, None, operation)


class RunDoors(Controller):
    """What a person decides of one run."""

    path = "/api/v1/tenants/{tenant_id:uuid}/runs/{run_id:uuid}"
    opt = {"door": "tenant"}  # noqa: RUF012 - Litestar's own spelling of a controller's options
    tags = ("connections",)

    @post(
        "/compensation",
        operation_id="runs.compensate",
        operation_class=account(described.UNDO),
        status_code=202,
        sync_to_thread=True,
    )
    def compensate(
        self, request: PageRequest, tenant_id: FromPath[UUID], run_id: FromPath[UUID], body: RawBody
    ) -> Response[bytes]:
        """Have undone what a run did, by the action that its connector names for it."""
        key = read_key(request)
        wanted = read_body(request, body, UndoingWanted)

        def operation(work: Work) -> Result:
            return {"run": str(compensate_run(work, run_id, reason=wanted.reason))}

        made, replayed = run_once(request, tenant_id, key=key, body=wanted, operation=operation)
        return answer_done(write(UndoingOut(UUID(str(made["run"])))), status=202, replayed=replayed)


def _done(
    request: PageRequest,
    tenant_id: UUID,
    connection_id: UUID,
    key: str,
    body: object,
    operation: Callable[[Work], Result],
) -> Response[bytes]:
    _result, replayed = run_once(request, tenant_id, key=key, body=body, operation=operation)
    with begin_work(request, tenant_id) as work:
        content = write(settings_out(get_settings(work, connection_id)))
    return answer_done(content, status=200, replayed=replayed)
