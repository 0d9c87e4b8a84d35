"""Hold and resume: while an onboarding is held nobody moves it and no clock runs; what time was left is left after."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from app.flow import events
from app.flow.definition import REASON_CODES
from app.flow.events import Event, Held, Resumed
from app.flow.state import Hold, State
from app.flow.steps.draft import LONGEST_STATEMENT, Draft
from app.flow.steps.exceptions import put_off_responses, retry_what_was_due
from app.flow.steps.timers import arm_again, pause_timers
from app.kernel.errors import Conflict, Invalid

# Facts are facts: what arrives, or is found out, is recorded while an onboarding is held. It moves nothing on.
_RECORDED = (
    events.Resumed,
    events.Cancelled,
    events.PacketChanged,
    events.OwnerAssigned,
    events.ActionSucceeded,
    events.ActionFailed,
    events.ActionUnknown,
    events.ExceptionRaised,
    events.ExceptionAnswered,
    events.ExceptionReassigned,
    events.MigrationDeclined,
)


class OnHold(Conflict):
    """The onboarding is held: nobody completes, decides or proves anything until it is resumed."""


class NotHeld(Conflict):
    """There is no hold to end."""


class HoldRefused(Invalid):
    """A hold without its reason, or with a reason code that nobody knows."""


def check_not_held(state: State, event: Event) -> None:
    """Refuse what a held onboarding waits with. Raises OnHold."""
    if state.hold is not None and not isinstance(event, _RECORDED):
        raise OnHold(
            f"This onboarding is on hold since {state.hold.since:%Y-%m-%d %H:%M} UTC: “{state.hold.reason}”. "
            "Resume it first."
        )


def hold(draft: Draft, event: Held) -> None:
    """Put the onboarding on hold: every clock stops. Raises HoldRefused."""
    if event.reason_code not in REASON_CODES:
        raise HoldRefused(f"“{event.reason_code}” is not a reason code; use one of {', '.join(REASON_CODES)}.")
    if not event.reason.strip():
        raise HoldRefused("Write down why this onboarding is put on hold.")
    if len(event.reason) > LONGEST_STATEMENT:
        raise HoldRefused(f"A reason may have {LONGEST_STATEMENT} characters.")
    draft.whole["hold"] = Hold(
        by=event.by.actor,
        since=draft.now,
        reason_code=event.reason_code,
        reason=event.reason.strip(),
        timers=pause_timers(draft),
    )


def resume(draft: Draft, event: Resumed) -> None:
    """End the hold: clocks go on with the business time they had left, dates move by the time held. Raises NotHeld."""
    del event  # who resumed it, and why, is in the journal
    held = draft.before.hold
    if held is None:
        raise NotHeld("This onboarding is not on hold.")
    draft.whole["hold"] = None
    arm_again(draft, held)
    put_off_responses(draft, held.since)
    retry_what_was_due(draft)
    if (plan := draft.before.plan) is not None:
        draft.whole["plan"] = msgspec.structs.replace(plan, pauses=(*plan.pauses, (held.since, draft.now)))
    else:
        open_ones = (key for key in draft.items if not draft.is_settled(key))
        move_due_dates(draft, open_ones, since=held.since, cause="held")


def move_due_dates(draft: Draft, keys: Iterable[str], *, since: datetime, cause: str) -> None:
    """Move dates by the business time that has passed since then, each in its own side's working time.

    For onboardings whose dates do not follow what happens; where they do, `dates.follow` computes them.
    """
    for key in keys:
        due = draft.items[key].due_at
        clock = draft.before.time_for(draft.definition.items[key].side)
        passed = clock.business_between(since, draft.now)
        if due is not None and passed > timedelta(0):
            draft.set(key, due_at=clock.add_business(due, passed), due_cause=cause)
