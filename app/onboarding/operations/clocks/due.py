"""Sends letters that have waited for their reader's morning."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import cast
from uuid import UUID

from app.flow.definition import Side
from app.flow.state import State
from app.kernel.work import Work
from app.notifications.operations import drop_letter, list_queued, release_letter
from app.notifications.queries import StoredLetter
from app.onboarding.operations.advance import lock_onboardings
from app.onboarding.operations.clocks.quiet import wait_with, working_at
from app.onboarding.queries.stored import state_of

SYSTEM_ONLY = {"send_waiting": "called by the job of letters that waited"}
_OVER = "Not sent: the step ended before its reader's working day began."
_NIGHT = timedelta(hours=12)


def send_waiting(work: Work, letters: Mapping[UUID, int]) -> None:
    """Their readers work now: send each of these letters, by the version of its timer, unless nobody needs it any more.

    While its onboarding is on hold, a letter waits on.
    """
    queued = list_queued(work, letters)
    about = lock_onboardings(work, {one.onboarding_id for one in queued if one.onboarding_id})
    for letter in queued:
        if letter.onboarding_id:
            work.trace_id = about[letter.onboarding_id].trace_id
            _send_or_wait(work, letter, state_of(about[letter.onboarding_id]), letters[letter.id])


def _send_or_wait(work: Work, letter: StoredLetter, state: State, version: int) -> None:
    if not _is_needed(state, letter):
        drop_letter(work, letter.id, reason=_OVER)
        return
    now = work.now if state.hold is None else work.now + _NIGHT
    opens = working_at(state, cast("Side", letter.facts["reader_side"]), now)
    if opens > work.now:
        wait_with(work, letter.id, opens, version=version + 1)
    else:
        release_letter(work, letter.id)


def _is_needed(state: State, letter: StoredLetter) -> bool:
    """Whether somebody still has to act: the step has not ended, or, of an exception, the onboarding has not."""
    if state.status != "running":
        return False
    return letter.kind == "exception_opened" or not state.is_settled(str(letter.facts["item"]))
