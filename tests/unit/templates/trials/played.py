"""Tests of a template played from text, for the tests here. Not a test."""

from __future__ import annotations

from app.templates.rules import Problem
from app.templates.trials.reading import NO_SAMPLE, Sample, read_sample, read_tests
from app.templates.trials.running import Outcome, run_tests
from app.templates.workbench.files import LIBRARY
from tests.unit.flow.running import managed_services

FILE = "tests.yaml"


def sample() -> Sample:
    path = LIBRARY / "msp" / "managed-services" / "sample.yaml"
    return read_sample(path.read_text("utf-8"), "sample.yaml")


def written(when: str, then: str = "status: running", given: str = "") -> str:
    """One test; `when` are lines of steps."""
    steps = "".join(f"      - {line.strip()}\n" for line in when.strip().splitlines() if line.strip())
    head = f"    given: {{{given}}}\n" if given else ""
    return (
        f'slipway: "1"\ntests:\n  - name: it\n{head}'
        + (f"    when:\n{steps}" if steps else "")
        + f"    then: {{{then}}}\n"
    )


def played(when: str, then: str = "status: running", given: str = "", *, bare: bool = False) -> list[Problem]:
    [outcome] = outcomes(written(when, then, given), bare=bare)
    return list(outcome.problems)


def outcomes(text: str, *, bare: bool = False) -> list[Outcome]:
    found = NO_SAMPLE if bare else sample()
    return list(run_tests(read_tests(text, FILE), found, lambda partner: None if partner else managed_services()))
