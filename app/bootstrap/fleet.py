"""The fleet of this installation: upgraded at once in the demo, and no program serves one that is too old for it."""

from __future__ import annotations

from app.kernel.errors import Unavailable
from tenants.engines import Databases
from tenants.fleet.apply import Crewing, apply_plan
from tenants.fleet.owner import Fleet
from tenants.fleet.plan import Plan, Wish, make_plan
from tenants.fleet.status import count_outdated
from tenants.fleet.tree import FleetRefused
from tenants.schema.head import NEEDED_TENANT_REVISION

MEND = "slipway fleet plan, then slipway fleet apply"


class FleetBehind(Unavailable):
    """Workspaces are at a revision that this build cannot serve."""


def behind(databases: Databases) -> str:
    """One sentence where active workspaces are too old for this build, else nothing. Raises DatabaseAway."""
    count = count_outdated(databases, databases.cells)
    if not count:
        return ""
    return f"{count} active workspaces are below revision {NEEDED_TENANT_REVISION}, which this build needs. Run {MEND}."


def upgrade_at_once(fleet: Fleet) -> Plan | None:
    """Bring every workspace to the head in one ring, as an installation on one machine does when it starts.

    None when there was nothing to do. Raises FleetBehind when some are not there afterwards.
    """
    try:
        if make_plan(fleet, Wish(one_ring=True, soak_seconds=0)) is None:
            return None
        plan = apply_plan(fleet, Crewing())
    except FleetRefused as error:
        raise FleetBehind(str(error)) from error
    if plan is not None and plan.state != "finished":
        raise FleetBehind(f"The workspaces could not all be upgraded: {plan.reason} Look at slipway fleet status.")
    return plan
