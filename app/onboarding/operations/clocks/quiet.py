"""Quiet hours: what reminds or escalates waits for its reader's working time, by the calendar of their side.

Such a letter is stored at once and sent once; until then it waits in the workspace, its timer on the business clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.flow.calendar import BusinessTime
from app.flow.definition import Side
from app.flow.state import State
from app.kernel.work import Work
from app.notifications.operations import Letter, queue_letter

SYSTEM_ONLY = {
    "letter_to": "part of `advance`, which an operation calls that has checked its own permission",
    "working_at": "reads a calendar that it is given",
    "wait_with": "part of `letter_to` and of the job of a letter that waited",
}
WAITS: Final = frozenset({"reminder", "sla_breached"})


def letter_to(work: Work, state: State, letter: Letter, side: Side, *, waits: bool) -> None:
    """Queue a letter; one that `waits` only for its reader's working time."""
    opens = working_at(state, side, work.now)
    if not waits or opens <= work.now:
        queue_letter(work, letter)
    else:
        wait_with(work, queue_letter(work, letter, held=True), opens, version=1)


def wait_with(work: Work, message_id: UUID, until: datetime, *, version: int) -> None:
    """Let a stored letter wait until a business time."""
    work.set_timer("onboarding.send_waiting", subject_id=message_id, due_at=until, version=version)


def working_at(state: State, side: Side, moment: datetime) -> datetime:
    """The first moment from this one on at which that side works."""
    own = state.partner if side == "partner" else state.customer
    return BusinessTime(own).add_business(moment, timedelta(0))
