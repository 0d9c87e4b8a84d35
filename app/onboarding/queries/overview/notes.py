"""What an exception is called and what is written about it, in the reader's words: the engine's notes name keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from app.flow.definition import CRITERION_ERROR, UNKNOWN_OUTCOME
from app.flow.state import OpenedException
from app.onboarding.queries.picture import Picture
from app.web.translations import mark

_OF_ENGINE: Final = {
    UNKNOWN_OUTCOME: mark("Outcome unknown"),
    CRITERION_ERROR: mark("A rule could not be evaluated"),
}
_LACKS = mark("The packet lacks: %(what)s.")
_UNFIT = mark("“%(what)s” of the packet could not be taken over: %(reason)s")
_RULE = mark("A rule of “%(step)s” could not be evaluated: %(reason)s")
_STALLED = {
    "entry": mark("Nothing is left to do, and what it needs to begin is not there."),
    "exit": mark("Nothing is left to do, and what it needs to end is not there."),
}
_UNCOMPLIANT = {
    "entry": mark("Nothing is left to do, and compliance does not let it begin yet."),
    "exit": mark("Nothing is left to do, and compliance does not let it end yet."),
}
_REFUSED = mark("Refused: %(comment)s")
Telling = Callable[[Picture, OpenedException, re.Match[str]], str]


def kind_of(picture: Picture, kind: str) -> str:
    """The type of an exception as the template calls it, or one of the engine's own."""
    route = picture.definition.exceptions.get(kind)
    if route is not None:
        return picture.read(route.label)
    return picture.say(_OF_ENGINE.get(kind, kind.replace("_", " ")))


def note_of(picture: Picture, exception: OpenedException | None, note: str) -> str:
    """What is written about it: what a person wrote as it stands, what the engine noted in the reader's words."""
    if exception is None or exception.raised_by is not None:
        return note
    for pattern, telling in _NOTES:
        if found := pattern.fullmatch(note):
            return telling(picture, exception, found)
    return note


def _rung(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    """A deadline passed: what the template has whoever is told read."""
    timer, number = picture.definition.timers.get(found["timer"]), int(found["rung"])
    if timer is None or number > len(timer.ladder):
        return picture.say(mark("Late: %(title)s")) % {"title": _step(picture, exception)}
    return picture.read(timer.ladder[number - 1].message)


def _lacks(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    return picture.say(_LACKS) % {"what": _field(picture, (exception.place or "").removeprefix("packet."), found[1])}


def _unfit(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    del exception
    what = _field(picture, found["name"], found["name"].replace("_", " "))
    return picture.say(_UNFIT) % {"what": what, "reason": picture.say(found["reason"])}


def _rule(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    return picture.say(_RULE) % {"step": _step(picture, exception), "reason": found["reason"]}


def _stalled(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    del exception
    return picture.say(_STALLED[found[1]])


def _uncompliant(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    del exception
    return picture.say(_UNCOMPLIANT[found[1]])


def _control(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    del exception
    labels = (each.label for each in picture.definition.controls if each.id == found["id"])
    return picture.read(next(labels, {"en": found["label"]}))


def _refused(picture: Picture, exception: OpenedException, found: re.Match[str]) -> str:
    del exception
    return picture.say(_REFUSED) % {"comment": found["comment"]}


def _field(picture: Picture, name: str, otherwise: str) -> str:
    labels = (each.field.label for each in picture.definition.handoff if each.field.id == name)
    return picture.read(next(labels, {"en": otherwise}))


def _step(picture: Picture, exception: OpenedException) -> str:
    item = picture.definition.items.get(exception.item)
    return picture.read(item.title) if item else ""


_NOTES: tuple[tuple[re.Pattern[str], Telling], ...] = (
    (re.compile(r"“(?P<timer>[^”]+)” passed rung (?P<rung>\d+) of its ladder\."), _rung),
    (re.compile(r"The packet lacks: (.+)\."), _lacks),
    (re.compile(r"The packet's “(?P<name>[^”]+)” could not be taken over: (?P<reason>.+)", re.DOTALL), _unfit),
    (re.compile(r".+ could not be evaluated: (?P<reason>.+)", re.DOTALL), _rule),
    (re.compile(r"Nothing is left to do, and the (entry|exit) criterion is not true\."), _stalled),
    (
        re.compile(r"Nothing is left to do, and the (entry|exit) .*compliance criteri(?:on|a) (?:is|are) not true\."),
        _uncompliant,
    ),
    (re.compile(r"Control “(?P<id>[^”]+)”: (?P<label>.+)", re.DOTALL), _control),
    (re.compile(r"Refused: (?P<comment>.+)", re.DOTALL), _refused),
)
