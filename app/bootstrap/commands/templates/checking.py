"""`slipway templates lint` and `test`: what is wrong with templates, and what became of their tests."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from app.templates.rules import Problem, TemplateRefused
from app.templates.trials.running import Outcome
from app.templates.workbench.bench import open_bench, problems_of
from app.templates.workbench.files import LIBRARY, Found, NothingToCheck, find_files, shown


def add_parsers(actions: argparse._SubParsersAction[Any]) -> None:
    """The parsers of both."""
    lint = actions.add_parser("lint", help="check templates, overlays, components and their tests")
    lint.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders; default: the library")
    lint.add_argument("--format", choices=sorted(_FORMATS), default="text", help="default: text")
    lint.set_defaults(run=run_lint)
    test = actions.add_parser("test", help="play the tests of templates")
    test.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="templates or folders; default: the library")
    test.add_argument("--only", metavar="WORDS", default="", help="tests with these words in their name")
    test.set_defaults(run=run_tests)


def run_lint(chosen: argparse.Namespace) -> int:
    """Print every problem; 1 if there is one."""
    problems: set[Problem] = set()
    checked = 0
    for path in chosen.paths or [LIBRARY]:
        try:
            found = find_files(path)
        except TemplateRefused as trouble:  # a file that cannot be read far enough to say what it is
            problems.update(trouble.problems)
            checked += 1
            continue
        checked += len(found)
        problems.update(problem for each in found for problem in problems_of(each))
    for line in _FORMATS[chosen.format](sorted(problems), checked):
        print(line)
    return int(bool(problems))


def _text(problems: list[Problem], checked: int) -> Iterator[str]:
    for _, group in groupby(problems, key=attrgetter("file")):
        yield from (str(problem) for problem in group)
        yield ""
    files = len({problem.file for problem in problems})
    found = f"{_many(len(problems), 'problem')} in {_many(files, 'file')}" if problems else "no problems"
    yield f"{_many(checked, 'file')} checked with what lies beside: {found}."


def _json(problems: list[Problem], checked: int) -> Iterator[str]:
    told = [{name: getattr(each, name) for name in ("file", "line", "column", "message", "fix")} for each in problems]
    yield json.dumps({"checked": checked, "problems": told}, ensure_ascii=False, indent=2)


def _github(problems: list[Problem], _checked: int) -> Iterator[str]:
    """Annotations as a forge's runner reads them; its own signs are escaped as it asks for."""
    for each in problems:
        file = _escaped(each.file).replace(":", "%3A").replace(",", "%2C")
        told = _escaped(f"{each.message} {each.fix}".strip())
        yield f"::error file={file},line={each.line},col={each.column}::{told}"


_FORMATS = {"text": _text, "json": _json, "github": _github}


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def run_tests(chosen: argparse.Namespace) -> int:
    """Play the tests, a line each; 1 if one fails, or cannot be played."""
    passed = failed = 0
    templates = [each for path in chosen.paths or [LIBRARY] for each in _templates(path)]
    for template in templates:
        try:
            outcomes = [each for each in open_bench(template).outcomes() if chosen.only in each.scenario.name]
        except TemplateRefused as trouble:
            failed += 1
            _say([f"{shown(template)}: its tests cannot be played.", *map(str, trouble.problems)])
            continue
        failed += sum(bool(each.problems) for each in outcomes)
        passed += sum(not each.problems for each in outcomes)
        if outcomes or not chosen.only:
            _say(_told(template, outcomes))
    print(f"{_many(passed + failed, 'test')} of {_many(len(templates), 'template')}: {passed} passed, {failed} failed.")
    return int(failed > 0)


def _templates(path: Path) -> Iterable[Path]:
    found: list[Found] = find_files(path)
    templates = [each.path for each in found if each.kind == "template"]
    if not templates:
        raise NothingToCheck(f"{path} is no template; tests stand beside one.")
    return templates


def _told(template: Path, outcomes: list[Outcome]) -> Iterator[str]:
    where = "They stand in tests.yaml beside it; `slipway templates schema tests` says what they may hold."
    yield shown(template) if outcomes else f"{shown(template)}: no tests. {where}"
    for each in outcomes:
        yield f"  {'FAILED' if each.problems else 'passed'}  {each.scenario.name}"
        yield from (f"          {problem}" for problem in each.problems)


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line)
    sys.stdout.flush()


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
