"""`slipway onboardings refill`: after an upgrade, the cards and lines of work of onboardings that have not moved since.

One workspace after the other, each in a transaction of its own that only asks for jobs; the workers do the rest beside
their other work. Run again it asks for nothing twice; stopped, it goes on behind the workspace that it names.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.queue.listing import list_working
from app.kernel.runtime import Runtime
from app.kernel.work import TenantNotActive, TenantUpgrading, open_work
from app.onboarding.operations.card import LINES, refill_cards
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

_OPERATOR = UUID(int=0)  # nobody's account: whoever holds the installation's databases


def run_refill(arguments: Sequence[str], runtime: Runtime) -> int:
    """Ask for them in every customer's workspace. 1 where some could not be entered: run it again later."""
    chosen = _parser().parse_args(arguments)
    cause = f"{LINES}:{new_id()}" if chosen.again else LINES
    asked, entered, shut, last = 0, 0, 0, chosen.after
    for tenant in _customers(runtime, chosen.after):
        if chosen.at_most and entered + shut == chosen.at_most:
            print(f"There is more. Go on with --after {last}")
            break
        try:
            asked, entered = asked + _refill(runtime, tenant, cause), entered + 1
        except (TenantNotActive, TenantUpgrading):
            shut += 1
        last = tenant.id
    print(f"{asked} onboardings of {entered} workspaces will be filled in; {shut} workspaces could not be entered.")
    return int(bool(shut))


def _refill(runtime: Runtime, tenant: Tenant, cause: str) -> int:
    actor = Actor(kind="job", id=_OPERATOR, name="slipway refill")
    with open_work(runtime, tenant, actor, trace_id=new_id().hex) as work:
        return refill_cards(work, cause=cause)


def _customers(runtime: Runtime, after: UUID | None) -> Iterator[Tenant]:
    """Workspaces of customers that can be entered, by id; sandboxes and homes have no lines."""
    cells = runtime.databases.cells
    ids = sorted(each for cell in cells for each in list_working(runtime.databases, cell))
    for tenant_id in (each for each in ids if after is None or each > after):
        with lookup_session(runtime.databases) as (session, _now):
            tenant = find_tenant(session, tenant_id)
        if tenant is not None and tenant.kind == "customer":
            yield tenant


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway onboardings refill", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--after", type=UUID, metavar="TENANT", help="go on behind this workspace")
    parser.add_argument("--at-most", type=int, default=0, metavar="N", help="so many workspaces in this run")
    parser.add_argument("--again", action="store_true", help="those too that were filled at this version")
    return parser
