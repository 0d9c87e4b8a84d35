"""Stops the calls that a decision has left without a purpose."""

from __future__ import annotations

from app.connectors.runs.ending import run_name
from app.connectors.runs.stopping import stop_runs
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.state import State
from app.kernel.work import Work
from app.onboarding.models import Onboarding

SYSTEM_ONLY = {"stop_runs_of": "part of `advance`, which an operation calls that has checked its own permission"}
_Result = flow.ActionSucceeded | flow.ActionFailed | flow.ActionUnknown


def stop_runs_of(work: Work, onboarding: Onboarding, before: State, event: flow.Event, decision: Decision) -> None:
    """End the runs of steps that waited for one and do not any more, whatever the reason: cancelled, begun anew, gone.

    The run whose result this is has ended by itself.
    """
    ended = (event.task, event.request) if isinstance(event, _Result) else None
    left = unwanted(before, decision)
    if wanted := [run_name(onboarding.id, *each) for each in left if each != ended]:
        stop_runs(work, wanted)


def unwanted(before: State, decision: Decision) -> list[tuple[str, int]]:
    """Steps that waited for a call and do not any more, each with the number of that call."""
    after = decision.state.items
    changed = {change.item for change in decision.changes}
    if before.definition != decision.state.definition:
        changed |= before.items.keys()
    return [
        (key, was.request)
        for key in sorted(changed)
        if (was := before.items.get(key)) is not None and was.state == "running" and was.request
        if (now := after.get(key)) is None or (now.state, now.request) != ("running", was.request)
    ]
