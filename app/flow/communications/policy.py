"""What the policy of a message says now (REQUIREMENTS 1.7 and 1.1, X14): kept back, by itself, or by whom."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from app.flow.communications.text import left_open
from app.flow.criteria import Readable
from app.flow.definition import AUTOMATIC_KINDS, RISKY_KINDS, Communication, Definition, Item
from app.flow.state import ItemState

SUPPRESSED: Final = "Its policy keeps this message back."  # the reason of a task that was skipped because of it


class Standing(Struct, frozen=True, kw_only=True):
    """What applies now. `approval` is the role that alone may send it; `by_itself`: nobody is asked."""

    suppressed: bool
    approval: str | None
    by_itself: bool


def communication_of(definition: Definition, item: Item) -> Communication | None:
    """What a task sends, if it sends anything."""
    return definition.communications[item.sends] if item.sends is not None else None


def standing_of(definition: Definition, item: Item, state: ItemState, facts: Readable) -> Standing:
    """What the policy says of a task that sends. Raises CriterionFailed: what cannot be judged is never sent.

    `facts` are those that criteria of this item see.
    """
    message = definition.communications[item.sends or ""]
    suppressed = message.suppress is not None and message.suppress.holds(facts)
    approval = message.approval.role if message.approval and _is_asked_for(message, facts) else None
    free = approval is None and not suppressed and _may_go_alone(definition, message)
    return Standing(suppressed=suppressed, approval=approval, by_itself=free and state.request == 0)


def _is_asked_for(message: Communication, facts: Readable) -> bool:
    when = message.approval.when if message.approval else None
    return message.kind in RISKY_KINDS or when is None or when.holds(facts)


def _may_go_alone(definition: Definition, message: Communication) -> bool:
    """Only fixed words on the list of what may, and only where people decide at a gate (X14); else it is a draft."""
    if message.mode != "automatic" or message.kind not in AUTOMATIC_KINDS or not definition.of_kind("gate"):
        return False
    texts = (*message.subject.values(), *message.body.values())
    return not any(left_open(text) for text in texts)
