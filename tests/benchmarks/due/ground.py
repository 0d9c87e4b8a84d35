"""A thousand workspaces with fifty running onboardings each, whose SLA clocks all run out at one moment."""

# ruff: noqa: S608 - names of our own schemas and tables

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.kernel.ids import new_id
from app.onboarding.operations.running import StartRequest, start_onboarding
from app.templates.library import open_shelf
from app.templates.operations import pin
from tenants.tenant import Tenant
from tests.benchmarks.measure import say
from tests.benchmarks.straight import straight_start
from tests.factories.fleet import make_tenants
from tests.factories.installation import Installation

TENANTS, EACH = 1_000, 50
TEMPLATE = "msp/managed-services"  # the main job's: one clock runs from the start, and its first rung leads to a next
KIND = "onboarding.fire_timer"


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: the workspaces, and the moment at which all of their clocks run out."""

    tenants: Sequence[Tenant]
    due_at: datetime


def make_waiting(installation: Installation) -> Waiting:
    """Start fifty onboardings in one workspace as the product does, and give copies of their rows to all others."""
    say(f"due: {TENANTS:,} workspaces")
    first, *others = tenants = make_tenants(installation, TENANTS)
    effective = open_shelf(TEMPLATE).effective()
    definition, started = effective.compile(), straight_start(effective.compile())
    lead = {"id": str(new_id()), "name": "Ann", "email": "ann@northwind.example", "locale": "en", "side": "partner"}
    for tenant in tenants:
        with installation.work(tenant) as work:
            pin(work, effective)
    say(f"due: {EACH} onboardings in each")
    for number in range(EACH):
        people = {"onboarding_lead": [lead]}
        request = StartRequest(new_id(), f"Bench {number}", definition.digest, started, people=people, deal={})
        with installation.work(first) as work:
            start_onboarding(work, request)
    for tenant in others:
        _copy(installation, first, tenant)
    for table in ["cell.timer", "cell.job", *(f'"{tenant.schema}".{name}' for tenant in tenants for name in _GREW)]:
        installation.cell(f"VACUUM (ANALYZE) {table}")  # what the copying has left to do is not measured
    (first_due,) = installation.cell("SELECT min(due_at) AS at FROM cell.timer WHERE kind = %s", KIND)
    return Waiting(tenants, first_due.at)


def _copy(installation: Installation, first: Tenant, tenant: Tenant) -> None:
    """The rows of the onboardings and their timers, in another workspace."""
    for table in ["onboarding", *_TABLES]:
        installation.cell(f'INSERT INTO "{tenant.schema}".{table} SELECT * FROM "{first.schema}".{table}')
    installation.cell(_COPY_TIMERS, tenant.id, first.id)


_GREW = ("onboarding", "item")
_TABLES = ("item", "packet", "journal", "clock")
_COPY_TIMERS = """
    INSERT INTO cell.timer (tenant_id, id, kind, subject_id, version, args, due_at, state, trace_id, created_at)
    SELECT %s, gen_random_uuid(), kind, subject_id, version, args, due_at, state, trace_id, created_at
    FROM cell.timer WHERE tenant_id = %s
"""
