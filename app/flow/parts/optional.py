"""Optional parts: nobody waits for them, and their own side may say that one is not needed."""

from __future__ import annotations

from app.flow.events import ItemDeclined
from app.flow.steps.course import asked_below
from app.flow.steps.draft import LONGEST_STATEMENT, Draft, NotOpen
from app.flow.steps.settle import close_unneeded
from app.flow.steps.work import NotYourTask, ReasonNeeded, need_reason
from app.kernel.errors import Conflict


class DeclineRefused(Conflict):
    """What is needed cannot be declined, nor what another system was asked for already."""


def decline(draft: Draft, event: ItemDeclined) -> None:
    """An optional task or milestone is not needed. Raises ReasonNeeded, NotOpen, NotYourTask, DeclineRefused."""
    need_reason(event.reason)
    if len(event.reason) > LONGEST_STATEMENT:
        raise ReasonNeeded(f"A reason may have {LONGEST_STATEMENT} characters.")
    item = draft.definition.items[event.item]
    if not item.optional:
        raise DeclineRefused("This is needed; only what is optional can be declined.")
    if event.by.side != item.side:
        raise NotYourTask(f"This belongs to the {item.side}; only they can say that it is not needed.")
    if draft.is_settled(item.key):
        raise NotOpen("This is settled already; there is nothing to decline.")
    if asked_below(draft, item.key):
        raise DeclineRefused("An action was asked of another system: wait for its result, or resolve its exception.")
    close_unneeded(draft, item, by=event.by.actor, reason=event.reason.strip())
