"""What the jobs of due timers do: give a reminder, send a letter that has waited for its reader's morning."""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from uuid import UUID

from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.definition import Side
from app.flow.state import State
from app.kernel.work import Work
from app.notifications.operations import drop_letter, get_queued, release_letter
from app.notifications.queries import StoredLetter
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.operations.clocks.quiet import wait_with, working_at
from app.onboarding.queries.stored import state_of

SYSTEM_ONLY = {
    "remind": "called by the job of a due reminder",
    "send_waiting": "called by the job of a letter that waited",
}
_OVER = "Not sent: the step ended before its reader's working day began."
_NIGHT = timedelta(hours=12)


def remind(work: Work, *, onboarding_id: UUID, item: str, version: int) -> Decision:
    """The moment of a reminder came. An old version changes nothing."""
    return advance(work, lock_onboarding(work, onboarding_id), flow.ReminderDue(item=item, version=version))


def send_waiting(work: Work, *, message_id: UUID, version: int) -> None:
    """Its reader works now: send the letter, unless nobody needs it any more. While it is on hold it waits on."""
    letter = get_queued(work, message_id)
    if letter is None or letter.onboarding_id is None:
        return
    state, side = state_of(lock_onboarding(work, letter.onboarding_id)), cast("Side", letter.facts["reader_side"])
    if not _is_needed(state, letter):
        drop_letter(work, message_id, reason=_OVER)
        return
    now = work.now if state.hold is None else work.now + _NIGHT
    opens = working_at(state, side, now)
    if opens > work.now:
        wait_with(work, message_id, opens, version=version + 1)
    else:
        release_letter(work, message_id)


def _is_needed(state: State, letter: StoredLetter) -> bool:
    """Whether somebody still has to act: the step has not ended, or, of an exception, the onboarding has not."""
    if state.status != "running":
        return False
    return letter.kind == "exception_opened" or not state.is_settled(str(letter.facts["item"]))
