"""Creates a tenant: control says it is wanted, the cell gives it a place, it is seeded, control says it is active.

Each step is repeatable and the request row is the resume point: killed between any two commits, the next call with the
same request key goes on where the last one stopped (DESIGN 4, flow "create tenant").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.actor import Actor
from app.kernel.errors import Conflict, SlipwayError, Unavailable
from app.kernel.events import plain
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.tenancy.events import TenantCreated
from app.tenancy.lookups import unfinished_requests
from tenants.models import TenantEntry
from tenants.sessions import lookup_session, partner_session, registry_session
from tenants.slots import ClaimedSlot, activate, claim_slot, make_slots
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {
    "create_tenant": "called by the admission flow and by set-up; its door checks tenant:create first",
    "resume_requests": "a platform job of the dispatcher",
}
SEEDING = frozenset({"seeding"})
Seed = Callable[[Work], None]


class RequestDiffers(Conflict):
    """The same request key asks for another tenant than before."""


class NoRoom(Unavailable):
    """No cell can take the tenant now."""


@dataclass(frozen=True, slots=True)
class TenantRequest:
    """What is wanted. `key` makes it once per organisation; `cause` joins the new trail to the home's entry."""

    organisation_id: UUID
    kind: str
    name: str
    key: str
    cause: dict[str, object] = field(default_factory=dict)


class Seeder:
    """What every new tenant gets in its first transaction; wired by bootstrap (keys, default delegation)."""

    def __init__(self, *seeds: Seed) -> None:
        self._seeds = seeds

    def seed(self, work: Work) -> None:
        """Run every seed; each is idempotent, since a killed creation runs them again."""
        for seed in self._seeds:
            seed(work)


def create_tenant(runtime: Runtime, actor: Actor, request: TenantRequest, *, trace_id: str) -> Tenant:
    """Make the tenant, or return the one this request key has made before. Usable when it returns.

    Raises RequestDiffers when the key stands for another tenant, NoRoom when no place could be made.
    """
    entry = _request(runtime, actor, request)
    cell = "main" if entry.cell_name is None else entry.cell_name
    slot = _claim(runtime, cell, entry.id)
    tenant = Tenant(
        id=entry.id,
        organisation_id=entry.organisation_id,
        kind=entry.kind,
        name=entry.name,
        cell=cell,
        schema=slot.schema,
        role=slot.role,
        gateway=slot.gateway,
        state="active",
    )
    if entry.state == "requested":
        _seed(runtime, tenant, actor, entry, trace_id=trace_id)
        _activate(runtime, actor, tenant)
    return tenant


def resume_requests(runtime: Runtime, actor: Actor, *, trace_id: str, seconds: int = 30) -> int:
    """Finish what a killed process left half done, the next also where one cannot be. Returns how many were."""
    finished = 0
    with lookup_session(runtime.databases) as (session, _now):
        unfinished = unfinished_requests(session, seconds=seconds)
    for organisation_id, key in unfinished:
        with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
            entry = _find(session, organisation_id, key)
        if entry is None:
            continue
        wanted = TenantRequest(organisation_id, kind=entry.kind, name=entry.name, key=key, cause=entry.cause)
        try:
            create_tenant(runtime, actor, wanted, trace_id=trace_id)
            finished += 1
        except SlipwayError as error:
            log.warning("tenancy.request_stuck", request_id=str(entry.id), reason=str(error))
    return finished


def _request(runtime: Runtime, actor: Actor, request: TenantRequest) -> TenantEntry:
    with partner_session(runtime.databases, request.organisation_id, actor=actor.label) as (session, now):
        wanted = insert(TenantEntry).values(
            id=new_id(),
            organisation_id=request.organisation_id,
            kind=request.kind,
            name=request.name,
            state="requested",
            request_key=request.key,
            cause=plain(request.cause),
            requested_at=now,
        )
        session.connection().execute(wanted.on_conflict_do_nothing())
        entry = _find(session, request.organisation_id, request.key)
    if entry is None or (entry.kind, entry.name) != (request.kind, request.name):
        raise RequestDiffers("This request was made before, for another tenant. Use a new key for a new tenant.")
    return entry


def _find(session: Session, organisation_id: UUID, key: str) -> TenantEntry | None:
    query = select(TenantEntry).where(TenantEntry.organisation_id == organisation_id, TenantEntry.request_key == key)
    return session.scalars(query).one_or_none()


def _claim(runtime: Runtime, cell: str, tenant_id: UUID) -> ClaimedSlot:
    """A slot from the warm pool; the cold path makes one first and is slower, not wrong."""
    for _try in range(3):
        try:
            with registry_session(runtime.databases, cell, actor="registry") as (session, _now):
                slot = claim_slot(session, tenant_id)
        except IntegrityError:
            continue  # somebody else is finishing the same request: the next look finds what it claimed
        if slot is not None:
            return slot
        make_slots(runtime.databases, cell, 1)
    raise NoRoom("No workspace could be prepared right now. Try again in a moment.")


def _seed(runtime: Runtime, tenant: Tenant, actor: Actor, entry: TenantEntry, *, trace_id: str) -> None:
    """The first transaction in the tenant: its keys, its default delegation, its first trail entry. Once."""
    with open_work(runtime, tenant, actor, trace_id=trace_id, states=SEEDING | {"active"}) as work:
        work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:id, 0))"), {"id": str(tenant.id)})
        if work.session.execute(text("SELECT 1 FROM trail LIMIT 1")).first():
            return
        work.record(
            TenantCreated(
                subject_id=tenant.id,
                name=tenant.name,
                kind=tenant.kind,
                organisation_id=tenant.organisation_id,
                **entry.cause,
            )
        )
        runtime.service(Seeder).seed(work)


def _activate(runtime: Runtime, actor: Actor, tenant: Tenant) -> None:
    """First the cell, which sessions obey, then the directory, which routes."""
    with registry_session(runtime.databases, tenant.cell, actor=actor.label) as (session, _now):
        activate(session, tenant.id)
    with partner_session(runtime.databases, tenant.organisation_id, actor=actor.label) as (session, now):
        place = {"cell_name": tenant.cell, "schema_name": tenant.schema, "role_name": tenant.role}
        session.execute(
            update(TenantEntry)
            .where(TenantEntry.id == tenant.id, TenantEntry.state == "requested")
            .values(**place, gateway=tenant.gateway, state="active", active_at=now)
        )
