"""What must be true at a point of a test, held against what is; each difference with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.flow.commands import NotifyRole
from app.flow.fields import Value
from app.flow.state import OpenedException
from app.flow.steps.gates import view_gate
from app.templates.rules import Path, likely_fix
from app.templates.trials.playing import Play

Difference = tuple[Path, str]  # below the place of what is expected
Expected = Mapping[str, Any]


def differences(play: Play, expected: Expected) -> Iterator[Difference]:
    """All that is not as expected."""
    for word in expected:
        for path, told in _CHECKS[word](play, expected[word]):
            yield (word, *path), told


def _status(play: Play, expected: str) -> Iterator[Difference]:
    if play.state.phase != expected:
        yield (), f"the onboarding is {play.state.phase}, expected {expected}."


def _items(play: Play, expected: Expected) -> Iterator[Difference]:
    for key, wanted in expected.items():
        if key not in play.state.items:
            yield (key,), _unknown(key, play.state.items)
            continue
        states, found = ([wanted] if isinstance(wanted, str) else wanted), play.state.items[key]
        if found.state not in states:
            yield (key,), f"{key} is {found.state}, expected {' or '.join(states)}."


def _exceptions(play: Play, expected: list[Any]) -> Iterator[Difference]:
    left = play.state.open_exceptions()
    for index, wanted in enumerate(expected):
        said = {"type": wanted} if isinstance(wanted, str) else wanted
        found = next((each for each in left if all(getattr(each, name) == said[name] for name in said)), None)
        if found is None:
            yield (index,), f"no exception {_words(wanted)} is open; open: {_listed(left)}."
        else:
            left.remove(found)
    if left:
        yield (), f"these exceptions are open, and not expected: {_listed(left)}."


def _told(play: Play, expected: list[Any]) -> Iterator[Difference]:
    for index, wanted in enumerate(expected):
        if not any(_is_told(each, wanted) for each in play.told):
            heard = ", ".join(f"{role} ({count})" for role, count in sorted(_heard(play).items())) or "nobody"
            yield (index,), f"{_words(wanted)} was not told; told: {heard}."


def _not_told(play: Play, expected: list[Any]) -> Iterator[Difference]:
    for index, wanted in enumerate(expected):
        found = next((each for each in play.told if _is_told(each, wanted)), None)
        if found is not None:
            yield (index,), f"{_words(wanted)} was told: {found.message} of {found.item}."


def _due(play: Play, expected: Mapping[str, str]) -> Iterator[Difference]:
    for key, wanted in expected.items():
        if key not in play.state.items:
            yield (key,), _unknown(key, play.state.items)
            continue
        moment = play.state.items[key].due_at
        owner = play.state.time_for(play.plan.items[key].side).owner
        found = owner.day_at(moment) if moment else None
        if str(found) != wanted:
            yield (key,), f"{key} is due on {found or 'no day'}, expected {wanted}."


def _asked(play: Play, expected: Mapping[str, Mapping[str, Value]]) -> Iterator[Difference]:
    for key, wanted in expected.items():
        call = play.asked.get(key)
        if call is None:
            yield (key,), f"nothing was asked for {key}; asked: {', '.join(play.asked) or 'nothing'}."
            continue
        for name, value in wanted.items():
            if call.input.get(name) != value:
                yield (key, name), f"{key} was asked with {name} {call.input.get(name)!r}, expected {value!r}."


def _missing(play: Play, expected: Mapping[str, list[str]]) -> Iterator[Difference]:
    for key, wanted in expected.items():
        if key not in play.plan.items or play.plan.items[key].review is None:
            yield (key,), f"“{key}” is no gate of this onboarding."
            continue
        view = view_gate(play.plan, play.state, key)
        found = [*view.missing_hard, *view.missing_soft]
        if sorted(found) != sorted(wanted):
            yield (key,), f"{key} misses {', '.join(sorted(found)) or 'nothing'}."


def _follows(play: Play, expected: list[str]) -> Iterator[Difference]:
    if sorted(play.following) != sorted(expected):
        found = ", ".join(play.following) or "nothing"
        yield (), f"what follows is {found}, expected {', '.join(expected) or 'nothing'}."


def _first_value(play: Play, expected: object) -> Iterator[Difference]:
    reached = play.state.first_value_at is not None
    if reached != expected:
        yield (), f"first value is {'reached' if reached else 'not reached'}."


_CHECKS: dict[str, Callable[[Play, Any], Iterator[Difference]]] = {
    "status": _status,
    "items": _items,
    "exceptions": _exceptions,
    "told": _told,
    "not_told": _not_told,
    "due": _due,
    "asked": _asked,
    "missing": _missing,
    "follows": _follows,
    "first_value": _first_value,
}


def _is_told(message: NotifyRole, wanted: str | Mapping[str, str]) -> bool:
    said = {"role": wanted} if isinstance(wanted, str) else wanted
    return all(getattr(message, name) == said[name] for name in said)


def _heard(play: Play) -> Counter[str]:
    return Counter(each.role for each in play.told)


def _listed(exceptions: list[OpenedException]) -> str:
    return ", ".join(f"{each.type} on {each.item}" for each in exceptions) or "none"


def _words(said: str | Mapping[str, str]) -> str:
    return said if isinstance(said, str) else " ".join(f"{name} {value}" for name, value in said.items())


def _unknown(key: str, items: Mapping[str, object]) -> str:
    return f"there is no “{key}” in this onboarding. {likely_fix(key, items)}".strip()
