"""The automatic checks of a submission: signed form and size, soundness, own tests, random histories, texts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from app.flow.definition import Definition
from app.flow.simulate import TimeOver, Walked, look, sum_up
from app.flow.simulation.edges import ANY
from app.kernel.errors import SlipwayError
from app.marketplace.checking.facts import listing_facts
from app.templates.document import Source
from app.templates.linting.texts import check_texts
from app.templates.overlays.checked import Checked as KnownSound
from app.templates.packing.package import Contents, Publisher, write_package
from app.templates.packing.reading import Package, read_package
from app.templates.rules import Problem, TemplateRefused
from app.web.translations import mark

HISTORIES: Final = 20
LONGEST: Final = 20.0  # seconds for all of them: nobody waits longer for what is found, nor do other jobs
SOUND: Final = KnownSound()  # what this process has checked otherwise: the operator's own templates, when it reads them
MOST_TOLD: Final = 25  # problems of one check
_TOO_LARGE = mark("It is too large to be walked: not one history came to its end in 20 seconds. Make it smaller.")
_UNTOLD = mark("A description is missing in this language; the listing would say nothing to its readers.")


@dataclass(frozen=True, slots=True)
class Checked:
    """A submission after its checks: the package, unless none could be made, what it is, and what was found."""

    raw: bytes
    facts: dict[str, Any]
    checks: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether every check did."""
        return all(each["passed"] for each in self.checks["results"])


def pack_and_check(contents: Contents, signer: Publisher, created: str, *, histories: int = HISTORIES) -> Checked:
    """Sign it, read it as an installing partner would, and let it run."""
    try:
        raw = write_package(contents, signer, created)
    except SlipwayError as trouble:
        return Checked(b"", {}, _told([_failed("form", trouble)]))
    try:
        package = read_package(raw, trusted=signer.key, sound=SOUND)
    except TemplateRefused as trouble:
        name = "tests" if all(each.file == "tests" for each in trouble.problems) else "sound"
        return Checked(raw, {}, _told([_passed("form", bytes=len(raw)), _failed(name, trouble)]))
    except SlipwayError as trouble:
        return Checked(raw, {}, _told([_failed("form", trouble)]))
    return _look_closer(raw, package, histories)


def _look_closer(raw: bytes, package: Package, histories: int) -> Checked:
    definition = package.effective.compile()
    facts = listing_facts(package.effective, definition)
    results = [
        _passed("form", bytes=len(raw)),
        _passed("sound", elements=sum(facts["counts"].values())),
        _passed("tests", tests=package.tests),
        _histories(definition, histories),
        _texts(facts, package.document["changelog"]),
    ]
    return Checked(raw, facts, _told(results))


def _histories(definition: Definition, number: int) -> dict[str, Any]:
    """Whether chance finds a state that nobody can leave, in the time there is: one history at least is walked."""
    end = time.monotonic() + LONGEST
    walked: list[Walked] = []
    with suppress(TimeOver):
        walked.extend(look(definition, seed, ANY, lambda: time.monotonic() >= end) for seed in range(1, number + 1))
    report = sum_up(definition, walked)
    stuck = [
        {"place": ", ".join(each.stuck), "message": mark("Nobody can go on from here."), "fix": str(each.seed)}
        for each in report.dead_ends[:MOST_TOLD]
    ]
    if not walked:
        stuck = [{"place": "", "message": _TOO_LARGE, "fix": ""}]
    figures = {"histories": report.histories, "finished": report.finished, "cancelled": report.cancelled}
    return {"name": "histories", "passed": not stuck, "figures": figures, "problems": stuck}


def untold_in(locales: Iterable[str], description: Mapping[str, Any]) -> list[str]:
    """The languages in which a listing would say nothing of what it is for."""
    return [language for language in locales if not str(description.get(language, "")).strip()]


def _texts(facts: Mapping[str, Any], changelog: str) -> dict[str, Any]:
    """The template's own texts are part of its soundness; here is what only a listing shows."""
    missing = [
        {"place": language, "message": _UNTOLD, "fix": ""}
        for language in untold_in(facts["locales"], facts["description"])
    ]
    source = Source("changelog", {"changelog": changelog}, {}, {})
    found = missing + _problems(check_texts(source))
    return {"name": "texts", "passed": not found, "figures": {"languages": len(facts["locales"])}, "problems": found}


def _passed(name: str, **figures: int) -> dict[str, Any]:
    return {"name": name, "passed": True, "figures": figures, "problems": []}


def _failed(name: str, trouble: SlipwayError) -> dict[str, Any]:
    problems = getattr(trouble, "problems", ())
    told = _problems(problems) or [{"place": "", "message": trouble.message, "fix": ""}]
    return {"name": name, "passed": False, "figures": {}, "problems": told}


def _problems(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [{"place": each.file, "message": each.message, "fix": each.fix} for each in list(problems)[:MOST_TOLD]]


def _told(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"results": results}
