"""Suspends and resumes tenants: control decides, the cell follows at once or in the platform's next round."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid, SlipwayError
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.tenancy.events import TenantResumed, TenantSuspended
from app.tenancy.operations.telling import Change, tell_cell
from app.tenancy.queries import Staff, TenantUnknown
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.sessions import DatabaseAway, partner_session
from tenants.tenant import TRANSITIONS

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {"change_tenant": "the step that suspending, resuming, updating and erasing have in common, once allowed"}
_LONGEST_REASON = 500


class WrongState(Conflict):
    """The tenant's state does not allow it."""


class OwnHome(Conflict):
    """An organisation cannot lock itself out of its own home."""


class ReasonMissing(Invalid):
    """What is done to a tenant as a whole needs a reason that people will understand later."""


def suspend_tenant(runtime: Runtime, actor: Actor, tenant_id: UUID, *, reason: str, trace_id: str) -> None:
    """Stop all work in the tenant until it is resumed; done before, it stays done.

    Raises NotPermitted, TenantUnknown, WrongState, OwnHome, ReasonMissing, DatabaseAway.
    """
    require(Staff.of(actor), Permission.TENANT_SUSPEND)
    change = _new(actor, TenantSuspended.type, reason=reason, trace_id=trace_id)
    change_tenant(runtime, actor, tenant_id, change, lambda _session, entry: become(entry, "suspended"))


def resume_tenant(runtime: Runtime, actor: Actor, tenant_id: UUID, *, reason: str, trace_id: str) -> None:
    """Let work go on; done before, it stays done. Raises as `suspend_tenant` does."""
    require(Staff.of(actor), Permission.TENANT_SUSPEND)
    change = _new(actor, TenantResumed.type, reason=reason, trace_id=trace_id)
    change_tenant(runtime, actor, tenant_id, change, lambda _session, entry: become(entry, "active"))


def change_tenant(
    runtime: Runtime, actor: Actor, tenant_id: UUID, change: Change, apply: Callable[[Session, TenantEntry], bool]
) -> TenantEntry:
    """Change the tenant's row in control and have the cell told; `apply` says False where nothing is to be done.

    A cell that is away is told later: what control says holds already. Raises TenantUnknown and what `apply` raises.
    """
    organisation_id = actor.organisation_id
    if organisation_id is None:
        raise TenantUnknown(_UNKNOWN)
    _catch_up(runtime, organisation_id, tenant_id)
    with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, now):
        entry = find_entry(session, tenant_id, lock=True)
        if entry.kind == "home" and entry.organisation_id == organisation_id:
            raise OwnHome(mark("This is your own organisation's workspace. Ask the organisation above yours."))
        if entry.behind:
            raise WrongState(mark("Another change of this workspace is being carried out. Try again in a moment."))
        changed = apply(session, entry)
        if changed:
            entry.change, entry.changed_at, entry.behind = change.stored(), now, True
    if changed:
        try:
            tell_cell(runtime, entry.organisation_id, tenant_id)
        except (DatabaseAway, SlipwayError) as error:
            log.warning("tenancy.told_later", tenant_id=str(tenant_id), reason=str(error))
    return entry


def find_entry(session: Session, tenant_id: UUID, *, lock: bool = False) -> TenantEntry:
    """The tenant's row as far as this organisation's scope sees it. Raises TenantUnknown."""
    query = select(TenantEntry).where(TenantEntry.id == tenant_id)
    entry = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if entry is None:
        raise TenantUnknown(_UNKNOWN)
    return entry


def become(entry: TenantEntry, state: str) -> bool:
    """Put the row into the state; False where it is in it already. Raises WrongState."""
    if entry.state == state:
        return False
    if entry.state not in TRANSITIONS[state]:
        error = WrongState(mark("The state of this workspace does not allow that."))
        error.extensions = {"state": entry.state}
        raise error
    entry.state = state
    return True


def _new(actor: Actor, event: str, *, reason: str, trace_id: str, **facts: Any) -> Change:
    return Change(new_id(), event, actor, check_reason(reason), trace_id, facts)


def check_reason(reason: str) -> str:
    """The reason without surrounding blanks. Raises ReasonMissing when it says nothing or too much."""
    said = reason.strip()
    if not said or len(said) > _LONGEST_REASON:
        raise ReasonMissing(mark("Say why, in at most 500 characters: it is kept in the trail."))
    return said


def _catch_up(runtime: Runtime, organisation_id: UUID, tenant_id: UUID) -> None:
    """The change before this one is told first: none of them is missing in a trail."""
    with partner_session(runtime.databases, organisation_id, actor="tenancy") as (session, _now):
        entry = find_entry(session, tenant_id)
        if not entry.behind:
            return
    tell_cell(runtime, entry.organisation_id, tenant_id)


_UNKNOWN = mark("There is no such workspace.")
