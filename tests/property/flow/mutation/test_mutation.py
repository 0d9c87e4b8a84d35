"""How well the unit tests of the engine notice a changed line: at least 85 % of mutmut's mutants, in each module too.

`make soak ONLY=mutation` tries every mutant; `MUTATION_SAMPLE=40 make soak ONLY=mutation` at most so many of each
module, drawn by a printed seed (`MUTATION_SEED` draws the same ones again).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from tests.property.flow.mutation.ground import LONGEST, Mutants, Score

ENOUGH = 0.85
EVERY = 1_000_000


def table(scores: list[Score]) -> str:
    """Each module's score, the lowest first."""
    lines = ["", " score  noticed  of  module"]
    for score in sorted(scores, key=lambda one: one.share):
        fates = ", ".join(f"{count} {fate}" for fate, count in sorted(score.fates.items()))
        lines.append(f"{score.share:6.1%}  {score.noticed:>7}  {score.tried:>3}  {score.module} ({fates})")
    return "\n".join(lines)


@pytest.mark.soak
@pytest.mark.timeout(LONGEST)
def test_the_mutation_score_of_the_engine_is_high_enough(tmp_path: Path):
    sample = int(os.environ.get("MUTATION_SAMPLE", EVERY))
    seed = int(os.environ.get("MUTATION_SEED", secrets.randbelow(1_000_000)))
    print(f"\nmutation seed {seed}, at most {sample} mutants of each module")  # noqa: T201 - what it is told again by
    mutants = Mutants(tmp_path)
    mutants.run(sample=sample, seed=seed)
    scores = mutants.scores()
    print(mutants.survivors(), table(scores), sep="\n")  # noqa: T201 - what `make soak` is run for
    noticed, tried = sum(score.noticed for score in scores), sum(score.tried for score in scores)
    assert noticed / tried >= ENOUGH, f"{noticed} of {tried}"
    assert not [f"{score.module} {score.share:.1%}" for score in scores if score.share < ENOUGH]
