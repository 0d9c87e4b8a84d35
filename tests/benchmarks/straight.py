"""The straight way through a definition: the events of an onboarding in which everybody does what is asked. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.decide import decide, new_state
from app.flow.definition import Definition, Item
from app.flow.events import By, Event
from app.flow.state import State
from app.kernel.errors import SlipwayError
from tests.factories.walker import PROOF, fitting


def straight_way(definition: Definition, now: datetime) -> list[Event]:
    """All events from the start to the finish, each legal after the ones before."""
    started = straight_start(definition)
    everyone = started.by
    way: list[Event] = [started]
    state = decide(definition, new_state(definition), started, now).state
    while state.status == "running":
        event, state = _next(definition, state, everyone, now)
        way.append(event)
    return way


def straight_start(definition: Definition, *, reference: str = "bench") -> events.Started:
    """The start, with a fitting value for everything."""
    return events.Started(
        by=By(actor="person:bench", roles=tuple(definition.roles)),
        inputs={field.id: fitting(field) for field in definition.inputs},
        packet={entry.field.id: fitting(entry.field) for entry in definition.handoff},
        partner=Calendar(),
        customer=Calendar(),
        reference=reference,
        follows=True,
    )


def _next(definition: Definition, state: State, everyone: By, now: datetime) -> tuple[Event, State]:
    for event in _wanted(definition, state, everyone):
        try:
            return event, decide(definition, state, event, now).state
        except SlipwayError:
            continue  # a milestone is open before it can be proven, and a gate has buttons that do not fit yet
    raise AssertionError(f"nothing can be done: {[key for key, item in state.items.items() if item.state == 'open']}")


def _wanted(definition: Definition, state: State, everyone: By) -> Iterator[Event]:
    for key, item in definition.items.items():
        now = state.items[key]
        if now.state == "running" and item.action is not None:
            result = {field.id: fitting(field) for field in item.action.outputs}
            yield events.ActionSucceeded(task=key, request=now.request, result=result)
        elif now.state == "open":
            yield from _done(item, everyone)


def _done(item: Item, everyone: By) -> Iterator[Event]:
    if item.kind == "task":
        by = By(actor=everyone.actor, side=item.side, roles=everyone.roles)
        answers = {field.id: fitting(field) for field in item.fields}
        yield events.TaskCompleted(by=by, task=item.key, answers=answers, evidence=PROOF)
    elif item.kind == "milestone":
        yield events.MilestoneProven(by=everyone, milestone=item.key, evidence=PROOF)
    elif item.kind == "gate" and item.review:
        passing = [button.id for button in item.review.decisions if button.effect == "pass"]
        yield from (events.GateDecided(by=everyone, gate=item.key, decision=button) for button in passing)
