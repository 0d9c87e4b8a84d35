"""`slipway fleet …`: parses, calls one function of `tenants.fleet`, says what came of it. 0: all there, 2: not all."""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event
from types import FrameType

from app.bootstrap.fleet_progress import Watcher
from tenants.fleet.apply import Crewing, apply_plan
from tenants.fleet.owner import Fleet
from tenants.fleet.plan import Plan, Wish, make_plan
from tenants.fleet.status import Status, read_status
from tenants.fleet.tree import FleetRefused
from tenants.fleet.verify import verify

ALL_THERE, REFUSED, NOT_ALL = 0, 1, 2
_SHOWN = 20  # workspaces that are named one by one


def run_fleet(arguments: Sequence[str], open_fleet: Callable[[], Fleet]) -> int:
    """Run one of the commands. Returns the exit code. Raises DatabaseAway."""
    chosen = _parser().parse_args(list(arguments))
    command: Callable[[Fleet, argparse.Namespace], int] = chosen.run
    try:
        return command(open_fleet(), chosen)
    except FleetRefused as error:
        sys.stderr.write(f"slipway fleet: {error}\n")
        return REFUSED


def _compile(fleet: Fleet, chosen: argparse.Namespace) -> int:
    for each in fleet.tree.revisions:
        kind = f"{each.kind}, concurrent" if each.concurrent else each.kind
        _say(
            f"{each.revision:<24} {each.checksum[:12]}  {kind:<20} {len(each.statements):>3} statements  {each.message}"
        )
        if chosen.sql:
            _say(each.script)
    return ALL_THERE


def _plan(fleet: Fleet, chosen: argparse.Namespace) -> int:
    wish = Wish(
        to=chosen.to,
        canaries=chosen.canary or None,
        soak_seconds=chosen.soak,
        contract=chosen.contract,
        one_ring=chosen.one_ring,
    )
    plan = make_plan(fleet, wish)
    if plan is None:
        _say(f"Every workspace is at revision {wish.to or fleet.tree.head}. Nothing to do.")
        return ALL_THERE
    _say(f"To revision {plan.target}, by {len(plan.chain)} revisions:")
    for each in plan.chain:
        _say(f"  {each.revision:<24} {each.kind:<9} {each.checksum[:12]}  {each.message}")
    for name in plan.rings:
        _say(f"  ring {name:<8} {plan.sizes.get(name, 0):>6} workspaces")
    _say(f"Between rings: {plan.soak_seconds} s. Nothing was changed yet; next: slipway fleet apply")
    return ALL_THERE


def _apply(fleet: Fleet, chosen: argparse.Namespace) -> int:
    watcher = Watcher(sys.stdout)
    with _stoppable() as stop:
        crewing = Crewing(
            workers=chosen.workers,
            tell=watcher.tell,
            stop=stop,
            resume=chosen.resume,
            quarantined=getattr(chosen, "quarantined", False),
        )
        plan = apply_plan(fleet, crewing)
    watcher.end()
    if plan is None:
        return _nothing_open(fleet)
    return _ended(plan)


def _ended(plan: Plan) -> int:
    if plan.state == "finished":
        _say(f"Every workspace is at revision {plan.target}.")
        return ALL_THERE
    if plan.state == "stopped":
        _say("Stopped; what was begun is done. To go on: slipway fleet resume")
        return NOT_ALL
    _say(f"The fleet is {plan.state}: {plan.reason}")
    _say("Who and why: slipway fleet status. Then slipway fleet resume, or, once mended, resume --quarantined")
    return NOT_ALL


def _nothing_open(fleet: Fleet) -> int:
    """No plan: fine where nobody needs one."""
    below = read_status(fleet).below
    if not below:
        _say(f"Every workspace is at revision {fleet.tree.head}. Nothing to do.")
        return ALL_THERE
    _say(f"{below} workspaces are below revision {fleet.tree.head}, and there is no plan. First: slipway fleet plan")
    return NOT_ALL


def _status(fleet: Fleet, _chosen: argparse.Namespace) -> int:
    status = read_status(fleet)
    for revision, n in sorted(status.revisions.items()):
        _say(f"{n:>6} workspaces at {revision}{' (head)' if revision == fleet.tree.head else ''}")
    if status.plan is None:
        return _nothing_open(fleet)
    _say(f"Plan to {status.plan.target}: {status.plan.state}. {status.plan.reason or ''}".rstrip())
    for name, states in status.rings.items():
        _say(f"  ring {name:<8} {_counts(states)}")
    _say_quarantined(status)
    return NOT_ALL if status.quarantined or status.below else ALL_THERE


def _counts(states: Counter[str]) -> str:
    return (
        ", ".join(f"{states[state]} {state}" for state in ("done", "waiting", "quarantined") if states[state])
        or "empty"
    )


def _say_quarantined(status: Status) -> None:
    for each in status.quarantined[:_SHOWN]:
        _say(f"  quarantined: {each.schema} in {each.cell}, tenant {each.tenant_id}, still at {each.revision}")
        _say(f"    after {each.attempts} attempts: {each.error}")
    if len(status.quarantined) > _SHOWN:
        _say(f"  and {len(status.quarantined) - _SHOWN} more")


def _verify(fleet: Fleet, _chosen: argparse.Namespace) -> int:
    verdict = verify(fleet)
    for drift in verdict.drifts[:_SHOWN]:
        _say(f"{drift.schema} in {drift.cell} has drifted:")
        for line in drift.said:
            _say(f"  {line}")
    if len(verdict.drifts) > _SHOWN:
        _say(f"and {len(verdict.drifts) - _SHOWN} more")
    _say(
        f"{verdict.looked_at} workspaces looked at; {verdict.compared} at revision {fleet.tree.head}, compared with a"
        f" new one; {len(verdict.drifts)} drifted."
    )
    return NOT_ALL if verdict.drifts or verdict.compared < verdict.looked_at else ALL_THERE


@contextmanager
def _stoppable() -> Iterator[Event]:
    """Ctrl-C and SIGTERM let the workspaces under way come to their end, and take up no more."""
    stop = Event()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {each: signal.signal(each, ask) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="slipway fleet", description="Upgrade the schemas of all workspaces.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compiled = commands.add_parser("compile", help="render every revision to SQL and show what it is")
    compiled.add_argument("--sql", action="store_true", help="print the statements too")
    compiled.set_defaults(run=_compile)
    plan = commands.add_parser("plan", help="say what would be done, in which rings; changes nothing")
    plan.add_argument("--to", metavar="REVISION", help="not to the head, but to this revision")
    plan.add_argument("--canary", action="append", metavar="TENANT", help="who goes first (id or schema); repeatable")
    plan.add_argument("--soak", type=int, default=300, metavar="SECONDS", help="pause between rings (300)")
    plan.add_argument("--contract", action="store_true", help="no program of an earlier release runs any more")
    plan.add_argument("--one-ring", action="store_true", help="all at once: for small installations")
    plan.set_defaults(run=_plan)
    for name, said in (("apply", "carry out the plan"), ("resume", "go on after a halt, a stop or a crash")):
        command = commands.add_parser(name, help=said)
        command.add_argument("--workers", type=int, default=4, choices=range(1, 33), metavar="N", help="threads (4)")
        if name == "resume":
            command.add_argument("--quarantined", action="store_true", help="try those that were set apart again")
        command.set_defaults(run=_apply, resume=name == "resume")
    commands.add_parser("status", help="rings, revisions, who was set apart and why").set_defaults(run=_status)
    commands.add_parser("verify", help="compare every schema with a new one").set_defaults(run=_verify)
    return parser


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
