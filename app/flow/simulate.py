"""Random legal histories of a definition: does every one reach the end? Pure; the same seed gives the same histories.

A dead end is a state in which nobody can do anything and no timer runs, or one that is left only by luck (too long).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
from msgspec import Struct

from app.flow import events
from app.flow.calendar import Calendar
from app.flow.decide import Recorded, decide, new_state
from app.flow.definition import EXCEPTION_TYPES, REASON_CODES, Definition, Item
from app.flow.events import By, Event, Evidenced, Resolution
from app.flow.fields import Field, Value
from app.flow.kinds.signatures import Signing, text_digest
from app.flow.parts.unfolding import instance_key, unfold
from app.flow.simulation.due import next_due
from app.flow.simulation.edges import ANY, Edge, Leaning
from app.flow.simulation.files import handed_over
from app.flow.state import State, Status
from app.flow.steps.gates import view_gate
from app.kernel.errors import SlipwayError, Unavailable

LONGEST_HISTORY = 1_000
AT_AN_EDGE = 200  # steps that an edge leads; then chance does
MOST_SIGNERS = 20  # as many as a template may ask for
MOST_EXCEPTIONS = 10  # raised by people; enough trouble for one onboarding
BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WAYS: tuple[Resolution, ...] = ("retry", "done", "skip", "close")
_FITTING = {"email": "someone@example.org", "url": "https://example.org/page", "phone": "+49 30 123456"}
_CLOCKS = (events.TimerFired, events.ReminderDue)
IsOver = Callable[[], bool] | None
PROOF = Evidenced(statement="Seen and noted.", link="https://example.org/proof")


class TimeOver(Unavailable):
    """A walk was not at its end when whoever asked for it would wait no longer."""


class DeadEnd(Struct, frozen=True, kw_only=True):
    """A history that cannot reach the end, and the items that are open in it. `edge`: the one it was led along."""

    seed: int
    steps: int
    stuck: tuple[str, ...]
    edge: str = ""


class Walked(Struct, frozen=True, kw_only=True):
    """One history in short. `days`: working days of the partner from its begin to its last event."""

    seed: int
    edge: str
    status: Status
    steps: int
    days: int
    done: tuple[str, ...]
    stuck: tuple[str, ...]


class Report(Struct, frozen=True, kw_only=True):
    """What many histories did. `touched` counts in how many an item was done; `never`: in none.

    `longest` and `slowest` are the most steps and the most working days, each with who walked so.
    """

    histories: int
    finished: int
    cancelled: int
    longest: int
    dead_ends: tuple[DeadEnd, ...]
    touched: dict[str, int]
    never: tuple[str, ...] = ()
    longest_by: str = ""
    slowest: int = 0
    slowest_by: str = ""


def simulate(definition: Definition, *, seed: int = 1, histories: int = 20) -> Report:
    """Walk that many random histories to their end."""
    return sum_up(definition, (look(definition, number) for number in range(seed, seed + histories)))


def look(definition: Definition, seed: int, edge: Edge = ANY, is_over: IsOver = None) -> Walked:
    """Walk one history and say in short what it did. Raises TimeOver."""
    history, state = walk(definition, seed, edge, is_over)
    stuck = tuple(key for key, item in state.items.items() if item.state in {"open", "running", "blocked"})
    return Walked(
        seed=seed,
        edge=edge.name,
        status=state.status,
        steps=len(history),
        days=state.time_for("partner").days_between(history[0].at, history[-1].at),
        done=tuple(key for key, item in state.items.items() if item.state == "done" and key in definition.items),
        stuck=stuck if state.status == "running" else (),
    )


def sum_up(definition: Definition, walked: Iterable[Walked]) -> Report:
    """What many histories did, in any order."""
    ends: Counter[str] = Counter()
    touched: Counter[str] = Counter()
    dead: list[DeadEnd] = []
    longest = slowest = (0, "")
    for each in walked:
        who = each.edge or f"seed {each.seed}"
        longest, slowest = _more(longest, (each.steps, who)), _more(slowest, (each.days, who))
        ends[each.status] += 1
        touched.update(each.done)
        if each.status == "running":
            dead.append(DeadEnd(seed=each.seed, steps=each.steps, stuck=each.stuck, edge=each.edge))
    return Report(
        histories=ends.total(),
        finished=ends["finished"],
        cancelled=ends["cancelled"],
        longest=longest[0],
        dead_ends=tuple(sorted(dead, key=lambda each: (each.edge, each.seed))),
        touched=dict(sorted(touched.items())),
        never=tuple(key for key in definition.items if key not in touched),
        longest_by=longest[1],
        slowest=slowest[0],
        slowest_by=slowest[1],
    )


def _more(one: tuple[int, str], other: tuple[int, str]) -> tuple[int, str]:
    """The larger; of two alike the first in the alphabet, so that the order of walks says nothing."""
    return min(one, other, key=lambda each: (-each[0], each[1] == "", each[1]))


def walk(definition: Definition, seed: int, edge: Edge = ANY, is_over: IsOver = None) -> tuple[list[Recorded], State]:
    """One random legal history and the state it leads to; an edge leads it where chance seldom goes.

    `is_over` says between two steps whether the time for it is up: half a history tells nothing. Raises TimeOver.
    """
    chance = Random(seed)  # noqa: S311  # a repeatable walk, not a secret
    values = Leaning(seed, edge) if edge.name else chance
    now = edge.begin or BEGIN + timedelta(hours=chance.randrange(24 * 200))
    begin = _begin(definition, values, packet=edge.packet)
    state = decide(definition, new_state(definition), begin, now).state
    history = [Recorded(at=now, event=begin)]
    while state.status == "running" and len(history) < LONGEST_HISTORY:
        if is_over is not None and is_over():
            raise TimeOver(f"The walk was at its step {len(history)} when its time was up. It tells nothing.")
        if len(history) == AT_AN_EDGE:
            values, edge = chance, ANY  # whoever only ever gives the same answers may wait for ever
        step = _step(_Standing(definition, state, now, edge), chance, values)
        if step is None:
            break
        now, state = step[0].at, step[1]
        history.append(step[0])
    return history, state


class _Standing(Struct, frozen=True):
    """Where a walk stands."""

    definition: Definition
    state: State
    now: datetime
    edge: Edge

    def after(self, event: Event, chance: Random) -> tuple[Recorded, State] | None:
        """What follows from an event a little later; None when it is not legal."""
        now = self.now + timedelta(minutes=chance.randrange(1, 600))
        if isinstance(event, events.TimerFired):
            now = max(now, self.state.timers[event.timer].due_at)
        elif isinstance(event, events.ReminderDue):
            now = max(now, self.state.reminders[event.item].due_at)
        try:
            return Recorded(at=now, event=event), decide(self.definition, self.state, event, now).state
        except SlipwayError:
            return None


def _step(standing: _Standing, chance: Random, values: Random) -> tuple[Recorded, State] | None:
    """One legal event, chosen at random; what brings the onboarding forward is likelier.

    Chosen first and tried then, again until one is legal: as even as trying all, and most of them are never tried.
    """
    definition, state = unfold(standing.definition, standing.state.parts), standing.state
    ways: list[Callable[[], Iterable[Event]]] = [
        lambda: _forward(definition, state, values),
        lambda: _aside(definition, state, chance),
    ]
    if not _likely(chance, 75):
        ways.reverse()
    if standing.edge.name:
        ways.insert(0, lambda: _to_the_edge(definition, state, standing.edge))
    for way in ways:
        untried = list(way())
        while untried:
            event = untried.pop(chance.randrange(len(untried)))
            found = standing.after(event, chance)
            if found is not None:
                return found
    return None


def _to_the_edge(definition: Definition, state: State, edge: Edge) -> Iterator[Event]:
    """What the edge wants before all else, while there is any."""
    everyone = By(actor="simulation", roles=tuple(definition.roles))
    if edge.late and (first := next_due(state)) is not None and isinstance(first[2], _CLOCKS):
        yield first[2]
        return
    for key, item in definition.items.items():
        status = state.items[key]
        if edge.left_out and status.state in {"open", "waiting"} and item.kind in {"task", "milestone"}:
            wanted = events.ItemDeclined if item.optional else events.ItemSkipped
            yield wanted(by=By(actor="simulation", side=item.side), item=key, reason="Not this time.")
        elif edge.first == "returned" and item.kind == "gate" and status.state == "open" and not status.decision:
            for each in _decisions(definition, state, item, everyone):
                if _effect(item, each.decision) == "return":
                    yield each
        elif edge.first in {"failed", "unknown"} and status.state == "running" and status.request == 1:
            failed = events.ActionFailed if edge.first == "failed" else events.ActionUnknown
            yield failed(task=key, request=1, error="The first call never goes well.")


def _effect(item: Item, decision: str) -> str:
    return next((each.effect for each in item.review.decisions if each.id == decision), "") if item.review else ""


def _forward(definition: Definition, state: State, chance: Random) -> Iterator[Event]:
    everyone = By(actor="simulation", roles=tuple(definition.roles))
    for key, item in definition.items.items():
        status = state.items[key].state
        if item.kind == "task" and status == "open":
            yield _finishing(definition, item, chance)
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


def _finishing(definition: Definition, item: Item, chance: Random) -> Event:
    """What finishes an open task; of a text to sign, one of those who sign it signs or declines."""
    by = By(actor="simulation", side=item.side, roles=tuple(definition.roles))
    if item.signing is not None and _likely(chance, 85):
        signer = f"signer {chance.randrange(MOST_SIGNERS)}"
        return signature_of(item, item.signing, msgspec.structs.replace(by, actor=signer))
    declined: dict[str, Value] = {"signed": False, "comment": "Not like this."}
    answers = declined if item.signing is not None else _answers(item, chance)
    return events.TaskCompleted(by=by, task=item.key, answers=answers, evidence=PROOF)


def signature_of(item: Item, signing: Signing, by: By, name: str = "Sam Example") -> events.TaskSigned:
    """Somebody signs exactly the text that stands there now, in the first language that it has."""
    locale, text = next(iter(signing.text.items()))
    return events.TaskSigned(by=by, task=item.key, name=name, locale=locale, digest=text_digest(text))


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
    for key in done:
        if (item := definition.items.get(key)) and item.handover:
            given = tuple(each.id for each in item.handover.fields)
            yield events.CredentialsGiven(by=By(actor="simulation", side=item.side), task=key, fields=given)
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


def _decisions(definition: Definition, state: State, item: Item, by: By) -> Iterator[events.GateDecided]:
    view = view_gate(definition, state, item.key)
    fine = not (view.missing_hard or view.failed_checks)
    for button in item.review.decisions if item.review else ():
        if button.effect != "stop" and (button.effect != "override" or not fine):
            yield events.GateDecided(by=by, gate=item.key, decision=button.id, reason="Looked at and decided.")


def _begin(definition: Definition, chance: Random, *, packet: str = "") -> events.Started:
    likely = {"none": 0, "all": 100}.get(packet, 80)
    given = {each.field.id: _value(each.field, chance) for each in definition.handoff if _likely(chance, likely)}
    return events.Started(
        by=By(actor="simulation"),
        inputs=_values(definition.inputs, chance),
        packet=given,
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
    if item.task_kind in {"check", "credential"}:
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
    made = _MADE.get(field.type)
    if made is not None:
        return made(field, chance)
    return _FITTING.get(field.type) or f"Text {chance.randrange(1000)}"


def _integer(field: Field, chance: Random) -> int:
    bound = chance.integer(field) if isinstance(chance, Leaning) else None
    if bound is not None:
        return bound
    low = field.minimum if field.minimum is not None else 0
    return chance.randint(low, min(field.maximum if field.maximum is not None else low + 100, low + 100))


def _some(field: Field, chance: Random) -> list[str]:
    """Some of the options; one at least where an answer is needed."""
    chosen = [each.id for each in field.options if _likely(chance, 50)]
    return chosen or [each.id for each in field.options[: int(field.required)]]


_MADE: dict[str, Callable[[Field, Random], Value]] = {
    "select": lambda field, chance: chance.choice(field.options).id,
    "choices": lambda field, chance: "\n".join(_some(field, chance)),
    "integer": _integer,
    "decimal": lambda field, chance: f"{_integer(field, chance)}.00",
    "boolean": lambda _field, chance: _likely(chance, 50),
    "date": lambda _field, chance: (BEGIN + timedelta(days=chance.randrange(365))).date().isoformat(),
    "files": lambda field, chance: handed_over(_integer(field, chance)),
    "list": lambda field, chance: "\n".join(f"Entry {each}" for each in range(chance.choice(range(field.required, 4)))),
}
