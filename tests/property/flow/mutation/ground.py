"""A copy of what the engine's tests need, mutated by mutmut: each mutant of each module, and what became of it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from mutmut.stats import status_by_exit_code

ROOT = Path(__file__).parents[4]
MODULES = (
    "decide.py",
    "criteria.py",
    "calendar.py",
    "schedule.py",
    "steps/*.py",
    "dates/*.py",
    "migration/*.py",
    "parts/*.py",
    "clocks/*.py",
)
COPIED = ("app", "tenants", "tests", "templates_library", "migrations", "frontend", "pyproject.toml")
# What is said to people is no behaviour: text in a line that raises, that makes the message of the next one, or that is
# nothing but a sentence (two blanks or more). Docstrings are left alone by mutmut itself. All other text counts, as
# words of states and kinds are text.
SAYING = (r"^\s*raise [\w.]+\(", r'^\s*message = f?"', r'^\s*f?"[^" ]+ [^" ]+ [^"]*",?$')
# These walk whole templates by chance and take half a minute; each mutant would wait for them.
SLOW = (
    "tests/unit/flow/test_replay.py::TestSimulation",
    "tests/unit/flow/test_replay.py::TestReplay::test_leads_to_the_same_state_through_json",
)
LONGEST = 4 * 3600  # seconds
NOTICED = frozenset({"killed", "timeout", "segfault"})
# A change that `make check` refuses never becomes a program: it counts neither for nor against the tests.
REFUSED = "caught by type check"
# Read by mypy in the mutants' folder; the rest of strict mode would speak of mutmut's own wrappers.
_TYPES = (
    *("-m", "mypy", "--config-file=", "--output=json", "--follow-imports=silent", "--ignore-missing-imports"),
    *("--explicit-package-bases", "--disable-error-code=no-redef", "--disable-error-code=has-type"),
    "--disable-error-code=var-annotated",
)
_MAKE = "from mutmut.__main__ import create_mutants; create_mutants(1)"
# The same examples for every mutant, and no complaint that several runs of a test share a process.
_EXAMPLES = """
from hypothesis import HealthCheck

settings.register_profile(
    "mutants",
    settings.get_profile("slipway"),
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.differing_executors],
)
settings.load_profile("mutants")
"""
_DIFFS = """
import sys
from mutmut.configuration import config
from mutmut.mutation.diff_apply import get_diff_for_mutant
config()
for name in sys.argv[1:]:
    lines = [line for line in get_diff_for_mutant(name).splitlines()[3:] if line[:1] in '+-']
    print(name, *lines, sep='\\n')
"""


@dataclass(frozen=True)
class Score:
    """What became of one module's mutants."""

    module: str
    fates: Counter[str]

    @property
    def tried(self) -> int:
        """Mutants that the tests have seen, or that no test reaches."""
        return sum(count for fate, count in self.fates.items() if fate not in {REFUSED, "not checked"})

    @property
    def noticed(self) -> int:
        """Those that some test failed for."""
        return sum(self.fates[fate] for fate in NOTICED)

    @property
    def share(self) -> float:
        """The mutation score."""
        return self.noticed / self.tried if self.tried else 1.0


class Mutants:
    """The copy in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
            else:
                shutil.copy(source, folder / name)
        (folder / "setup.cfg").write_text(_settings())
        with (folder / "tests" / "conftest.py").open("a") as conftest:
            conftest.write(_EXAMPLES)

    def run(self, *, sample: int, seed: int) -> None:
        """Make all mutants and run the tests against each; at most `sample` of each module."""
        self._python("-c", _MAKE)
        names = []
        chance = random.Random(seed)  # noqa: S311 - to be told again
        for fates in self._fates().values():
            names += chance.sample(sorted(fates), min(sample, len(fates)))
        self._python("-m", "mutmut", "run", "--max-children", "1", *names)

    def scores(self) -> list[Score]:
        """Each module's."""
        return [Score(module, Counter(fates.values())) for module, fates in sorted(self._fates().items())]

    def survivors(self) -> str:
        """Each mutant that no test noticed, as lines that changed."""
        unnoticed = NOTICED | {REFUSED, "not checked"}
        names = [name for fates in self._fates().values() for name, fate in fates.items() if fate not in unnoticed]
        return self._python("-c", _DIFFS, *names) if names else ""

    def _fates(self) -> dict[str, dict[str, str]]:
        found = {}
        for meta in (self.folder / "mutants" / "app" / "flow").rglob("*.meta"):
            codes = json.loads(meta.read_text())["exit_code_by_key"]
            module = str(meta.relative_to(self.folder / "mutants").with_suffix(""))
            if codes:
                found[module] = {name: status_by_exit_code[code] for name, code in codes.items()}
        return found

    def _python(self, *arguments: str) -> str:
        """Run Python in the folder, behind everything else on the machine."""
        command = ["nice", "-n", "19", sys.executable, *arguments]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
        assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout


def _settings() -> str:
    """What mutmut is told. Its own settings file, so that the project's names nothing that only this run reads."""
    mutated = [f"app/flow/{module}" for module in MODULES]
    checked = sorted({name.removesuffix("/*.py") for name in mutated})
    lists = {
        "source_paths": ["app", "tenants"],
        "only_mutate": mutated,
        "also_copy": [name for name in COPIED if name not in {"app", "tests", "pyproject.toml"}],
        "do_not_mutate_patterns": SAYING,
        "pytest_add_cli_args_test_selection": ["tests/unit/flow", *(f"--deselect={name}" for name in SLOW)],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=--import-mode=importlib"],
        "type_check_command": [sys.executable, *_TYPES, *checked],
    }
    # A server that has run no test forks each run: what a cache has kept from sound code would hide a mutant.
    lines = ["[mutmut]", "use_git_change_detection=false", "process_isolation=forkserver"]
    for name, values in lists.items():
        lines += [f"{name}=", *(f"    {value}" for value in values)]
    return "\n".join(lines) + "\n"
