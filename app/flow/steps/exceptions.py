"""Typed problems: opened with a route and a respond-by date, closed by a person or by the fact that was missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.flow.commands import ChangeException, CloseException, NotifyRole, OpenException, StartAlert, StartRetry
from app.flow.definition import (
    CRITERION_ERROR,
    ENGINE_EXCEPTION_TYPES,
    EXCEPTION_TYPES,
    REASON_CODES,
    Definition,
    Duration,
    ExceptionRoute,
)
from app.flow.events import ExceptionRaised, Resolution
from app.flow.state import SYSTEM, OpenedException
from app.flow.steps.draft import Draft
from app.flow.steps.timers import cancel_timers
from app.kernel.errors import Conflict, Invalid

STALLED = "stalled"  # the place of an exception on what nobody can move any more
UNDO = "undo"  # the place of an exception on an effect outside that a roll back could not take back
ENGINE_ROUTE = "technical_blocker"  # where the engine's own exceptions go unless the template routes them


class ExceptionRefused(Invalid):
    """An exception type or reason code that this template does not know."""


class ExceptionClosed(Conflict):
    """The exception was resolved before."""


def open_exception(  # the parts of an exception, by name
    draft: Draft,
    item: str,
    *,
    kind: str,
    reason_code: str,
    note: str,
    blocks: bool = False,
    place: str | None = None,
    raised_by: str | None = None,
) -> OpenedException:
    """Open an exception on an item: note it, route it, tell its owners."""
    definition = draft.definition
    route = route_of(definition, kind)
    opened = OpenedException(
        id=_free_id(draft, item),
        item=item,
        type=kind,
        reason_code=reason_code,
        route=route.route,
        opened_at=draft.now,
        respond_by=draft.due(draft.now, route.respond_within, "partner"),
        note=note[:1_000],
        blocks=blocks,
        place=place,
        raised_by=raised_by,
    )
    opened = count_from_now(draft, opened, route.respond_within)
    draft.exceptions[opened.id] = opened
    draft.commands.append(OpenException(exception=opened))
    arm_alert(draft, opened)
    for role in route.route:
        side = definition.roles[role].side
        draft.commands.append(
            NotifyRole(message="exception_opened", role=role, side=side, item=item, text=route.first_response)
        )
    return opened


def route_of(definition: Definition, kind: str) -> ExceptionRoute:
    """Where exceptions of a type go."""
    return definition.exceptions.get(kind) or definition.exceptions[ENGINE_ROUTE]


def alert_due(exception: OpenedException) -> datetime | None:
    """When an exception is told further up; None once somebody has responded, or has been told last."""
    if not exception.is_open or exception.answered_at is not None:
        return None
    return exception.alert_at if exception.alerts else exception.respond_by


def alert_version(due: datetime) -> int:
    """A moment that is moved is another one."""
    return int(due.timestamp()) // 60


def arm_alert(draft: Draft, exception: OpenedException) -> None:
    """Set the moment at which an exception is told further up, if there is one."""
    if (due := alert_due(exception)) is not None:
        version = alert_version(due)
        draft.commands.append(StartAlert(exception=exception.id, item=exception.item, due_at=due, version=version))


def count_from_now(draft: Draft, exception: OpenedException, within: Duration) -> OpenedException:
    """The moment that is awaited comes so much after now, also by a calendar that changes."""
    if not draft.before_or_started().clocks_follow:
        return exception
    return msgspec.structs.replace(exception, counts_from=draft.now, within=within)


def close_exception(draft: Draft, exception: OpenedException, *, resolution: Resolution, reason: str, by: str) -> None:
    """Resolve one exception in the draft."""
    draft.exceptions[exception.id] = msgspec.structs.replace(
        exception, resolution=resolution, resolved_at=draft.now, resolved_by=by
    )
    draft.commands.append(CloseException(exception=exception.id, resolution=resolution, reason=reason))


def raise_exception(draft: Draft, event: ExceptionRaised) -> None:
    """A person reports a problem. Raises ExceptionRefused."""
    if event.type not in EXCEPTION_TYPES or event.type not in draft.definition.exceptions:
        raise ExceptionRefused(f"“{event.type}” is not an exception type; use one of {', '.join(EXCEPTION_TYPES)}.")
    if event.reason_code not in REASON_CODES:
        raise ExceptionRefused(f"“{event.reason_code}” is not a reason code; use one of {', '.join(REASON_CODES)}.")
    if not event.note.strip():
        raise ExceptionRefused("Say what the problem is, so that its owner can act on it.")
    item = draft.definition.items[event.item]
    if draft.is_settled(item.key):
        raise ExceptionClosed("This item is finished already; raise the problem on what comes next.")
    open_exception(
        draft,
        item.key,
        kind=event.type,
        reason_code=event.reason_code,
        note=event.note,
        blocks=event.blocks,
        raised_by=event.by.actor if draft.before.pauses else None,
    )
    if event.blocks and item.kind in {"task", "gate"} and draft.items[item.key].state == "open":
        draft.set(item.key, state="blocked")


def put_off_responses(draft: Draft, since: datetime) -> None:
    """The first response is due later by the business time that has passed since then."""
    clock = draft.before.time_for("partner")
    for each in list(draft.exceptions.values()):
        passed = clock.business_between(max(since, each.opened_at), draft.now)
        waits = each.is_open and each.answered_at is None
        if waits and each.respond_by is not None and passed > timedelta(0):
            later = clock.add_business(each.alert_at, passed) if each.alert_at else None
            moved = clock.add_business(each.respond_by, passed)
            arm_alert(draft, change_exception(draft, each, respond_by=moved, alert_at=later))


def retry_what_was_due(draft: Draft) -> None:
    """A retry whose moment came during a hold is made now."""
    for each in list(draft.exceptions.values()):
        if each.is_open and each.retry_at is not None and each.retry_at <= draft.now:
            version = each.retry_version + 1
            change_exception(draft, each, retry_at=draft.now, retry_version=version)
            draft.commands.append(StartRetry(exception=each.id, item=each.item, due_at=draft.now, version=version))


def change_exception(draft: Draft, exception: OpenedException, **attributes: Any) -> OpenedException:
    """An open exception with other facts, which its queue is told."""
    changed = msgspec.structs.replace(exception, **attributes)
    draft.exceptions[changed.id] = changed
    draft.commands.append(ChangeException(exception=changed))
    return changed


def note_criterion_error(draft: Draft, item: str, *, place: str, reason: str) -> None:
    """Open one exception for a criterion that could not be evaluated; a second failure at the same place adds none."""
    if not _open_at(draft, item, place):
        note = f"{place} could not be evaluated: {reason}"
        open_exception(draft, item, kind=CRITERION_ERROR, reason_code="integration_failure", note=note, place=place)


def note_stall(draft: Draft, item: str, *, note: str) -> None:
    """Open one exception for an item that nobody can move any more, so that it has an owner."""
    if not _open_at(draft, item, STALLED):
        kind, reason_code = "timeline_risk", "waiting_internal_provisioning"
        open_exception(draft, item, kind=kind, reason_code=reason_code, note=note, place=STALLED)


def clear_criterion_errors(draft: Draft, item: str) -> None:
    """The item's criteria evaluate again: close what was opened for them."""
    for each in list(draft.exceptions.values()):
        if each.is_open and each.item == item and each.type == CRITERION_ERROR:
            close_exception(draft, each, resolution="close", reason="The criterion evaluates again.", by=SYSTEM)


def close_given_facts(draft: Draft) -> None:
    """Close the exceptions of packet fields that have a value now."""
    for each in list(draft.exceptions.values()):
        of_packet = each.is_open and each.place is not None and each.place.startswith("packet.")
        if of_packet and draft.facts.get(f"{each.place}.given"):
            close_exception(draft, each, resolution="close", reason="The missing fact was given.", by=SYSTEM)


def close_of_item(draft: Draft, item: str, *, reason: str, by: str) -> None:
    """Nobody goes on with the item: whatever was reported about it is settled with that."""
    for each in list(draft.exceptions.values()):
        if each.is_open and each.item == item:
            close_exception(draft, each, resolution="close", reason=reason, by=by)


def close_rest(draft: Draft, *, reason: str) -> None:
    """The onboarding ended: no queue holds what nobody will ever act on."""
    for each in list(draft.exceptions.values()):
        if each.is_open:
            close_exception(draft, each, resolution="close", reason=reason, by=SYSTEM)


def close_all(draft: Draft, item: str, *, reason: str, by: str) -> None:
    """The item is settled or gone: nothing about it is open any more."""
    for each in list(draft.exceptions.values()):
        ours = each.type in ENGINE_EXCEPTION_TYPES or each.place == STALLED
        if each.is_open and each.item == item and ours:
            close_exception(draft, each, resolution="close", reason=reason, by=by)
    cancel_timers(draft, item)


def _free_id(draft: Draft, item: str) -> str:
    """The next number of the item; one that moved here with a migration keeps the name of its old item."""
    number = 1 + sum(1 for each in draft.exceptions.values() if each.item == item)
    while f"{item}#{number}" in draft.exceptions:
        number += 1
    return f"{item}#{number}"


def _open_at(draft: Draft, item: str, place: str) -> bool:
    return any(each.is_open and each.item == item and each.place == place for each in draft.exceptions.values())
