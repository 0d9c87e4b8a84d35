"""Plays the tests of a template, one after another: what was not as they say, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from app.flow.definition import Definition
from app.kernel.errors import SlipwayError
from app.templates.rules import Path, Problem
from app.templates.trials.expecting import differences
from app.templates.trials.finishing import finish
from app.templates.trials.playing import Play, begin
from app.templates.trials.reading import Sample, Scenario
from app.templates.trials.remembering import Remembered
from app.templates.trials.steps import Step, event_of, item_of, verb_of

FindVersion = Callable[[str | None], Definition | None]  # by the partner whose overlay counts


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one test; without a problem it passed. `steps`: how far it came."""

    scenario: Scenario
    steps: int
    problems: tuple[Problem, ...]


def run_tests(scenarios: Iterable[Scenario], sample: Sample, find: FindVersion) -> Iterator[Outcome]:
    """Play each test on the version that it is for."""
    before = Remembered()
    for scenario in scenarios:
        definition = find(scenario.overlay)
        if definition is None:
            told = scenario.problem(("given", "overlay"), f"there is no overlay of “{scenario.overlay}” to test here.")
            yield Outcome(scenario, 0, (told,))
        else:
            yield _run(scenario, sample, definition, before)


def _run(scenario: Scenario, sample: Sample, definition: Definition, before: Remembered) -> Outcome:
    given, steps = scenario.document.get("given", {}), scenario.document.get("when", [])
    try:
        play = begin(definition, sample, given, before)
    except SlipwayError as trouble:
        return Outcome(scenario, 0, (scenario.problem(("given",), f"cannot begin: {_told(trouble)}"),))
    problems: list[Problem] = []
    for index, step in enumerate(steps):
        path: Path = ("when", index)
        if "check" in step:
            problems += _differing(scenario, play, step["check"], (*path, "check"))
        elif trouble_of := _take(play, step):
            problems.append(scenario.problem(path, f"step {index + 1} ({verb_of(step)}): {trouble_of}"))
            return Outcome(scenario, index, tuple(problems))  # whatever follows would only mislead
    problems += _differing(scenario, play, scenario.document["then"], ("then",))
    return Outcome(scenario, len(steps), tuple(problems))


def _differing(scenario: Scenario, play: Play, expected: Step, path: Path) -> list[Problem]:
    found = [scenario.problem((*path, *place), told) for place, told in differences(play, expected)]
    play.told.clear()
    return found


def _take(play: Play, step: Step) -> str:
    """Take a step; what is wrong with it, or nothing. One that must be refused is wrong when it is not."""
    wanted = step.get("refused", False)
    try:
        _do(play, step)
    except SlipwayError as trouble:
        told = _told(trouble)
        if wanted is False:
            return f"refused: {told}"
        return "" if wanted is True or wanted in told else f"refused with other words: {told}"
    return "" if wanted is False else "was not refused."


def _do(play: Play, step: Step) -> None:
    verb = verb_of(step)
    if verb == "wait":
        play.until(play.after(step["wait"]))
    elif verb == "until":
        play.until(play.moment(step["until"]))
    elif verb == "finish":
        finish(play, item_of(play, step["finish"]))
    else:
        play.apply(event_of(play, step))
    play.until(play.now)  # what is due at once rings at once


def _told(trouble: SlipwayError) -> str:
    places = "; ".join(f"{place} {sentence}" for place, sentence in getattr(trouble, "errors", []))
    return f"{trouble} ({places})" if places else str(trouble)
