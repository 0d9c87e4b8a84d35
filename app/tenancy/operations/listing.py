"""The directory's line of a tenant that is imported: made once, under the importing partner's quota, plan and names.

It names no schema, so no door finds the tenant. It may be erased like any other: then the import ends here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.tenancy.bundles.checking import DirectoryEntry
from app.tenancy.bundles.errors import TenantIsHere
from app.tenancy.operations.creation import ExternalIdTaken, NoRoom, PlanUnknown, RequestDiffers, keep_within_quota
from app.tenancy.rules import LIMITS, effective, wider
from tenants.cells import NoCell
from tenants.models import Plan, TenantEntry
from tenants.registry import FIRST_CELL
from tenants.sessions import partner_session

SYSTEM_ONLY = {"list_import": "the first step of an import, which has checked its own permission"}
SEEDING: Final = "seeding"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which bundle, for whom, and what the importer says of it; what is None is not said.

    `plan` and `region` are this installation's: none, unless said. The bundle's external id is kept where it is free,
    its own limits where they are narrower than the plan's.
    """

    bundle: UUID
    organisation_id: UUID
    plan: str | None = None
    region: str | None = None
    external_id: str | None = None

    @property
    def key(self) -> str:
        """The request's key: a bundle is imported once."""
        return f"bundle:{self.bundle}"

    def differs_from(self, entry: TenantEntry) -> bool:
        """Whether the import was begun with something else."""
        said = ((self.plan, entry.plan_key), (self.region, entry.region), (self.external_id, entry.external_id))
        return any(mine is not None and mine != theirs for mine, theirs in said)


@dataclass(frozen=True, slots=True)
class Listed:
    """Where the tenant goes, and what its plan gives it there."""

    cell: str
    weight: int
    limits: dict[str, Any]


def list_import(runtime: Runtime, actor: Actor, entry: DirectoryEntry, wish: Wish) -> Listed:
    """The line of the directory, made once; quotas count it from now on.

    Raises TenantIsHere when the id is taken, ExternalIdTaken for one that the importer said, PlanUnknown, QuotaReached,
    RequestDiffers, NoRoom.
    """
    try:
        cell = runtime.placement.cell_for(plan=wish.plan, region=wish.region, wanted=None)
    except NoCell as error:
        raise NoRoom(str(error)) from error
    try:
        with partner_session(runtime.databases, wish.organisation_id, actor=actor.label) as (session, now):
            found = _find(session, entry.id) or _make(session, entry, wish, cell, now)
            if found is None or (found.organisation_id, found.request_key, found.state) != (
                wish.organisation_id,
                wish.key,
                SEEDING,
            ):
                raise TenantIsHere(_told(found, entry, wish))
            if wish.differs_from(found):
                raise RequestDiffers("This import was begun with another plan, region or external id: say the same.")
            plan = session.get(Plan, found.plan_key) if found.plan_key else None
            limits = effective(plan.limits if plan else None, found.limits)
            return Listed(found.cell_name or FIRST_CELL, plan.weight if plan else 1, limits)
    except IntegrityError as error:
        raise PlanUnknown(f"There is no plan called {wish.plan}.") from error


def _find(session: Session, tenant_id: UUID) -> TenantEntry | None:
    return session.scalars(select(TenantEntry).where(TenantEntry.id == tenant_id)).one_or_none()


def _make(session: Session, entry: DirectoryEntry, wish: Wish, cell: str, now: datetime) -> TenantEntry | None:
    """The new row; what another process has made meanwhile; None where the id is somebody else's."""
    plans = session.scalar(select(Plan.limits).where(Plan.key == wish.plan)) or {}
    values = {
        "id": entry.id,
        "organisation_id": wish.organisation_id,
        "kind": entry.kind,
        "name": entry.name,
        "state": SEEDING,
        "request_key": wish.key,
        "cause": {"bundle": str(wish.bundle)},
        "requested_at": now,
        "cell_name": cell,
        "plan_key": wish.plan,
        "region": wish.region,
        "service_package": entry.service_package,
        "limits": _narrower(entry.limits or {}, plans) or None,
    }
    names = [wish.external_id] if wish.external_id else [*([entry.external_id] if entry.external_id else []), None]
    for external_id in names:
        wanted = insert(TenantEntry).values(**values, external_id=external_id)
        made = session.scalars(wanted.on_conflict_do_nothing().returning(TenantEntry)).one_or_none()
        if made is not None:
            if made.kind == "customer":
                keep_within_quota(session, wish.organisation_id)
            return made
        if (found := _find(session, entry.id)) is not None:
            return found
    if wish.external_id and _is_taken(session, wish):
        raise ExternalIdTaken(f"Another workspace has the external id {wish.external_id} already. Use another one.")
    return None


def _is_taken(session: Session, wish: Wish) -> bool:
    mine = (TenantEntry.organisation_id == wish.organisation_id, TenantEntry.external_id == wish.external_id)
    return session.scalar(select(TenantEntry.id).where(*mine)) is not None


def _narrower(own: Mapping[str, int], plans: Mapping[str, int]) -> dict[str, int]:
    """The limits that this installation knows, and that give no more than the plan does."""
    beyond = wider(own, plans)
    return {key: value for key, value in own.items() if key in LIMITS and key not in beyond}


def _told(found: TenantEntry | None, entry: DirectoryEntry, wish: Wish) -> str:
    if found is not None and found.organisation_id == wish.organisation_id and found.state == SEEDING:
        return (
            f"Another bundle of the workspace {entry.id} is being imported here, and has not arrived. Go on with that"
            " file. Nothing was changed."
        )
    return (
        f"This installation holds the workspace {entry.id} already. A workspace keeps its id, so it can be here"
        " once. Nothing was changed."
    )
