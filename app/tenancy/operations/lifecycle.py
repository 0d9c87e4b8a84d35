"""Suspends and resumes tenants: control decides, the cell follows at once or in the platform's next round."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.events import TenantResumed, TenantSuspended
from app.tenancy.operations.telling import Change, tell_cell
from app.tenancy.queries import find_entry
from app.tenancy.rules import UNKNOWN, OwnHome, Staff, TenantUnknown, WrongState, become, check_reason
from app.web.translations import mark
from tenants.models import Erasure, TenantEntry
from tenants.sessions import DatabaseAway, partner_session

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {"change_tenant": "the step that suspending, resuming, updating and erasing have in common, once allowed"}
Apply = Callable[
    [Session, TenantEntry, datetime], bool
]  # the row, locked, and the database's time; False: nothing to do


def suspend_tenant(runtime: Runtime, actor: Actor, tenant_id: UUID, *, reason: str, trace_id: str) -> None:
    """Stop all work in the tenant until it is resumed; done before, it stays done.

    Raises NotPermitted, TenantUnknown, WrongState, OwnHome, ReasonMissing, DatabaseAway.
    """
    require(Staff.of(actor), Permission.TENANT_SUSPEND)
    require(Staff.of(actor), Permission.TENANT_READ)  # the answer shows it
    change = _new(actor, TenantSuspended.type, reason=reason, trace_id=trace_id)
    change_tenant(runtime, actor, tenant_id, change, lambda _session, entry, _now: become(entry, "suspended"))


def resume_tenant(runtime: Runtime, actor: Actor, tenant_id: UUID, *, reason: str, trace_id: str) -> None:
    """Let work go on; done before, it stays done. Raises as `suspend_tenant` does."""
    require(Staff.of(actor), Permission.TENANT_SUSPEND)
    require(Staff.of(actor), Permission.TENANT_READ)  # the answer shows it
    change = _new(actor, TenantResumed.type, reason=reason, trace_id=trace_id)
    change_tenant(runtime, actor, tenant_id, change, lambda _session, entry, _now: become(entry, "active"))


def change_tenant(runtime: Runtime, actor: Actor, tenant_id: UUID, change: Change, apply: Apply) -> TenantEntry:
    """Change the tenant's row in control and have the cell told; `apply` says False where nothing is to be done.

    A cell that is away is told later: what control says holds already. Raises TenantUnknown and what `apply` raises.
    """
    organisation_id = actor.organisation_id
    if organisation_id is None:
        raise TenantUnknown(UNKNOWN)
    told = _catch_up(runtime, organisation_id, tenant_id)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        entry = find_entry(session, tenant_id, lock=True)
        if entry.kind == "home" and entry.organisation_id == organisation_id:
            raise OwnHome(mark("This is your own organisation's workspace. Ask the organisation above yours."))
        erasing = change.event.startswith("tenancy.erasure.")
        if entry.behind and not (erasing and entry.state == "requested" and _id_of(entry) == told):
            raise WrongState(mark("Another change of this workspace is being carried out. Try again in a moment."))
        if not erasing:
            _refuse_agreed(session, tenant_id)
        changed = apply(session, entry, now)
        if changed:
            entry.change, entry.changed_at, entry.behind = change.stored(), now, True
    if changed:
        try:
            tell_cell(runtime, entry.organisation_id, tenant_id)
        except (DatabaseAway, SlipwayError) as error:
            log.warning("tenancy.told_later", tenant_id=str(tenant_id), reason=str(error))
    return entry


def _refuse_agreed(session: Session, tenant_id: UUID) -> None:
    agreed = select(Erasure.id).where(Erasure.tenant_id == tenant_id, Erasure.state == "approved")
    if session.scalars(agreed).first() is not None:
        raise WrongState(mark("Two people have agreed to erase this workspace: nothing about it can be changed."))


def _new(actor: Actor, event: str, *, reason: str, trace_id: str, **facts: Any) -> Change:
    return Change(new_id(), event, actor, check_reason(reason), trace_id, facts)


def _catch_up(runtime: Runtime, organisation_id: UUID, tenant_id: UUID) -> str | None:
    """The change before this one is told first: none of them is missing in a trail. Returns its id.

    One that has no place yet stays behind, told at home: whoever erases it need not wait for a place that never comes.
    """
    with partner_session(runtime.databases, organisation_id, actor="tenancy") as (session, _now):
        entry = find_entry(session, tenant_id)
        if not entry.behind:
            return None
    tell_cell(runtime, entry.organisation_id, tenant_id)
    return _id_of(entry)


def _id_of(entry: TenantEntry) -> str | None:
    return str(entry.change["id"]) if entry.change else None
