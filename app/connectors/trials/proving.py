"""Tries one connector by every check against its stand-in, and says which promises it does not keep."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

from app.connectors.kit.contract import Connector
from app.connectors.trials.bench import Bench, NotKept, bench_of
from app.connectors.trials.checks import CHECKS, Check, of_credentials


@dataclass(frozen=True, slots=True)
class Proof:
    """How one check went: an empty `said` is a promise kept. `promise` is what was to be kept, in a sentence."""

    action: str
    check: str
    said: str
    seconds: float
    promise: str = ""


def prove(connector: Connector) -> Iterator[Proof]:
    """Every check of every action, as it is done."""
    with bench_of(connector) as bench:
        yield _try(bench, connector.manifest.verify, Check("credentials", lambda _action: True, of_credentials))
        for name, action in connector.manifest.actions.items():
            yield from (_try(bench, name, check) for check in CHECKS if check.about(action))


def _try(bench: Bench, action: str, check: Check) -> Proof:
    began, said = perf_counter(), ""
    try:
        check.run(bench, action)
    except NotKept as trouble:
        said = str(trouble)
    return Proof(action, check.name, said, perf_counter() - began, (check.run.__doc__ or "").strip())
