"""A sale that its CRM says something else of: in the workspace that it became, what its onboarding writes waits."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from app.connectors.drift.holding import hold_writes, release
from app.connectors.drift.records import Drift, Hold, ending_of, find_drift
from app.intake.operations.sold import SOLD, find_started
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun
from app.kernel.trail import get_entry
from app.kernel.work import open_work
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {"follow": "called by the job that the home's event leads to"}
_THERE: Final = frozenset({"active", "suspended"})


def follow(run: JobRun, event_id: UUID) -> Outcome:
    """Bring the customer's workspace to how the drift stands in the home now, whichever event came. Repeatable."""
    with run.work() as home:
        drift = find_drift(home.session, get_entry(home.session, event_id).subject_id)
        if drift is None or drift.place.source != SOLD:
            return Done()
        deal = find_started(home, drift.place.connector, drift.place.record)
        where = (deal.tenant_id, deal.onboarding_id) if deal else (None, None)
    tenant = _tenant(run, where[0])
    if tenant is None or where[1] is None:
        return Done()
    with open_work(run.runtime, tenant, run.actor, trace_id=run.job.trace_id, states=_THERE) as work:
        if drift.open:
            hold_writes(work, _hold(drift, where[1]))
        else:
            changed, given_up = ending_of(drift)
            release(work, drift.id, changed=changed, given_up=given_up)
    return Done()


def _tenant(run: JobRun, tenant_id: UUID | None) -> Tenant | None:
    if tenant_id is None:
        return None
    with lookup_session(run.runtime.databases, actor="drifts") as (session, _now):
        found = find_tenant(session, tenant_id)
    return found if found is not None and found.state in _THERE else None


def _hold(drift: Drift, onboarding_id: UUID) -> Hold:
    """All of the onboarding waits: each of its writes comes from what was sold."""
    fields = tuple(each.field for each in drift.differences if each.state == "open")
    return Hold(drift.id, drift.place.connector, None, onboarding_id, (), drift.found_at, drift.title, fields)
