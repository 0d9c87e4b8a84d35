"""What is wrong with a template, as people read it: file, line, column, sentence, likely fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from app.kernel.errors import Invalid

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to put right. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}" + (f" {self.fix}" if self.fix else "")


class TemplateRefused(Invalid):
    """A template or overlay that cannot be used; `problems` says what and where."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        count = len(self.problems)
        first = self.problems[0] if self.problems else "nothing"
        super().__init__(
            f"{count} problem{'' if count == 1 else 's'} in the template; first: {first}",
            errors=[(f"/{each.line}:{each.column}", f"{each.message} {each.fix}".strip()) for each in self.problems],
        )


def likely_fix(word: str, known: Iterable[str]) -> str:
    """“Did you mean …?” for a misspelt word, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean “{close[0]}”?" if close else ""
