"""Erases a tenant: one person asks, another agrees, then its key is destroyed, and at last its data dropped.

The key goes first: from then on neither the database nor a backup of it yields a secret. Each step is repeatable, and
the row of the erasure is the resume point (DESIGN 4: shredded, dropped). What never became active is erased likewise,
an abandoned import say: whoever still makes it at that moment loses, and leaves nothing behind.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.duties import require_another, require_person
from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import Missing, SlipwayError
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.tenancy.events import ErasureApproved, ErasureRequested, ErasureWithdrawn, TenantErased
from app.tenancy.lookups import open_erasures
from app.tenancy.operations.lifecycle import change_tenant
from app.tenancy.operations.telling import Change, tell_cell
from app.tenancy.queries import find_entry
from app.tenancy.rules import Staff, WrongState, become, check_reason
from app.vault.files.folder import FileFolder
from app.vault.keyring import Keyring
from app.vault.operations.switch import KEYS_TOPIC, destroy_keys
from app.web.translations import mark
from tenants.models import Erasure, TenantEntry
from tenants.registry import tenant_of
from tenants.sessions import DatabaseAway, lookup_session, partner_session, registry_session
from tenants.slots import drop_slot
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {
    "carry_out": "the erasure that two people have agreed on; called by the approval and by the platform's round",
    "carry_out_all": "a platform job of the dispatcher",
    "forget_late": "a platform job of the dispatcher",
}
_OPEN = ("requested", "approved")
_GOING = frozenset({"active", "suspended", "exporting"})
_COMING = frozenset({"requested", "seeding"})
_DESTROYED = frozenset({*_GOING, "shredded"})


class NoErasure(Missing):
    """Nobody has asked for it to be erased."""


def request_erasure(runtime: Runtime, actor: Actor, tenant_id: UUID, *, reason: str, trace_id: str) -> Erasure:
    """Ask for the tenant to be erased. Nothing happens to it until a second person agrees; asked again, the same row.

    Raises NotPermitted, TenantUnknown, OwnHome, WrongState, ReasonMissing, DatabaseAway.
    """
    require(Staff.of(actor), Permission.TENANT_ERASE)
    change = Change(new_id(), ErasureRequested.type, actor, check_reason(reason), trace_id, {})

    def ask(session: Session, entry: TenantEntry, now: datetime) -> bool:
        if entry.state not in _GOING | _COMING:
            raise WrongState(mark("The state of this workspace does not allow that."))
        if _open_erasure(session, tenant_id) is not None:
            return False
        session.add(
            Erasure(
                id=change.id,
                tenant_id=tenant_id,
                organisation_id=entry.organisation_id,
                state="requested",
                reason=change.reason,
                trace_id=trace_id,
                requested_by=actor.id,
                requested_name=actor.name,
                requested_at=now,
            )
        )
        return True

    try:
        change_tenant(runtime, actor, tenant_id, change, ask)
    except IntegrityError:
        log.info("tenancy.erasure_asked_twice", tenant_id=str(tenant_id))  # at the same moment: the other row holds
    return read_erasure(runtime, actor, tenant_id)


def withdraw_erasure(runtime: Runtime, actor: Actor, tenant_id: UUID, *, reason: str, trace_id: str) -> Erasure:
    """Take the wish back while nobody has agreed. Raises as `request_erasure` does, NoErasure, WrongState."""
    require(Staff.of(actor), Permission.TENANT_ERASE)
    change = Change(new_id(), ErasureWithdrawn.type, actor, check_reason(reason), trace_id, {})

    def withdraw(session: Session, _entry: TenantEntry, now: datetime) -> bool:
        erasure = _require_open(session, tenant_id)
        if erasure.state != "requested":
            raise WrongState(mark("A second person has agreed already: it can no longer be taken back."))
        erasure.state = "withdrawn"
        erasure.decided_by, erasure.decided_name, erasure.decided_at = actor.id, actor.name, now
        return True

    change_tenant(runtime, actor, tenant_id, change, withdraw)
    return read_erasure(runtime, actor, tenant_id)


def approve_erasure(runtime: Runtime, actor: Actor, tenant_id: UUID, *, reason: str, trace_id: str) -> Erasure:
    """Agree, as another person than the one who asked; the key is destroyed and the data dropped right away.

    Raises as `request_erasure` does, NoErasure, SecondPersonNeeded. Stopped in between, the platform's round goes on.
    """
    require(Staff.of(actor), Permission.TENANT_ERASE)
    change = Change(new_id(), ErasureApproved.type, actor, check_reason(reason), trace_id, {})

    def agree(session: Session, entry: TenantEntry, now: datetime) -> bool:
        erasure = _require_open(session, tenant_id)
        require_person(actor)  # whoever asked may hold a program's secret
        require_another(erasure.requested_by, actor)
        if erasure.state == "approved":
            return False
        if entry.state == "exporting":
            raise WrongState(mark("This workspace is being exported. Wait for the end of it, or cancel it first."))
        erasure.state = "approved"
        erasure.decided_by, erasure.decided_name, erasure.decided_at = actor.id, actor.name, now
        become(entry, "exporting")  # from here on nobody works in it
        return True

    entry = change_tenant(runtime, actor, tenant_id, change, agree)
    try:
        carry_out(runtime, entry.organisation_id, tenant_id)
    except (DatabaseAway, SlipwayError) as error:
        log.warning("tenancy.erased_later", tenant_id=str(tenant_id), reason=str(error))
    return read_erasure(runtime, actor, tenant_id)


def read_erasure(runtime: Runtime, actor: Actor, tenant_id: UUID) -> Erasure:
    """The last erasure of the tenant. Raises NotPermitted, TenantUnknown, NoErasure."""
    require(Staff.of(actor), Permission.TENANT_READ)
    with partner_session(runtime.databases, actor.organisation_id or UUID(int=0), actor=actor.label) as (session, _now):
        find_entry(session, tenant_id)
        query = select(Erasure).where(Erasure.tenant_id == tenant_id).order_by(Erasure.id.desc()).limit(1)
        erasure = session.scalars(query).one_or_none()
    if erasure is None:
        raise NoErasure(mark("Nobody has asked for this workspace to be erased."))
    return erasure


def carry_out(runtime: Runtime, organisation_id: UUID, tenant_id: UUID) -> None:
    """Go through the steps that are left: destroy the key, drop the data, take it out of every list."""
    tell_cell(runtime, organisation_id, tenant_id)  # the approval stands in the trails before the trail is gone
    with partner_session(runtime.databases, organisation_id, actor="erasure") as (session, _now):
        entry, erasure = find_entry(session, tenant_id), _approved(session, tenant_id)
    if erasure is None:
        return
    if erasure.effective_at is None:
        _shred(runtime, entry, erasure)
    _drop(runtime, organisation_id, tenant_id)


def carry_out_all(runtime: Runtime, *, seconds: int = 60) -> int:
    """Go on with every erasure that two people agreed on; the next also where one cannot be. Returns how many ended.

    Those of the last `seconds` are left to whoever agreed: they are carrying it out.
    """
    with lookup_session(runtime.databases, actor="erasure") as (session, _now):
        waiting = open_erasures(session, seconds=seconds)
    ended, away = 0, set[str]()
    for cell, organisation_id, tenant_id in waiting:
        if cell in away:
            continue
        try:
            carry_out(runtime, organisation_id, tenant_id)
            ended += 1
        except (DatabaseAway, SlipwayError) as error:
            log.warning("tenancy.erasure_stuck", tenant_id=str(tenant_id), reason=str(error))
            away |= {cell} if isinstance(error, DatabaseAway) else set()
    return ended


def forget_late(runtime: Runtime) -> None:
    """Take out of control what transactions that were under way have written of tenants after they were forgotten."""
    with lookup_session(runtime.databases, actor="erasure") as (session, _now):
        session.execute(text("SELECT control.forget_dropped()"))


def _shred(runtime: Runtime, entry: TenantEntry, erasure: Erasure) -> None:
    """The key first, then what says so: killed in between, destroying it again does no harm."""
    actor = Actor(kind="person", id=erasure.decided_by or erasure.requested_by, name=erasure.decided_name or "")
    tenant = tenant_of(entry)
    if tenant.schema:
        with open_work(runtime, tenant, actor, trace_id=erasure.trace_id, states=_DESTROYED) as work:
            effective_at = destroy_keys(work, runtime.service(Keyring), reason=erasure.reason)
        with registry_session(runtime.databases, tenant.cell, actor="erasure") as (session, now):
            session.execute(_SHREDDED, {"tenant": tenant.id, "now": now})
    else:
        effective_at = _give_up(runtime, tenant)
    done = TenantErased.type, actor, erasure.reason, erasure.trace_id, {"effective_at": effective_at.isoformat()}
    change = Change(new_id(), *done)
    with partner_session(runtime.databases, entry.organisation_id, actor="erasure") as (session, now):
        _note_shredded(session, tenant.id, change, now, effective_at)
    tell_cell(runtime, entry.organisation_id, tenant.id)


def _give_up(runtime: Runtime, tenant: Tenant) -> datetime:
    """The same for one without a place in the directory. The cell may have given it one; it gives none from now on."""
    keyring = runtime.service(Keyring)
    keyring.wrapping.destroy(tenant.id)  # leaves a marker: nobody makes the key after this
    runtime.wake.publish([KEYS_TOPIC])
    with registry_session(runtime.databases, tenant.cell, actor="erasure") as (session, now):
        session.execute(_REFUSED, {"tenant": tenant.id, "kind": tenant.kind})
    return now + timedelta(days=keyring.backup_days)


def _note_shredded(session: Session, tenant_id: UUID, change: Change, now: datetime, effective_at: datetime) -> None:
    entry, erasure = find_entry(session, tenant_id, lock=True), _approved(session, tenant_id)
    if erasure is None or entry.state == "shredded":
        return
    become(entry, "shredded")
    entry.change, entry.changed_at, entry.behind = change.stored(), now, True
    erasure.state, erasure.shredded_at, erasure.effective_at = "shredded", now, effective_at


def _drop(runtime: Runtime, organisation_id: UUID, tenant_id: UUID) -> None:
    """The schema, its role and its rows in the cell; then what control knew of it but that it was."""
    with partner_session(runtime.databases, organisation_id, actor="erasure") as (session, _now):
        tenant = tenant_of(find_entry(session, tenant_id))
    drop_slot(runtime.databases, tenant.cell, tenant.id)
    runtime.service(FileFolder).drop(tenant.id)  # nothing opens them since the key is gone, nothing names them any more
    with lookup_session(runtime.databases, actor="erasure") as (session, _now):
        session.execute(text("SELECT control.forget_tenant(:tenant)"), {"tenant": tenant_id})
    with partner_session(runtime.databases, organisation_id, actor="erasure") as (session, now):
        entry, erasure = find_entry(session, tenant_id, lock=True), _approved(session, tenant_id)
        if erasure is None or not become(entry, "dropped"):
            return
        entry.name, entry.external_id, entry.change, entry.changed_at = "", None, None, now
        entry.schema_name = entry.role_name = entry.gateway = None
        erasure.state, erasure.dropped_at = "dropped", now


def _open_erasure(session: Session, tenant_id: UUID) -> Erasure | None:
    return session.scalars(
        select(Erasure).where(Erasure.tenant_id == tenant_id, Erasure.state.in_(_OPEN))
    ).one_or_none()


def _require_open(session: Session, tenant_id: UUID) -> Erasure:
    erasure = _open_erasure(session, tenant_id)
    if erasure is None:
        raise NoErasure(mark("Nobody has asked for this workspace to be erased."))
    return erasure


def _approved(session: Session, tenant_id: UUID) -> Erasure | None:
    query = select(Erasure).where(Erasure.tenant_id == tenant_id, Erasure.state.in_(("approved", "shredded")))
    return session.scalars(query).one_or_none()


_REFUSED = text("SELECT cell.refuse(:tenant, :kind)")
_SHREDDED = text(
    "UPDATE cell.tenant SET state = 'shredded', changed_at = :now WHERE id = :tenant AND state <> 'dropped'"
)
