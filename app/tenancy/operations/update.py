"""Changes what a tenant is called and sold: name, plan, limits, package. Control decides, the cell follows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.events import TenantChanged
from app.tenancy.operations.creation import ExternalIdTaken
from app.tenancy.operations.lifecycle import change_tenant
from app.tenancy.operations.provisioning import check_limits
from app.tenancy.operations.telling import Change
from app.tenancy.queries import show
from app.tenancy.rules import Staff, WrongState, merged
from app.tenancy.schemas import TenantPatch
from app.web.security import Front
from app.web.translations import mark
from app.web.wire.answering import etag_of, write
from tenants.models import TenantEntry

_COLUMNS = {"name": "name", "external_id": "external_id", "plan": "plan_key", "service_package": "service_package"}
_GONE = frozenset({"shredded", "dropped"})


class Stale(Conflict):
    """The workspace has changed since you read it."""

    status = 412


def update_tenant(
    runtime: Runtime, actor: Actor, tenant_id: UUID, patch: TenantPatch, *, versions: frozenset[str], trace_id: str
) -> None:
    """Apply the patch to the version that the sender has read: one of these ETags, or any where `*` is among them.

    Raises NotPermitted, TenantUnknown, Stale, WrongState, OwnHome, PlanUnknown, LimitWider, ExternalIdTaken.
    """
    require(Staff.of(actor), Permission.TENANT_UPDATE)
    require(Staff.of(actor), Permission.TENANT_READ)  # the answer shows it
    changed: list[str] = []
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    told = {"changed": changed, "before": before, "after": after}
    change = Change(new_id(), TenantChanged.type, actor, "", trace_id, told)

    def apply(session: Session, entry: TenantEntry, _now: datetime) -> bool:
        version = etag_of(write(show(session, runtime.service(Front), tenant_id)))
        if not versions & {"*", version}:
            raise Stale(mark("The workspace has changed since you read it. Read it again, then change it."))
        if entry.state in _GONE:
            raise WrongState(mark("The state of this workspace does not allow that."))
        for name, value in _wanted(entry, patch):
            if getattr(entry, name) != value:
                before[name], after[name] = getattr(entry, name), value
                setattr(entry, name, value)
                changed.append(name)
        if {"plan_key", "limits"} & set(changed):
            with session.no_autoflush:  # what the flush may meet is named in one place
                check_limits(session, actor, entry.limits or {}, entry.plan_key)
        return _flushed(session, entry) and bool(changed)

    change_tenant(runtime, actor, tenant_id, change, apply)


def _wanted(entry: TenantEntry, patch: TenantPatch) -> Iterator[tuple[str, Any]]:
    """Columns and the values they are to have."""
    given = {name: getattr(patch, name) for name in _COLUMNS}
    yield from ((_COLUMNS[name], value) for name, value in given.items() if value is not UNSET)
    if patch.limits is not UNSET:
        yield "limits", merged(entry.limits, None if patch.limits is None else msgspec.to_builtins(patch.limits))


def _flushed(session: Session, entry: TenantEntry) -> bool:
    external_id = entry.external_id
    try:
        session.flush()
    except IntegrityError as error:
        raise ExternalIdTaken(f"Another workspace already has the external id {external_id}.") from error
    return True
