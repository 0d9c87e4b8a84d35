"""Provisions tenants for a partner's people and software: asks for the right, checks what is wanted, then creates."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden, Invalid, SlipwayError, Unavailable
from app.kernel.runtime import Runtime
from app.tenancy.operations.creation import PlanUnknown, TenantRequest, create_tenant
from app.tenancy.queries import find_organisation, find_requested, scope_of, show
from app.tenancy.rules import Staff, wider
from app.tenancy.schemas import BulkItem, TenantCreate, TenantOut
from app.web.security import Front
from app.web.translations import mark
from tenants.models import Cell, Plan
from tenants.sessions import DatabaseAway, partner_session

SYSTEM_ONLY = {"check_limits": "part of provisioning and of a change, each of which has asked for its own right"}


class OperatorOnly(Forbidden):
    """Only who runs the installation may say this."""


class PartnerNeeded(Invalid):
    """The operator's own organisation has no customers: say for which partner the workspace is."""


class RegionUnknown(Invalid):
    """No data is kept in that region, or in no cell of that name."""


class LimitWider(Invalid):
    """A workspace's own limits may be narrower than its plan's, not wider."""


class ItemKeyTwice(Invalid):
    """Two items of one list have the same key."""


class CellsBusy(Unavailable):
    """No place for another workspace right now."""

    retry_after = 30


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What became of one request: the tenant, or why there is none."""

    tenant: TenantOut | None = None
    error: SlipwayError | None = None


def provision_tenant(runtime: Runtime, actor: Actor, wanted: TenantCreate, *, key: str, trace_id: str) -> TenantOut:
    """Create the tenant, or give the one this key has created. Active, or `requested` where a cell is away or full.

    A requested one is finished by the platform as soon as there is room. Raises NotPermitted, OperatorOnly,
    PartnerNeeded, OrganisationUnknown, PlanUnknown, RegionUnknown, LimitWider, CellsBusy, and what `create_tenant`
    raises.
    """
    require(Staff.of(actor), Permission.TENANT_CREATE)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        request = _request(session, actor, wanted, key)
    try:
        create_tenant(runtime, actor, request, trace_id=trace_id)
    except (Unavailable, DatabaseAway) as error:
        return _requested(runtime, actor, request, error)
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        tenant_id = find_requested(session, request.organisation_id, request.key)
        return show(session, runtime.service(Front), tenant_id or UUID(int=0))


def provision_many(
    runtime: Runtime, actor: Actor, items: Sequence[BulkItem], *, key: str, trace_id: str
) -> list[Provisioned]:
    """Each of them, one after the other; what one meets stops none of the others. Raises NotPermitted, ItemKeyTwice."""
    require(Staff.of(actor), Permission.TENANT_CREATE)
    _refuse_twice(items)
    made = []
    for index, item in enumerate(items):
        own = f"={item.key}" if item.key else f"#{index}"
        try:
            tenant = provision_tenant(runtime, actor, item, key=f"{key}/{own}", trace_id=trace_id)
            made.append(Provisioned(tenant=tenant))
        except SlipwayError as error:
            made.append(Provisioned(error=error))
        except DatabaseAway:
            made.append(Provisioned(error=CellsBusy(_BUSY)))
    return made


def check_limits(session: Session, actor: Actor, own: dict[str, int], plan: str | None) -> None:
    """Whether the actor may give a tenant of that plan these limits. Raises PlanUnknown, LimitWider."""
    if plan is None:
        return
    plans = session.scalar(select(Plan.limits).where(Plan.key == plan))
    if plans is None:
        told = mark("There is no such plan.")
        raise PlanUnknown(told, errors=[("/plan", told)])
    if beyond := () if _operates(actor) else wider(own, plans):
        told = mark("The plan allows less than that.")
        raise LimitWider(told, errors=[(f"/limits/{limit}", told) for limit in beyond])


def _request(session: Session, actor: Actor, wanted: TenantCreate, key: str) -> TenantRequest:
    organisation_id, kind = find_organisation(session, scope_of(actor), wanted.organisation)
    if kind == "platform":
        told = mark("Say for which partner the workspace is.")
        raise PartnerNeeded(told, errors=[("/organisation", told)])
    if wanted.cell is not None and not _operates(actor):
        told = mark("Only the operator chooses a cell; leave it out.")
        raise OperatorOnly(told, errors=[("/cell", told)])
    _check_place(session, wanted)
    limits = msgspec.to_builtins(wanted.limits) if wanted.limits else None
    check_limits(session, actor, limits or {}, wanted.plan)
    return TenantRequest(
        organisation_id=organisation_id,
        kind=wanted.kind,
        name=wanted.name,
        key=f"api:{actor.id}:{hashlib.sha256(key.encode()).hexdigest()}",
        plan=wanted.plan,
        region=wanted.region,
        cell=wanted.cell,
        external_id=wanted.external_id,
        service_package=wanted.service_package,
        limits=limits or None,
    )


def _check_place(session: Session, wanted: TenantCreate) -> None:
    """A region or cell that does not exist will not exist in a moment: that is no reason to try again."""
    for asked, column, place in ((wanted.region, Cell.region, "/region"), (wanted.cell, Cell.name, "/cell")):
        if asked is not None and session.scalar(select(Cell.name).where(column == asked).limit(1)) is None:
            told = mark("There is no such place in this installation.")
            raise RegionUnknown(told, errors=[(place, told)])


def _requested(runtime: Runtime, actor: Actor, request: TenantRequest, error: Exception) -> TenantOut:
    """The tenant that is wanted but not there yet; the trouble itself where not even the wish was kept."""
    with partner_session(runtime.databases, scope_of(actor), actor=actor.label) as (session, _now):
        tenant_id = find_requested(session, request.organisation_id, request.key)
        if tenant_id is not None:
            return show(session, runtime.service(Front), tenant_id)
    if isinstance(error, DatabaseAway):
        raise error
    raise CellsBusy(_BUSY) from error  # which cells there are, and how full, is the operator's business


def _operates(actor: Actor) -> bool:
    return can(Staff.of(actor).rights, Permission.FLEET_OPERATE)


def _refuse_twice(items: Sequence[BulkItem]) -> None:
    seen = Counter(item.key for item in items if item.key)
    twice = [index for index, item in enumerate(items) if item.key and seen[item.key] > 1]
    if twice:
        told = mark("Each item of a list has a key of its own.")
        raise ItemKeyTwice(told, errors=[(f"/items/{index}/key", told) for index in twice])


_BUSY = mark("There is no place for another workspace right now. Try again in a moment.")
