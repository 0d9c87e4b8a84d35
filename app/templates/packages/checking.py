"""Whether a package fits its template however it is sold: with no add-on, with each alone, with all. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, combinations

from app.templates.overlay import Effective
from app.templates.overlays.checked import Checked
from app.templates.packages.document import Package, said
from app.templates.packages.stitching import sell
from app.templates.rules import Problem, TemplateRefused

_FEW = 3  # so many add-ons are tried in every combination: eight of them


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem of the package, and the titles of the add-ons that it was found with first."""

    problem: Problem
    sold_with: tuple[str, ...]


def check_package(package: Package, upon: Effective, *, checked: Checked | None = None) -> list[Trouble]:
    """Everything that is wrong, each once, with the smallest choice of add-ons that it is found with."""
    titles = {each.id: said(each.title, "en") for each in package.content.add_ons}
    found: dict[tuple[str, str], Trouble] = {}
    for sold in _choices(list(titles)):
        try:
            sell(package, sold, upon, checked)
        except TemplateRefused as refused:
            for problem in refused.problems:
                key = (problem.file, problem.message)
                found.setdefault(key, Trouble(problem, tuple(titles[each] for each in sold)))
    return list(found.values())


def _choices(add_ons: list[str]) -> Iterator[tuple[str, ...]]:
    """Of few add-ons every combination; of many none, each alone, and all."""
    sizes = range(len(add_ons) + 1) if len(add_ons) <= _FEW else (0, 1, len(add_ons))
    yield from chain.from_iterable(combinations(add_ons, size) for size in sizes)
