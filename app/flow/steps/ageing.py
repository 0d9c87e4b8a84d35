"""Ageing: an exception that nobody responds to in its time is told further up, rung by rung, until somebody does."""

from __future__ import annotations

from datetime import datetime

from app.flow.commands import NotifyRole
from app.flow.definition import Definition, Duration
from app.flow.events import ExceptionAged
from app.flow.state import OpenedException, State
from app.flow.steps.draft import Draft
from app.flow.steps.exceptions import (
    alert_due,
    alert_version,
    arm_alert,
    change_exception,
    count_from_now,
    route_of,
)
from app.flow.steps.timers import TimerNotDue

LEAD = "onboarding_lead"  # told of each rung, where the template has such a role


def rungs_of(definition: Definition, exception: OpenedException) -> list[tuple[str, ...]]:
    """Who is told, rung by rung: one more of the template's `escalate`, else of the route; the lead each time."""
    ours = [role for role in (route_of(definition, exception.type).escalate or exception.route[1:])
            if definition.roles[role].side == "partner"]  # fmt: skip
    lead = LEAD if LEAD in definition.roles else definition.of_kind("stage")[0].owner
    return [tuple(dict.fromkeys((role, lead))) for role in ours or (lead,)]


def is_overdue(exception: OpenedException, now: datetime) -> bool:
    """Whether somebody should have responded to it by now."""
    waits = exception.is_open and exception.answered_at is None
    return waits and exception.respond_by is not None and exception.respond_by < now


def is_stale_alert(state: State, event: ExceptionAged) -> bool:
    """Whether somebody has responded meanwhile, or this moment was moved."""
    exception = state.exceptions.get(event.exception)
    due = alert_due(exception) if exception else None
    return due is None or alert_version(due) != event.version


def alert(draft: Draft, event: ExceptionAged) -> None:
    """Nobody has responded by then: tell whoever is next, and set the next rung. Raises TimerNotDue."""
    exception = draft.exceptions[event.exception]
    due = alert_due(exception)
    if due is None or draft.now < due:
        raise TimerNotDue("It is not time yet to tell anybody of this exception.")
    rungs, route = rungs_of(draft.definition, exception), route_of(draft.definition, exception.type)
    for role in rungs[min(exception.alerts, len(rungs) - 1)]:
        side = draft.definition.roles[role].side
        told = NotifyRole(
            message="exception_aged", role=role, side=side, item=exception.item, text=route.first_response
        )
        draft.commands.append(told)
    count = exception.alerts + 1
    following = draft.due(draft.now, route.respond_within, "partner") if count < len(rungs) else None
    counted = count_from_now(draft, exception, route.respond_within)
    arm_alert(draft, change_exception(draft, counted, alerts=count, alert_at=following))


def follow_calendars(draft: Draft) -> None:
    """A party works at other times: what is still awaited is due by them, so putting back is exact."""
    for each in list(draft.exceptions.values()):
        if each.counts_from is None or each.within is None or alert_due(each) is None:
            continue
        due = _awaited(draft, each.counts_from, each.within)
        if due != alert_due(each):
            moved = {"alert_at": due} if each.alerts else {"respond_by": due}
            arm_alert(draft, change_exception(draft, each, **moved))


def _awaited(draft: Draft, begin: datetime, within: Duration) -> datetime:
    """So much after that moment, and later by each hold since."""
    state = draft.before_or_started()
    clock, due = state.time_for("partner"), draft.due(begin, within, "partner")
    for since, until in state.plan.pauses if state.plan else ():
        if begin < until:
            due = clock.put_off(due, clock.business_between(max(since, begin), until))
    return due
