"""Tests and samples as they are written: their shape, and what a sample says that its template does not know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.flow.definition import Definition
from app.flow.fields import Field, check_value
from app.templates.document import Source, read_yaml
from app.templates.rules import Path, Problem, TemplateRefused, likely_fix
from app.templates.schema import check_schema


@dataclass(frozen=True, slots=True)
class Sample:
    """What a template is tried out with."""

    source: Source

    def of(self, name: str) -> Mapping[str, Any]:
        """One of its mappings: inputs, packet, partner, customer, answers, results; empty where it says nothing."""
        found: Mapping[str, Any] = self.source.document.get(name, {})
        return found

    @property
    def start(self) -> str | None:
        """When it begins."""
        found: str | None = self.source.document.get("start")
        return found


NO_SAMPLE = Sample(Source("", {}, {}, {}))


@dataclass(frozen=True, slots=True)
class Scenario:
    """One test, and where it stands in its file."""

    source: Source
    path: Path
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it shows, in a sentence."""
        return str(self.document["name"])

    @property
    def overlay(self) -> str | None:
        """The partner whose version is tested; None: the template itself."""
        found: str | None = self.document.get("given", {}).get("overlay")
        return found

    def problem(self, path: Path, message: str, fix: str = "") -> Problem:
        """Something that is not as this test says."""
        return self.source.problem((*self.path, *path), f"“{self.name}”: {message}", fix)


def read_tests(text: str, file: str) -> tuple[Scenario, ...]:
    """The scenarios of a file. Raises TemplateRefused."""
    source = read_yaml(text, file)
    problems = check_schema(source, "tests") or list(_named_twice(source))
    if problems:
        raise TemplateRefused(problems)
    return tuple(Scenario(source, ("tests", index), each) for index, each in enumerate(source.document["tests"]))


def read_sample(text: str, file: str) -> Sample:
    """A sample of the right shape. Raises TemplateRefused."""
    source = read_yaml(text, file)
    problems = check_schema(source, "sample")
    if problems:
        raise TemplateRefused(problems)
    return Sample(source)


def check_sample(sample: Sample, definition: Definition) -> list[Problem]:
    """What a sample says that does not fit its template: a name that is not there, a value that does not fit."""
    problems = []
    for path, known in _places(sample, definition):
        given = sample.source.document
        for step in path:
            given = given[step]
        for name, value in given.items():
            if name not in known:
                message = f"There is no “{name}” in this template."
                problems.append(sample.source.problem((*path, name), message, likely_fix(name, known), key=True))
            elif reason := check_value(known[name], value):
                problems.append(sample.source.problem((*path, name), reason))
    return problems


def _places(sample: Sample, definition: Definition) -> Iterator[tuple[Path, dict[str, Field]]]:
    """Each mapping of values, with the fields it may name."""
    if sample.of("inputs"):
        yield ("inputs",), {field.id: field for field in definition.inputs}
    if sample.of("packet"):
        yield ("packet",), {each.field.id: each.field for each in definition.handoff}
    for word in ("answers", "results"):
        for key in sample.of(word):
            prefix = f"{word}.{key.removeprefix('task.')}."
            fields = {name.removeprefix(prefix): each for name, each in definition.fields.items() if prefix in name}
            yield (word, key), fields


def _named_twice(source: Source) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, each in enumerate(source.document["tests"]):
        path: Path = ("tests", index, "name")
        if each["name"] in seen:
            line = seen[each["name"]]
            yield source.problem(
                path, f"A test of this name stands on line {line} already.", "Say what this one shows."
            )
        seen.setdefault(each["name"], source.place(path)[0])
