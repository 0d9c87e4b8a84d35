"""`slipway onboardings inspect|retry|migrate`: one from the inside, failed work again, another version.

`slipway onboardings refill`: the lists over all customers made anew, in `refilling.py`.
`slipway history verify`: every journal replayed and compared with what is stored.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from uuid import UUID

from app.bootstrap.commands.engine.migrating import migrate_parser, run_migrate
from app.bootstrap.commands.engine.refilling import run_refill
from app.connectors.lookups import RunLine
from app.flow.state import OpenedException
from app.kernel.actor import Actor
from app.kernel.errors import Missing
from app.kernel.ids import new_id
from app.kernel.queue.listing import WITHOUT_SUCCESS, JobLine, TimerLine, list_jobs, list_timers, list_working
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.onboarding.operations.operator.again import retry_jobs
from app.onboarding.operations.operator.history import list_histories, verify_history
from app.onboarding.queries.operator.inside import Inside, look_inside
from app.onboarding.queries.stored import OnboardingMissing, find_onboarding
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant

_OPERATOR = UUID(int=0)  # nobody's account: whoever holds the installation's databases
_ENTERED = frozenset({"active", "suspended"})


class NoSuchOnboarding(Missing):
    """No workspace that can be entered holds an onboarding of that id."""


def run_onboardings(arguments: Sequence[str], runtime: Runtime) -> int:
    """Show one, do its failed jobs again, migrate, or fill the lists. Raises NoSuchOnboarding, RetryReasonMissing."""
    if arguments[:1] == ["refill"]:
        return run_refill(arguments[1:], runtime)
    chosen = _parser().parse_args(arguments)
    if chosen.action == "migrate":
        return run_migrate(chosen, runtime, _tenants(runtime, chosen.tenant), partial(_entering, runtime))
    tenant = _tenant_of(runtime, chosen.onboarding, chosen.tenant)
    if chosen.action == "inspect":
        with _entering(runtime, tenant, "inspect") as work:
            inside = look_inside(work, chosen.onboarding)
            jobs = list_jobs(runtime.databases, tenant, inside.names)
            timers = list_timers(runtime.databases, tenant, chosen.onboarding)
            for line in _shown(inside, tenant, jobs, timers):
                print(line)
        return 0
    with _entering(runtime, tenant, "retry") as work:
        inside = look_inside(work, chosen.onboarding, item=chosen.item)
        failed = [
            (job.id, job.kind)
            for job in list_jobs(runtime.databases, tenant, inside.names)
            if job.state in WITHOUT_SUCCESS
        ]
        again = retry_jobs(work, onboarding_id=chosen.onboarding, jobs=failed, reason=chosen.reason)
    print(f"{len(again)} failed jobs are ready again.")
    return 0


def run_history(arguments: Sequence[str], runtime: Runtime) -> int:
    """Replay every journal. 1 where one of them leads elsewhere than to what is stored; each difference is a line."""
    parser = argparse.ArgumentParser(prog="slipway history", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    verify = actions.add_parser("verify", help="replay journals and compare them with the stored state and items")
    verify.add_argument("--tenant", type=UUID, help="of this workspace only")
    chosen = parser.parse_args(arguments)
    count, wrong = 0, 0
    for tenant in _tenants(runtime, chosen.tenant):
        begin = partial(_entering, runtime, tenant, "verify")
        with begin() as work:
            ids = list_histories(work)
        for onboarding_id in ids:
            with begin() as work:
                found = verify_history(work, onboarding_id)
            count, wrong = count + 1, wrong + bool(found)
            for line in found:
                print(f"{tenant.id} {onboarding_id} {line}")
    print(f"{count} histories replayed; {wrong} differ from what is stored.")
    return int(bool(wrong))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway onboardings", description=(__doc__ or "").split("\n", maxsplit=1)[0])
    actions = parser.add_subparsers(dest="action", required=True)
    inspect = actions.add_parser("inspect", help="who holds the ball, what is open and why, jobs, timers, journal")
    retry = actions.add_parser("retry", help="put its failed jobs back to ready; the trail says so")
    actions.add_parser("refill", help="after an upgrade: make every customer's lines in the lists anew")
    for each in (inspect, retry):
        each.add_argument("onboarding", type=UUID, metavar="ONBOARDING", help="its id")
        each.add_argument("--tenant", type=UUID, help="the workspace it is in; found where it is not given")
    retry.add_argument("--item", metavar="KEY", help="only what concerns this item")
    retry.add_argument("--reason", required=True)
    migrate_parser(actions)
    return parser


def _tenants(runtime: Runtime, only: UUID | None) -> Iterator[Tenant]:
    ids = (
        [only] if only else [each for cell in runtime.databases.cells for each in list_working(runtime.databases, cell)]
    )
    for tenant_id in ids:
        with lookup_session(runtime.databases) as (session, _now):
            tenant = find_tenant(session, tenant_id)
        if tenant is not None:
            yield tenant
        elif only:
            raise NoSuchOnboarding(f"There is no workspace {only}.")


def _tenant_of(runtime: Runtime, onboarding_id: UUID, only: UUID | None) -> Tenant:
    for tenant in _tenants(runtime, only):
        try:
            with _entering(runtime, tenant, "find") as work:
                find_onboarding(work.session, onboarding_id)
        except OnboardingMissing:
            continue
        return tenant
    raise NoSuchOnboarding(f"No workspace that can be entered holds an onboarding {onboarding_id}.")


def _entering(runtime: Runtime, tenant: Tenant, why: str) -> AbstractContextManager[Work]:
    actor = Actor(kind="job", id=_OPERATOR, name=f"slipway {why}")
    return open_work(runtime, tenant, actor, trace_id=new_id().hex, states=_ENTERED)


def _shown(inside: Inside, tenant: Tenant, jobs: list[JobLine], timers: list[TimerLine]) -> Iterator[str]:
    row, state = inside.onboarding, inside.state
    yield f"{row.name}: {row.state}, {row.seq} events, in {tenant.name} ({tenant.id})"
    yield f"definition {row.definition_digest}, trace {row.trace_id}"
    if inside.ball:
        yield f"the ball is with {inside.ball.holder} since {inside.ball.began_at:%Y-%m-%d %H:%M}"
    yield from _part("OPEN", (f"{key}: {item.state}; {why}" for key, item, why in inside.open_items))
    yield from _part("EXCEPTIONS", map(_exception, state.exceptions.values()))
    yield from _part("RUNS", map(_run, inside.runs))
    yield from _part("JOBS", map(_job, jobs))
    yield from _part("TIMERS", map(_timer, timers))
    yield from _part("JOURNAL", inside.told())


def _exception(raised: OpenedException) -> str:
    state = raised.resolution or "open"
    return f"{raised.id} on {raised.item}: {state}; {raised.type}, {raised.reason_code}. {raised.note}"


def _run(run: RunLine) -> str:
    return f"{run.item_key} {run.connector}.{run.action}: {run.state} after {run.attempts} attempts"


def _timer(timer: TimerLine) -> str:
    rung = f"{timer.args.get('timer', timer.kind)} rung {timer.args.get('rung', 0)}, version {timer.version}"
    return f"{rung}, due {timer.due_at:%Y-%m-%d %H:%M}: {timer.state}"


def _job(job: JobLine) -> str:
    held = f", held by {job.worker} until {job.lease_until:%H:%M:%S}" if job.worker and job.lease_until else ""
    wrong = f"; {job.last_error}" if job.last_error else ""
    return f"{job.kind} {job.id}: {job.state}, attempt {job.attempts}, epoch {job.epoch}{held}{wrong}"


def _part(title: str, lines: Iterator[str]) -> Iterator[str]:
    shown = list(lines)
    yield f"{title} ({len(shown)})"
    yield from (f"  {line}" for line in shown)
