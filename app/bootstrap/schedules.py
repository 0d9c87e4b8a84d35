"""What runs on the machine's clock, in the dispatcher: the warm pool is refilled, half-done flows are finished."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import structlog

from app.connectors.drift.planning import plan_looks
from app.connectors.webhooks.operations.spreading import spread_listeners
from app.identity.machines.operations.tokens import forget_stale_machines
from app.identity.operations import forget_stale
from app.identity.scim.effects import settle_all
from app.kernel.actor import job_actor
from app.kernel.ids import new_id
from app.kernel.queue.care.sweeping import sweep_marks
from app.kernel.queue.loop import Schedule
from app.kernel.runtime import Runtime
from app.onboarding.files.sweeping import sweep_files
from app.tenancy.operations.belonging import tell_whose
from app.tenancy.operations.creation import resume_requests
from app.tenancy.operations.erasure import carry_out_all, forget_late
from app.tenancy.operations.once import forget_commands
from app.tenancy.operations.telling import tell_all
from app.tenancy.operations.transferring.transfers import follow_all, sweep
from tenants.sessions import DatabaseAway
from tenants.slots import discard_stale, look_at_pool, make_slots

log = structlog.get_logger(__name__)
_AT_ONCE = 4  # slots a commit brings: who empties the pool finds the next ones soon, and need not make one alone
_PLATFORM = UUID(int=0)  # no tenant's job: the installation itself acts


def _refill(runtime: Runtime, cell: str, warm_slots: int) -> bool:
    """Fill one cell's pool; one that is away is left to the next round, the others do not wait for it.

    True where a good part of it was used up: tenants come fast, and the next look must not wait.
    """
    try:
        pool = look_at_pool(runtime.databases, cell)
        if pool.stale and discard_stale(runtime.databases, cell):
            pool = look_at_pool(runtime.databases, cell)
        missing = warm_slots - pool.free
        if missing > 0:
            make_slots(runtime.databases, cell, missing, at_once=_AT_ONCE)
    except DatabaseAway as error:
        log.warning("tenancy.pool_not_refilled", cell=cell, reason=str(error))
        return False
    return missing > warm_slots // 4


def _forget(runtime: Runtime) -> None:
    """Whatever is over: links, sessions, tokens, answers to commands, rows of tenants that are gone."""
    forget_stale(runtime.databases)
    forget_stale_machines(runtime.databases)
    forget_commands(runtime)
    forget_late(runtime)


def _spread(runtime: Runtime) -> None:
    """What a relay asks its own cell: whose each tenant is, and which homes hear their customers."""
    tell_whose(runtime)
    spread_listeners(runtime.databases)


def schedules(runtime: Runtime, *, warm_slots: int, drift_hours: int = 0, mark_days: int = 90) -> list[Schedule]:
    """The list, ready for the dispatcher, with what the settings of these names say."""

    def refill() -> bool:
        return sum(_refill(runtime, cell, warm_slots) for cell in runtime.databases.cells) > 0  # every one of them

    def resume() -> None:
        actor = job_actor(_PLATFORM, "tenancy.resume_requests")
        resume_requests(runtime, actor, trace_id=new_id().hex)

    def erase() -> None:
        carry_out_all(runtime)

    def follow() -> None:
        follow_all(runtime)
        sweep(runtime)

    def sweep_up() -> None:
        sweep_files(runtime)

    return [
        Schedule("tenancy.refill_pool", 2.0, refill),
        Schedule("tenancy.resume_requests", 15.0, resume),
        Schedule("tenancy.tell_cells", 15.0, partial(tell_all, runtime)),
        Schedule("connectors.spread_listeners", 60.0, partial(_spread, runtime)),
        Schedule("connectors.plan_looks", 60.0, partial(plan_looks, runtime, hours=drift_hours)),
        Schedule("queue.sweep_marks", 600.0, partial(sweep_marks, runtime, days=mark_days)),
        Schedule("tenancy.carry_out_erasures", 15.0, erase),
        Schedule("tenancy.follow_transfers", 15.0, follow),
        Schedule("onboarding.sweep_files", 600.0, sweep_up),
        Schedule("identity.settle_directories", 15.0, partial(settle_all, runtime)),
        Schedule("identity.forget_stale", 3_600.0, partial(_forget, runtime)),
    ]
