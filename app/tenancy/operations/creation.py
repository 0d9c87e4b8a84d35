"""Creates a tenant: control says it is wanted and where, the cell makes it in one commit, control says it is active.

Each step is repeatable and the request row is the resume point: killed between any two commits, the next call with the
same request key goes on where the last one stopped (DESIGN 4, flow "create tenant").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid, SlipwayError, Unavailable
from app.kernel.events import plain
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_founding
from app.tenancy.events import TenantCreated
from app.tenancy.lookups import unfinished_requests
from app.tenancy.operations.leaving import GONE, LEAVING, TenantLeaves, ended_by_erasure, is_leaving
from tenants.cells import NoCell
from tenants.engines import CellUnknown
from tenants.models import Plan, TenantEntry
from tenants.registry import FIRST_CELL, tenant_of
from tenants.schema.head import tenant_revision
from tenants.sessions import DatabaseAway, Founding, lookup_session, partner_session, registry_session
from tenants.slots import gateways_with_slots, make_slots
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {
    "create_tenant": "called by the admission flow and by set-up; its door checks tenant:create first",
    "resume_requests": "a platform job of the dispatcher",
    "keep_within_quota": "part of a creation and of an import, each of which has been let in",
}
Seed = Callable[[Work], None]
_TRIES = 6  # a slot that was free, or was made on the spot, may be taken by somebody else, but not for ever


# Said once and kept, since building a statement anew costs more than running it.
_WANTED = (
    *("id", "organisation_id", "kind", "name", "state", "request_key", "cause", "requested_at", "cell_name"),
    *("plan_key", "region", "external_id", "service_package", "limits"),
)
_INSERT = (
    insert(TenantEntry.__table__)  # type: ignore[arg-type]  # a Table, which the ORM's base does not say
    .values({name: bindparam(name) for name in _WANTED})
    .on_conflict_do_nothing()
    .returning(TenantEntry.id)
)
# What was changed before the tenant had a place is told to the cell now that it has one.
_PLACED = text(
    "UPDATE control.tenant SET schema_name = :schema, role_name = :role, gateway = :gateway, state = 'active',"
    " active_at = :now, behind = change IS NOT NULL WHERE id = :tenant AND state = 'requested'"
    " RETURNING set_config('synchronous_commit', 'off', true)"
)


class RequestDiffers(Conflict):
    """The same request key asks for another tenant than before."""


class ExternalIdTaken(Conflict):
    """Another tenant of this organisation has this external id."""


class QuotaReached(Conflict):
    """The organisation, or one above it, has as many customers' tenants as the operator lets it have."""


class PlanUnknown(Invalid):
    """There is no plan of that name."""


class NoRoom(Unavailable):
    """No cell can take the tenant now."""


@dataclass(frozen=True, slots=True)
class TenantRequest:
    """What is wanted. `key` makes it once per organisation; `cause` joins the new trail to the home's entry.

    `cell` names one, else it is chosen by plan and region; `limits` go over those of the plan. `keeps_sold`: a tenant
    that the key has made keeps its limits and its package, though others are sold by now; who wants them changes it.
    """

    organisation_id: UUID
    kind: str
    name: str
    key: str
    cause: dict[str, object] = field(default_factory=dict)
    plan: str | None = None
    region: str | None = None
    cell: str | None = None
    external_id: str | None = None
    service_package: str | None = None
    limits: dict[str, int] | None = None
    keeps_sold: bool = False

    def differs_from(self, entry: TenantEntry) -> bool:
        """Whether the row was made for something else; the cell only where one was named."""
        mine = (self.kind, self.name, self.plan, self.region, self.external_id)
        theirs = (entry.kind, entry.name, entry.plan_key, entry.region, entry.external_id)
        sold = self.keeps_sold or (self.service_package, self.limits) == (entry.service_package, entry.limits)
        return mine != theirs or not sold or self.cell not in {None, entry.cell_name}


class Seeder:
    """What every new tenant gets in its first transaction; wired by bootstrap (keys, default delegation)."""

    def __init__(self, *seeds: Seed) -> None:
        self._seeds = seeds

    def seed(self, work: Work) -> None:
        """Run every seed, in the transaction that makes the tenant whole; an imported one may have what they make."""
        for seed in self._seeds:
            seed(work)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The request's row, and what its plan gives the tenant."""

    entry: TenantEntry
    weight: int
    limits: dict[str, Any]


def create_tenant(runtime: Runtime, actor: Actor, request: TenantRequest, *, trace_id: str) -> Tenant:
    """Make the tenant, or return the one this request key has made before. Usable when it returns.

    Raises RequestDiffers when the key stands for another tenant, ExternalIdTaken, PlanUnknown, QuotaReached,
    TenantLeaves when it is erased meanwhile, and NoRoom when no cell takes it or no place could be made.
    """
    return _finish(runtime, actor, _request(runtime, actor, request), trace_id=trace_id)


def resume_requests(runtime: Runtime, actor: Actor, *, trace_id: str, seconds: int = 30) -> int:
    """Finish what a killed process left half done, the next also where one cannot be. Returns how many were."""
    finished = 0
    with lookup_session(runtime.databases) as (session, _now):
        unfinished = unfinished_requests(session, seconds=seconds)
    away: set[str] = set()
    for cell, organisation_id, key in unfinished:
        if cell in away:
            continue
        try:
            with partner_session(runtime.databases, organisation_id, actor=actor.label) as (session, _now):
                asked = _asked(session, organisation_id, key)
            if asked is None:
                continue
            _finish(runtime, actor, asked, trace_id=trace_id)
            finished += 1
        except (SlipwayError, DatabaseAway) as error:
            log.warning("tenancy.request_stuck", organisation_id=str(organisation_id), key=key, reason=str(error))
            away |= {cell} if isinstance(error, DatabaseAway) else set()
    return finished


def _request(runtime: Runtime, actor: Actor, request: TenantRequest) -> _Asked:
    """The first commit: that the tenant is wanted, by whom, and in which cell it will be."""
    cell, reason = _place(runtime, request)
    try:
        with partner_session(runtime.databases, request.organisation_id, actor=actor.label) as (session, now):
            made = None if cell is None else _insert(session, request, cell, now)
            if made is not None and request.kind == "customer":
                keep_within_quota(session, request.organisation_id)
            if made is not None and made.plan_key is None:
                return _Asked(made, weight=1, limits=made.limits or {})
            asked = _asked(session, request.organisation_id, request.key)
    except IntegrityError as error:
        raise PlanUnknown(f"There is no plan called {request.plan}.") from error
    if asked is None and cell is None:
        raise NoRoom(reason)
    if asked is None:
        raise ExternalIdTaken(f"Another workspace already has the external id {request.external_id}.")
    if request.differs_from(asked.entry):
        raise RequestDiffers("This request was made before, for another tenant. Use a new key for a new tenant.")
    return asked


def _insert(session: Session, request: TenantRequest, cell: str, now: datetime) -> TenantEntry | None:
    """The new row; None where a key or an external id is taken, and then nothing is changed."""
    entry = TenantEntry(
        id=new_id(),
        organisation_id=request.organisation_id,
        kind=request.kind,
        name=request.name,
        state="requested",
        request_key=request.key,
        cause=plain(request.cause),
        requested_at=now,
        cell_name=cell,
        plan_key=request.plan,
        region=request.region,
        external_id=request.external_id,
        service_package=request.service_package,
        limits=request.limits,
    )
    values = {name: getattr(entry, name) for name in _WANTED}
    return entry if session.connection().execute(_INSERT, values).one_or_none() else None


def _place(runtime: Runtime, request: TenantRequest) -> tuple[str | None, str]:
    """The cell for it; where none takes it, why. A request that was made before has its cell already."""
    try:
        return runtime.placement.cell_for(plan=request.plan, region=request.region, wanted=request.cell), ""
    except NoCell as error:
        return None, str(error)


def keep_within_quota(session: Session, organisation_id: UUID) -> None:
    """Quotas of the organisation and of all above it; two who ask at once are counted one after the other.

    Called when the new row is there, in its transaction. Raises QuotaReached.
    """
    query = text("SELECT * FROM control.exceeded_quota(:organisation)")
    row = session.execute(query, {"organisation": organisation_id}).one_or_none()
    if row is not None:
        whose = "Your organisation" if row.own else "The agreement you work under"
        raise QuotaReached(f"{whose} allows {row.quota} workspaces, and all are in use. Ask for more, or erase one.")


def _asked(session: Session, organisation_id: UUID, key: str) -> _Asked | None:
    query = (
        select(TenantEntry, Plan.weight, Plan.limits)
        .outerjoin(Plan, Plan.key == TenantEntry.plan_key)
        .where(TenantEntry.organisation_id == organisation_id, TenantEntry.request_key == key)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    entry, weight, limits = row
    return _Asked(entry, weight=weight or 1, limits={**(limits or {}), **(entry.limits or {})})


def _finish(runtime: Runtime, actor: Actor, asked: _Asked, *, trace_id: str) -> Tenant:
    """The second and the third commit, as far as they are missing. Raises TenantLeaves."""
    entry = asked.entry
    with ended_by_erasure(runtime, entry.organisation_id, entry.id):
        tenant = _found(runtime, actor, asked, trace_id=trace_id)
        if entry.state == "requested":
            _activate(runtime, actor, tenant)
    return tenant


def _found(runtime: Runtime, actor: Actor, asked: _Asked, *, trace_id: str) -> Tenant:
    """The second commit: place, keys, delegation, first trail entry and the state `active`, all in the cell, at once.

    A slot of the warm pool; the cold path makes one first and is slower, not wrong.
    """
    entry = asked.entry
    if entry.schema_name is not None:
        return tenant_of(entry)
    if entry.state in LEAVING:
        raise TenantLeaves(GONE)
    cell = entry.cell_name or FIRST_CELL
    try:
        gateways = runtime.placement.gateways(cell)
    except CellUnknown as error:
        raise DatabaseAway(str(error)) from error
    turns = gateways[:1]  # mostly it has a slot; only where it has none is asked who has
    for _try in range(_TRIES):
        for gateway in turns:
            tenant = _found_at(runtime, actor, asked, gateway, trace_id=trace_id)
            if tenant is not None:
                return tenant
        with registry_session(runtime.databases, cell, actor=actor.label) as (session, _now):
            free = gateways_with_slots(session)
        turns = [gateway for gateway in gateways if gateway in free] or gateways[:1]
        if not free:
            make_slots(runtime.databases, cell, 1, gateway=gateways[0])
    raise NoRoom("No workspace could be prepared right now. Try again in a moment.")


def _found_at(runtime: Runtime, actor: Actor, asked: _Asked, gateway: int, *, trace_id: str) -> Tenant | None:
    entry = asked.entry
    wanted = Founding(
        tenant_id=entry.id,
        kind=entry.kind,
        weight=asked.weight,
        limits=asked.limits,
        revision=tenant_revision(),
        gateway=gateway,
        organisation_id=entry.organisation_id,
    )
    with open_founding(runtime, replace(tenant_of(entry), state="active"), wanted, actor, trace_id=trace_id) as founded:
        if founded is None:
            return None
        if founded.work is not None:
            _seed(runtime, founded.work, entry)
            return founded.tenant
    if founded.tenant.state == "seeding":  # claimed by an earlier try, for another gateway than this one
        return _found_at(runtime, actor, asked, founded.tenant.gateway, trace_id=trace_id)
    return founded.tenant


def _seed(runtime: Runtime, work: Work, entry: TenantEntry) -> None:
    """What is in a tenant from its first moment: its first trail entry, its keys, its default delegation. Once."""
    if work.session.execute(text("SELECT 1 FROM trail LIMIT 1")).first():
        return
    work.record(
        TenantCreated(
            subject_id=entry.id,
            name=entry.name,
            kind=entry.kind,
            organisation_id=entry.organisation_id,
            **entry.cause,
        )
    )
    runtime.service(Seeder).seed(work)


def _activate(runtime: Runtime, actor: Actor, tenant: Tenant) -> None:
    """The third commit: the directory routes to it. Lost in a crash, the request is resumed: it need not wait."""
    with partner_session(runtime.databases, tenant.organisation_id, actor=actor.label) as (session, now):
        place = {"schema": tenant.schema, "role": tenant.role, "gateway": tenant.gateway}
        done = session.connection().execute(_PLACED, {"tenant": tenant.id, "now": now} | place).first()
    if done is None and is_leaving(runtime, tenant.organisation_id, tenant.id):
        raise TenantLeaves(GONE)
