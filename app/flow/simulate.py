"""Random legal histories of a definition: does every one reach the end? Pure; the same seed gives the same histories.

A dead end is a state in which nobody can do anything and no timer runs, or one that is left only by luck (too long).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from msgspec import Struct

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.decide import Recorded, decide, new_state
from app.flow.definition import EXCEPTION_TYPES, REASON_CODES, Definition, Item
from app.flow.events import By, Event, Evidenced, Resolution
from app.flow.fields import Field, Value
from app.flow.parts.unfolding import instance_key, unfold
from app.flow.state import State
from app.flow.steps.gates import view_gate
from app.kernel.errors import SlipwayError

LONGEST_HISTORY = 1_000
MOST_EXCEPTIONS = 10  # raised by people; enough trouble for one onboarding
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WAYS: tuple[Resolution, ...] = ("retry", "done", "skip", "close")
_FITTING = {"email": "someone@example.org", "url": "https://example.org/page", "phone": "+49 30 123456"}
PROOF = Evidenced(statement="Seen and noted.", link="https://example.org/proof")


class DeadEnd(Struct, frozen=True, kw_only=True):
    """A history that cannot reach the end, and the items that are open in it."""

    seed: int
    steps: int
    stuck: tuple[str, ...]


class Report(Struct, frozen=True, kw_only=True):
    """What many histories did. `touched` counts in how many an item was done."""

    histories: int
    finished: int
    cancelled: int
    longest: int
    dead_ends: tuple[DeadEnd, ...]
    touched: dict[str, int]


def simulate(definition: Definition, *, seed: int = 1, histories: int = 20) -> Report:
    """Walk that many random histories to their end."""
    ends: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    dead: list[DeadEnd] = []
    longest = 0
    for number in range(seed, seed + histories):
        history, state = walk(definition, number)
        longest = max(longest, len(history))
        ends[state.status] += 1
        touched.update(key for key, item in state.items.items() if item.state == "done" and key in definition.items)
        if state.status == "running":
            stuck = tuple(key for key, item in state.items.items() if item.state in {"open", "running", "blocked"})
            dead.append(DeadEnd(seed=number, steps=len(history), stuck=stuck))
    return Report(
        histories=histories,
        finished=ends["finished"],
        cancelled=ends["cancelled"],
        longest=longest,
        dead_ends=tuple(dead),
        touched=dict(sorted(touched.items())),
    )


def walk(definition: Definition, seed: int) -> tuple[list[Recorded], State]:
    """One random legal history and the state it leads to."""
    chance = Random(seed)  # noqa: S311  # a repeatable walk, not a secret
    now = BEGIN + timedelta(hours=chance.randrange(24 * 200))
    begin = _begin(definition, chance)
    state = decide(definition, new_state(definition), begin, now).state
    history = [Recorded(at=now, event=begin)]
    while state.status == "running" and len(history) < LONGEST_HISTORY:
        event = _next(definition, state, chance)
        if event is None:
            break
        now += timedelta(minutes=chance.randrange(1, 600))
        if isinstance(event, events.TimerFired):
            now = max(now, state.timers[event.timer].due_at)
        elif isinstance(event, events.ReminderDue):
            now = max(now, state.reminders[event.item].due_at)
        state = decide(definition, state, event, now).state
        history.append(Recorded(at=now, event=event))
    return history, state


def _next(definition: Definition, state: State, chance: Random) -> Event | None:
    """One legal event, chosen at random; what brings the onboarding forward is likelier."""
    definition = unfold(definition, state.parts)
    forward = [event for event in _forward(definition, state, chance) if _legal(definition, state, event)]
    aside = list(_aside(definition, state, chance))
    if forward and (not aside or _likely(chance, 75)):
        return chance.choice(forward)
    legal = [event for event in aside if _legal(definition, state, event)]
    return chance.choice(legal or forward) if legal or forward else None


def _legal(definition: Definition, state: State, event: Event) -> bool:
    due = [timer.due_at for timer in state.timers.values()]
    due += [reminder.due_at for reminder in state.reminders.values()]
    try:
        decide(definition, state, event, max([BEGIN, *due]))
    except SlipwayError:
        return False
    return True


def _forward(definition: Definition, state: State, chance: Random) -> Iterator[Event]:
    everyone = By(actor="simulation", roles=tuple(definition.roles))
    for key, item in definition.items.items():
        status = state.items[key].state
        if item.kind == "task" and status == "open":
            by = By(actor="simulation", side=item.side, roles=tuple(definition.roles))
            yield events.TaskCompleted(by=by, task=key, answers=_answers(item, chance), evidence=PROOF)
        elif item.kind == "task" and status == "running":
            yield _outcome(item, state, chance)
        elif item.kind == "gate" and status == "open":
            yield from _decisions(definition, state, item, everyone)
        elif item.kind == "milestone" and status == "open":
            yield events.MilestoneProven(by=everyone, milestone=key, evidence=PROOF)
    for each in state.open_exceptions():
        result = _values(_outputs(definition, each.item), chance)
        for way in WAYS:
            yield events.ExceptionResolved(
                by=everyone, exception=each.id, resolution=way, reason="Settled.", evidence=PROOF, result=result
            )
    missing = {each.field.id: each.field for each in definition.handoff if each.field.id not in state.packet}
    if missing:
        field = chance.choice(list(missing.values()))
        yield events.PacketChanged(by=everyone, facts={field.id: _value(field, chance)}, source="sales")


def _aside(definition: Definition, state: State, chance: Random) -> Iterator[Event]:
    by = By(actor="simulation", roles=tuple(definition.roles))
    for name, timer in state.timers.items():
        if timer.armed:
            yield events.TimerFired(timer=name, rung=timer.rung, version=timer.version)
    for key, reminder in state.reminders.items():
        if reminder.armed:
            yield events.ReminderDue(item=key, version=reminder.version)
    yield from _of_parts(definition, state, by, chance)
    done = [key for key, item in state.items.items() if item.state == "done" and key.startswith("task.")]
    if done:
        yield events.TaskReopened(by=by, task=chance.choice(done), reason="It was not right yet.")
    if len(state.exceptions) < MOST_EXCEPTIONS:
        yield events.ExceptionRaised(
            by=by, item=chance.choice(list(definition.items)), type=chance.choice(EXCEPTION_TYPES),
            reason_code=chance.choice(REASON_CODES), note="Something is in the way.", blocks=_likely(chance, 50),
        )  # fmt: skip


def _of_parts(definition: Definition, state: State, by: By, chance: Random) -> Iterator[Event]:
    """What nobody needs, and once more or once less of what happens several times."""
    for item in definition.items.values():
        if item.optional and not state.is_settled(item.key):
            yield events.ItemDeclined(by=By(actor="simulation", side=item.side), item=item.key, reason="Not needed.")
    for repeat in definition.repeats.values():
        each = state.parts[repeat.key].each if repeat.key in state.parts else ()
        yield events.PartAdded(by=by, item=repeat.key, name=f"Site {chance.randrange(1000)}")
        for part in each:
            yield events.PartRemoved(by=by, item=instance_key(repeat.key, part.number), reason="Not this one.")


def _outcome(item: Item, state: State, chance: Random) -> Event:
    request = state.items[item.key].request
    if _likely(chance, 60):
        return events.ActionSucceeded(task=item.key, request=request, result=_result(item, chance))
    if _likely(chance, 50):
        return events.ActionFailed(task=item.key, request=request, error="The connector refused.")
    return events.ActionUnknown(task=item.key, request=request, error="The connector did not answer.")


def _decisions(definition: Definition, state: State, item: Item, by: By) -> Iterator[Event]:
    view = view_gate(definition, state, item.key)
    fine = not (view.missing_hard or view.failed_checks)
    for button in item.review.decisions if item.review else ():
        if button.effect != "stop" and (button.effect != "override" or not fine):
            yield events.GateDecided(by=by, gate=item.key, decision=button.id, reason="Looked at and decided.")


def _begin(definition: Definition, chance: Random) -> events.Started:
    packet = {
        each.field.id: _value(each.field, chance) for each in definition.handoff if _likely(chance, 80)
    }  # fmt: skip
    return events.Started(
        by=By(actor="simulation"),
        inputs=_values(definition.inputs, chance),
        packet=packet,
        partner=Calendar(zone="Europe/Berlin"),
        customer=Calendar(zone=chance.choice(("Europe/Berlin", "America/New_York", "Asia/Dubai"))),
        reference=f"simulated-{chance.randrange(10**6)}",
        follows=True,
        pauses=True,
        reminds=True,
        clocks_follow=True,
    )


def _answers(item: Item, chance: Random) -> dict[str, Value]:
    answers = _values(item.fields, chance)
    if item.task_kind == "check":
        answers |= {field.id: True for field in item.fields if field.type == "boolean" and field.required}
    if item.task_kind == "approval":
        answers["approved"] = _likely(chance, 80)
    return answers


def _outputs(definition: Definition, key: str) -> tuple[Field, ...]:
    action = definition.items[key].action
    return action.outputs if action else ()


def _result(item: Item, chance: Random) -> dict[str, Value]:
    return _values(item.action.outputs if item.action else (), chance)


def _values(fields: tuple[Field, ...], chance: Random) -> dict[str, Value]:
    return {field.id: _value(field, chance) for field in fields if field.required or _likely(chance, 70)}


def _likely(chance: Random, percent: int) -> bool:
    return chance.randrange(100) < percent


def _value(field: Field, chance: Random) -> Value:
    """A fitting value."""
    if field.type in _FITTING:
        return _FITTING[field.type]
    made = _MADE.get(field.type)
    return made(field, chance) if made else f"Text {chance.randrange(1000)}"


def _number(field: Field, chance: Random) -> int:
    low = field.minimum if field.minimum is not None else 0
    return chance.randint(low, min(field.maximum if field.maximum is not None else low + 100, low + 100))


_MADE: dict[str, Callable[[Field, Random], Value]] = {
    "select": lambda field, chance: chance.choice(field.options).id,
    "choices": lambda field, chance: "\n".join(each.id for each in field.options if _likely(chance, 50)),
    "integer": _number,
    "decimal": lambda field, chance: f"{_number(field, chance)}.00",
    "boolean": lambda _field, chance: _likely(chance, 50),
    "date": lambda _field, chance: (BEGIN + timedelta(days=chance.randrange(365))).date().isoformat(),
    "list": lambda _field, chance: "\n".join(f"Entry {number}" for number in range(chance.randrange(4))),
}
