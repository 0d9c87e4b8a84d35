"""`slipway jobs list|show|retry|cancel`: jobs by state, kind, workspace and age; many at once, counted first."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.errors import Missing
from app.kernel.queue.care.found import STATES, FoundJob, Group, Wanted, count_groups, find_job
from app.kernel.runtime import Runtime
from app.tenancy.care.bulk import STATES_FOR, Outcome, carry_out
from app.tenancy.rules import ReasonMissing

_OPERATOR = UUID(int=0)  # nobody's account: whoever holds the installation's databases
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class NoSuchJob(Missing):
    """No cell holds a job of that id."""


def run_care(arguments: Sequence[str], runtime: Runtime) -> int:
    """Do what is asked. 1 where one that was meant has been refused. Raises NoSuchJob, ReasonMissing, DatabaseAway."""
    chosen = _parser().parse_args(arguments)
    if chosen.action == "show":
        return _print(_shown(_found(runtime, chosen.job)))
    wanted = _wanted(chosen)
    if chosen.action == "list":
        return _print(_table([group for cell in runtime.databases.cells for group in _groups(runtime, cell, wanted)]))
    if not chosen.apply:
        groups = [group for cell in runtime.databases.cells for group in _groups(runtime, cell, wanted)]
        _print(_table(groups))
        number = sum(group.number for group in groups)
        return _print([f"{number} jobs are meant. Nothing was changed: say it again with --apply and a --reason."])
    if not chosen.reason.strip():
        raise ReasonMissing("Say why with --reason: it is kept in the trail of every workspace concerned.")
    actor = Actor(kind="job", id=_OPERATOR, name=f"slipway jobs {chosen.action}")
    outcome = carry_out(runtime, chosen.action, wanted, actor, reason=chosen.reason)
    _print(_told(outcome))
    return int(bool(outcome.counts["refused"]))


def _groups(runtime: Runtime, cell: str, wanted: Wanted) -> list[Group]:
    return count_groups(runtime.databases, cell, wanted)


def _found(runtime: Runtime, job_id: UUID) -> FoundJob:
    for cell in runtime.databases.cells:
        if job := find_job(runtime.databases, cell, job_id):
            return job
    raise NoSuchJob(f"No cell holds a job {job_id}.")


def _wanted(chosen: Any) -> Wanted:
    """What was said, without what cannot be done to such jobs."""
    wanted = Wanted(kind=chosen.kind, tenant_id=chosen.tenant, queue=chosen.queue, older=chosen.older)
    wanted = replace(wanted, ids=chosen.job or None, states=chosen.state or STATES)
    if chosen.action in STATES_FOR:
        possible = STATES_FOR[chosen.action]
        wanted = replace(wanted, states=[state for state in wanted.states if state in possible])
    return wanted


def _shown(job: FoundJob) -> Iterator[str]:
    yield f"{job.kind} {job.id}: {job.state}, in {job.queue}, of workspace {job.tenant_id}"
    yield f"asked for {_moment(job.created_at)}, runs at {_moment(job.run_at)}, ended {_moment(job.finished_at)}"
    yield f"begun {job.attempts} times, {job.deaths} workers in a row lost with it, epoch {job.epoch}"
    yield f"lane {job.lane or '-'}, cap {job.cap_key or '-'}, trace {job.trace_id or '-'}"
    yield f"held by {job.worker or '-'} until {_moment(job.lease_until)}"
    yield f"last trouble: {job.last_error or '-'}"
    yield f"arguments {job.args}"


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z" if at else "-"


def _table(groups: Sequence[Group]) -> Iterator[str]:
    rows = [("STATE", "KIND", "QUEUE", "WORKSPACE", "JOBS", "RETRIED", "OLDEST", "WAITS")]
    for group in groups:
        ages = f"{group.oldest:.0f} s", f"{group.waits:.0f} s"
        counts = str(group.number), str(group.retried)
        rows.append((group.state, group.kind, group.queue, str(group.tenant_id), *counts, *ages))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
    states = Counter[str]()
    for group in groups:
        states[group.state] += group.number
    yield ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "no jobs"


def _told(outcome: Outcome) -> Iterator[str]:
    for job, trouble in outcome.troubles:
        yield f"{job.kind} {job.id} of {job.tenant_id}: refused, {trouble}"
    counted = ", ".join(f"{number} {word}" for word, number in sorted(outcome.counts.items()))
    yield f"{outcome.chosen} jobs: {counted}" if outcome.chosen else "no jobs"


def _print(lines: Iterator[str] | Sequence[str]) -> int:
    for line in lines:
        print(line)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway jobs", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    show = actions.add_parser("show", help="one job with all that is known of it")
    show.add_argument("job", type=UUID)
    said = {
        "list": "how many there are, by state, kind, queue and workspace",
        "retry": "put jobs that failed, were set aside as poisoned or cancelled back to ready",
        "cancel": "end jobs that no worker has; what they were for hears that they were given up",
    }
    for action, help_text in said.items():
        each = actions.add_parser(action, help=help_text)
        each.add_argument("--state", action="append", choices=STATES, help="may be given again")
        each.add_argument("--kind", help="such as connectors.execute_run")
        each.add_argument("--queue", help="interactive, default or bulk")
        each.add_argument("--tenant", type=UUID, help="of this workspace only")
        each.add_argument(
            "--older", type=_seconds, default=0.0, metavar="AGE", help="asked for so long ago: 90s 5m 2h 3d"
        )
        each.add_argument("--job", action="append", type=UUID, help="only these; may be given again")
        if action in STATES_FOR:
            each.add_argument("--apply", action="store_true", help="do it; without this they are only counted")
            each.add_argument("--reason", default="", help="kept in the trail of every workspace concerned")
    return parser


def _seconds(raw: str) -> float:
    if not (found := re.fullmatch(r"(\d{1,6})([smhd])", raw)):
        raise argparse.ArgumentTypeError("must be a number with s, m, h or d behind it")
    return float(int(found[1]) * _UNITS[found[2]])
