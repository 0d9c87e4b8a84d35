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
SAYING = (
    *(r"^\s*raise [\w.]+\(", r'^\s*message = f?"', r'^\s*f?"[^" ]+ [^" ]+ [^"]*",?$'),
    r'^\s*reason = f?"[^" ]+ [^" ]+ [^"]*"$',  # why something cannot be, to be read
)
# These walk whole templates by chance and take half a minute; each mutant would wait for them.
SLOW = (
    "tests/unit/flow/test_replay.py::TestSimulation",
    "tests/unit/flow/test_replay.py::TestReplay::test_leads_to_the_same_state_through_json",
)
_TESTS = (
    *("tests/unit/flow", *(f"--deselect={name}" for name in SLOW)),
    *("-q", "--tb=no", "--rootdir=.", "-p", "no:cacheprovider", "-p", "no:xdist"),
    *("-o", "addopts=--import-mode=importlib", "-o", "timeout=0"),
)
LONGEST = 4 * 3600  # seconds
NOTICED = frozenset({"killed", "timeout", "died"})
# A change that `make check` refuses never becomes a program: it counts neither for nor against the tests.
REFUSED = "caught by type check"
# Read by mypy in the mutants' folder; the rest of strict mode would speak of mutmut's own wrappers.
_TYPES = (
    *("-m", "mypy", "--config-file=", "--output=json", "--follow-imports=silent", "--ignore-missing-imports"),
    *("--strict-equality", "--explicit-package-bases"),
    *(f"--disable-error-code={code}" for code in ("no-redef", "has-type", "var-annotated")),
)
_MAKE = """
import json, pathlib
from mutmut import __main__ as mutmut
mutmut.set_mutant_under_test("mutant_generation")
mutmut.copy_src_dir()
mutmut.copy_also_copy_files()
mutmut.setup_source_paths()
mutmut.create_mutants(1)
pathlib.Path("refused.json").write_text(json.dumps(sorted(mutmut.filter_mutants_with_type_checker())))
"""
# The same examples for every mutant; one that fails says enough, a smaller one is not looked for.
_EXAMPLES = """
from hypothesis import Phase

settings.register_profile(
    "mutants",
    settings.get_profile("slipway"),
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
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
        self.folder, self.refused, self.fates = folder, frozenset[str](), dict[str, str]()
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
        self.refused = frozenset(json.loads((self.folder / "refused.json").read_text("utf-8")))
        chance, drawn = random.Random(seed), list[str]()  # noqa: S311 - to be told again
        for _module, names in sorted(self._names().items()):
            meant = [name for name in names if name not in self.refused]
            drawn += chance.sample(meant, min(sample, len(meant)))
        told, fates = self.folder / "names.json", self.folder / "fates.json"
        told.write_text(json.dumps(drawn), "utf-8")
        trial = ("-m", "tests.property.flow.mutation.trial", str(told), str(fates), *_TESTS)
        self._python(*trial, folder=self.folder / "mutants")
        self.fates = {name: fate for name, (fate, _test) in json.loads(fates.read_text("utf-8")).items()}

    def scores(self) -> list[Score]:
        """Each module's."""
        return [Score(module, Counter(map(self._fate, names))) for module, names in sorted(self._names().items())]

    def survivors(self) -> str:
        """Each mutant that no test noticed, as lines that changed."""
        names = [name for name, fate in self.fates.items() if fate not in NOTICED]
        return self._python("-c", _DIFFS, *names) if names else ""

    def _fate(self, name: str) -> str:
        return REFUSED if name in self.refused else self.fates.get(name, "not checked")

    def _names(self) -> dict[str, list[str]]:
        """The mutants of each module."""
        found = {}
        for meta in (self.folder / "mutants" / "app" / "flow").rglob("*.meta"):
            names = json.loads(meta.read_text())["exit_code_by_key"]
            if names:
                found[str(meta.relative_to(self.folder / "mutants").with_suffix(""))] = sorted(names)
        return found

    def _python(self, *arguments: str, folder: Path | None = None) -> str:
        """Run Python in the folder, behind everything else on the machine."""
        command = ["nice", "-n", "19", sys.executable, *arguments]
        environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            command,
            cwd=folder or self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
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
        "type_check_command": [sys.executable, *_TYPES, *checked],
    }
    lines = ["[mutmut]", "use_git_change_detection=false"]
    for name, values in lists.items():
        lines += [f"{name}=", *(f"    {value}" for value in values)]
    return "\n".join(lines) + "\n"
