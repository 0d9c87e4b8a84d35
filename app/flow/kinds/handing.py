"""Credentials are handed over: the task is done with it, and later the same values may be given anew."""

from __future__ import annotations

import msgspec

from app.flow.definition import Item
from app.flow.events import By, CredentialsGiven, TaskCompleted
from app.flow.fields import Value
from app.flow.kinds.credentials import Handover, checked_given
from app.flow.state import Proof
from app.flow.steps.draft import Draft, NotOpen
from app.flow.steps.settle import settle_item
from app.kernel.errors import Forbidden

RENEWABLE = frozenset({"done", "blocked"})  # in which a credential is given anew without the task moving


class NotYourCredentials(Forbidden):
    """The credentials are the other side's to hand over."""


def hand_over(draft: Draft, item: Item, event: TaskCompleted) -> None:
    """The values of an open task are there: it is done. Raises AnswersRefused."""
    if item.handover is not None:
        _keep(draft, item, item.handover, event.answers, event.by)
        settle_item(draft, item.key, "done", by=event.by.actor)


def give_again(draft: Draft, event: CredentialsGiven) -> None:
    """Values that are there already are replaced. Raises NotOpen, NotYourCredentials, AnswersRefused."""
    item = draft.definition.items[event.task]
    if item.handover is None:
        raise NotOpen("This is not a step in which credentials are handed over.")
    if event.by.side != item.side:
        raise NotYourCredentials(f"These credentials are the {item.side}'s; only they hand them over.")
    state = draft.items[item.key].state
    if state not in RENEWABLE:
        raise NotOpen(f"This task is {state}; credentials cannot be replaced now.")
    _keep(draft, item, item.handover, dict.fromkeys(event.fields, True), event.by)


def _keep(draft: Draft, item: Item, handover: Handover, given: dict[str, Value], by: By) -> None:
    before = draft.items[item.key]
    answers = checked_given(handover, given, before.answers)
    proof = before.evidence or Proof()
    draft.set(
        item.key,
        answers=answers,
        evidence=msgspec.structs.replace(proof, given_by=by.actor, given_at=draft.now),
    )
