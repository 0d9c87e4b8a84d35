"""What a check found. A check never raises: what went wrong is its finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's table: what is there or what is wrong, and the mend. Not `required`: advice only."""

    name: str
    ok: bool
    found: str
    mend: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Patient:
    """What is examined: a runtime folder and an environment."""

    folder: Path
    environ: Mapping[str, str]
