"""One template with all that lies beside it: overlays, tests, sample."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from app.flow.definition import Definition
from app.templates.components import read_component
from app.templates.document import read_yaml
from app.templates.language import Template, read_template
from app.templates.linting.texts import check_texts, walk_values
from app.templates.overlay import Effective, Overlay, apply_overlays, read_overlay
from app.templates.rules import Problem, TemplateRefused, likely_fix
from app.templates.trials.reading import NO_SAMPLE, Sample, Scenario, check_sample, read_sample, read_tests
from app.templates.trials.running import Outcome, run_tests
from app.templates.workbench.files import (
    LIBRARY,
    SAMPLE,
    TEMPLATE,
    Found,
    component_beside,
    shown,
    tests_beside,
    text_of,
)

_WHERE = "Put the overlay into the folder “overlays” beside its template."
_PARAMETER = re.compile(r"\$([a-z][a-z0-9_]*)")


@dataclass(slots=True)
class Bench:
    """One template that its author works on. Versions are merged once."""

    path: Path
    template: Template
    merged: dict[tuple[str, ...], Effective] = field(default_factory=dict)
    compiled: dict[str | None, Definition] = field(default_factory=dict)

    def overlays(self) -> list[Path]:
        """The files of its overlays."""
        return sorted((self.path.parent / "overlays").glob("*.yaml"))

    def version(self, partner: str | None) -> Definition | None:
        """The template as that partner's customers see it, ready to run; None where there is no such overlay.

        Raises TemplateRefused.
        """
        if partner not in self.compiled:
            found = [] if partner is None else [each for each in self._read() if each.document["partner"] == partner]
            if partner is not None and not found:
                return None
            self.compiled[partner] = self.effective(found).compile()
        return self.compiled[partner]

    def effective(self, overlays: Iterable[Overlay]) -> Effective:
        """The template with overlays applied. Raises TemplateRefused."""
        chain = tuple(overlays)
        digests = tuple(each.digest for each in chain)
        if digests not in self.merged:
            self.merged[digests] = apply_overlays(self.template, chain)
        return self.merged[digests]

    def tests(self) -> tuple[Scenario, ...]:
        """All its tests. Raises TemplateRefused."""
        return tuple(each for path in tests_beside(self.path) for each in read_tests(text_of(path), shown(path)))

    def sample(self) -> Sample:
        """What its tests begin with. Raises TemplateRefused."""
        path = self.path.parent / SAMPLE
        return read_sample(text_of(path), shown(path)) if path.is_file() else NO_SAMPLE

    def outcomes(self) -> list[Outcome]:
        """What becomes of each of its tests. Raises TemplateRefused when one cannot be played at all."""
        sample, tests = self.sample(), self.tests()
        problems = check_sample(sample, self._widest())
        if problems:
            raise TemplateRefused(problems)
        return list(run_tests(tests, sample, self.version))

    def _widest(self) -> Definition:
        return self.compiled.setdefault(None, self.template.compile())

    def _read(self) -> list[Overlay]:
        return [read_overlay(text_of(path), shown(path)) for path in self.overlays()]


def open_bench(path: Path) -> Bench:
    """A template from its file. Raises NoSuchFile, TemplateRefused."""
    return Bench(path, read_template(text_of(path), shown(path), partial(component_beside, path)))


def problems_of_template(path: Path) -> list[Problem]:
    """All that is wrong with a template, with each overlay beside it, and with its tests."""
    try:
        bench = open_bench(path)
    except TemplateRefused as trouble:
        return trouble.problems
    problems: list[Problem] = []
    for overlay in bench.overlays():
        problems += problems_of_overlay(overlay, bench)
    if problems:
        return problems  # tests of what does not stand would only repeat it
    try:
        return [problem for outcome in bench.outcomes() for problem in outcome.problems]
    except TemplateRefused as trouble:
        return trouble.problems


def problems_of_overlay(path: Path, bench: Bench | None = None) -> list[Problem]:
    """All that is wrong with an overlay upon its base."""
    try:
        overlay = read_overlay(text_of(path), shown(path))
        base = bench or _beneath(path, overlay)
        if base is None:
            wanted = overlay.document["base"]["id"]
            return [overlay.source.problem(("base",), f"The template “{wanted}” was not found.", _WHERE)]
        base.effective([overlay])
    except TemplateRefused as trouble:
        return trouble.problems
    return []


def problems_of_component(path: Path) -> list[Problem]:
    """What is wrong with a component, as far as it can be seen without whoever includes it."""
    try:
        component = read_component(text_of(path), shown(path))
    except TemplateRefused as trouble:
        return trouble.problems
    source, used = component.source, set[str]()
    problems = check_texts(source)
    for place, value in walk_values(source.document):
        if isinstance(value, str) and (named := _PARAMETER.fullmatch(value)):
            used.add(named[1])
            if named[1] not in component.parameters:
                message = f"There is no parameter “{named[1]}”."
                problems.append(source.problem(place, message, likely_fix(named[1], component.parameters)))
    for index, each in enumerate(source.document.get("parameters", ())):
        if each["id"] not in used:
            message = f"Nothing here takes the parameter “{each['id']}”."
            problems.append(source.problem(("parameters", index), message, f"Write ${each['id']} where it belongs."))
    return problems


def problems_of(found: Found) -> list[Problem]:
    """All that is wrong with a file and what lies beside it."""
    checks = {"template": problems_of_template, "overlay": problems_of_overlay, "component": problems_of_component}
    return sorted(set(checks[found.kind](found.path)))


def _beneath(path: Path, overlay: Overlay) -> Bench | None:
    """The template that an overlay is written for: beside it, else in the library."""
    wanted = overlay.document["base"]["id"]
    for candidate in (path.parent.parent / TEMPLATE, *sorted(LIBRARY.glob(f"*/*/{TEMPLATE}"))):
        if candidate.is_file() and read_yaml(text_of(candidate), shown(candidate)).document.get("id") == wanted:
            return open_bench(candidate)
    return None
