"""The papers beside the code say what is so: settings, commands, links, decisions, the change log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from app.settings import DOCUMENTED, Documented, Settings
from tests.architecture.source import ROOT, files, none, texts

SETTING = re.compile(r"\bSLIPWAY_[A-Z][A-Z_]*[A-Z]\b")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
MAKE = re.compile(r"`(?:\$ )?make ([a-z-]+)|^\s*(?:\$ )?make ([a-z-]+)", re.MULTILINE)
ADR_PARTS = ("Context", "Decision", "Consequences", "Alternatives", "Enforced by")
SCREEN = 60
README_SCREEN = 90


def settings_table(documented: Iterable[Documented]) -> str:
    """The table of docs/configuration.md; when the test fails, its message holds the text to paste."""
    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for entry in documented:
        default = "**must be set**" if entry.default is None else f"`{entry.default}`" if entry.default else "empty"
        rows.append(f"| `{entry.name}` | {default} | {entry.meaning} |")
    return "\n".join(rows)


def make_targets(makefile: str) -> set[str]:
    """The targets of a Makefile."""
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def broken_links(path: str, text: str, there: set[str]) -> Iterator[str]:
    """Relative links that lead nowhere, and links that only work in somebody's browser."""
    for found in LINK.finditer(text):
        target = found.group(1)
        if target.startswith(("http:", "https:", "mailto:")):
            continue
        wanted = (ROOT / path).parent.joinpath(target).resolve()
        if not wanted.is_relative_to(ROOT) or not (wanted.exists() or wanted.relative_to(ROOT).as_posix() in there):
            yield f"{path}: links to {target}, which is not there"


def pages() -> list[tuple[str, str]]:
    """Every paper of the tree."""
    return [(path, text) for path, text in texts() if path.endswith(".md")]


class TestSettings:
    """A setting that is not in the manual is found by reading code; one that nothing reads is worse."""

    def test_stand_in_the_manual_as_they_are(self):
        table = settings_table(DOCUMENTED)
        assert table in (ROOT / "docs/configuration.md").read_text(), (
            f"docs/configuration.md lacks this table:\n\n{table}"
        )

    def test_are_read_by_the_product(self):
        own = (ROOT / "app/settings/__init__.py").read_text()
        below = " ".join(text for path, text in texts("app") if not path.startswith("app/settings/"))
        for name in sorted(Settings.__dataclass_fields__):
            # Once in `environment()` is no use of it; a second time is a property or a check.
            assert re.search(rf"\.{name}\b", below) or own.count(f"self.{name}") > 1, f"nothing reads Settings.{name}"

    def test_are_all_documented(self):
        manual = (ROOT / "docs/configuration.md").read_text()
        speaking = [*texts("app", "tenants", "deploy"), ("Makefile", (ROOT / "Makefile").read_text())]
        used = {(found.group(), path) for path, text in speaking for found in SETTING.finditer(text)}
        none(f"{path}: {name} is not in the manual" for name, path in sorted(used) if f"`{name}`" not in manual)

    def test_that_are_gone_leave_the_manual(self):
        code = " ".join(text for _, text in texts("app", "tenants", "tests", "deploy"))
        named = set(SETTING.findall((ROOT / "docs/configuration.md").read_text()))
        none(f"docs/configuration.md: {name} is read nowhere" for name in sorted(named) if name not in code)

    def test_table_says_what_must_be_set(self):
        table = settings_table([Documented("SLIPWAY_X", None, "An x."), Documented("SLIPWAY_Y", "", "A y.")])
        assert table.splitlines()[2:] == ["| `SLIPWAY_X` | **must be set** | An x. |", "| `SLIPWAY_Y` | empty | A y. |"]


class TestCommands:
    """The first thing a newcomer types is copied from here."""

    def test_named_in_the_papers_exist(self):
        targets = make_targets((ROOT / "Makefile").read_text())
        named = {(path, "".join(found)) for path, text in pages() for found in MAKE.findall(text)}
        none(f"{path}: make {name} does not exist" for path, name in sorted(named) if name not in targets)

    def test_explain_themselves(self):
        makefile = (ROOT / "Makefile").read_text()
        explained = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
        none(f"make {target} has no ## line" for target in sorted(make_targets(makefile) - explained))

    def test_are_found_in_text(self):
        assert MAKE.findall("run `make demo` or\n    make check\nto make sense") == [("demo", ""), ("", "check")]
        assert make_targets("demo: x ## y\n\techo\n") == {"demo"}

    def test_of_the_server_are_check_and_test(self):
        script = (ROOT / ".ci/run").read_text()
        assert "make check" in script
        assert "make test" in script
        assert (ROOT / ".ci/run").stat().st_mode & 0o111


class TestLinks:
    """A manual with a dead link is not read twice."""

    def test_lead_somewhere(self):
        there = set(files())
        none(offence for path, text in pages() for offence in broken_links(path, text, there))

    def test_that_lead_nowhere_are_noticed(self):
        assert list(broken_links("docs/README.md", "[x](nowhere.md) [y](architecture.md)", set())) == [
            "docs/README.md: links to nowhere.md, which is not there"
        ]


ADRS = sorted(path for path in files("docs/decisions") if path.endswith(".md"))


class TestDecisions:
    """A decision that takes more than a screen is not decided; one that no check enforces is a wish."""

    @pytest.mark.parametrize("path", ADRS)
    def test_fit_a_screen_and_say_what_enforces_them(self, path):
        text = (ROOT / path).read_text()
        none(f"{path}: no {part}" for part in ADR_PARTS if f"**{part}.**" not in text)
        assert text.count("\n") <= SCREEN
        assert re.search(r"^> \S", text, re.MULTILINE), "the decision stands as a quotation"

    @pytest.mark.parametrize("path", ADRS)
    def test_name_checks_that_exist(self, path):
        enforced = (ROOT / path).read_text().split("**Enforced by.**")[1]
        named = re.findall(r"`((?:tests|app|tenants|migrations)/[^`:\s]+)", enforced)
        none(f"{path}: names {name}, which is not there" for name in named if not (ROOT / name).exists())

    def test_are_numbered_without_holes(self):
        assert [Path(path).name[:4] for path in ADRS] == [f"{n:04d}" for n in range(1, len(ADRS) + 1)]


class TestFirstScreens:
    """What does not fit a screen is scrolled past."""

    def test_of_the_readme_is_one(self):
        assert (ROOT / "README.md").read_text().count("\n") <= README_SCREEN

    def test_of_the_change_log_starts_with_what_is_coming(self):
        headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
        assert headings[:1] == ["Unreleased"]
        assert all(re.fullmatch(r"\d+\.\d+\.\d+", heading) for heading in headings[1:])


class TestGuarantees:
    """A promise that names a test which does not exist is worse than a goal."""

    def test_name_tests_that_exist(self):
        text = (ROOT / "docs/guarantees.md").read_text()
        for file, name in re.findall(r"`(tests/[\w/]+\.py)(?:::([\w:]+))?`", text):
            assert (ROOT / file).exists(), file
            for part in filter(None, name.split("::")):
                assert re.search(rf"(class|def) {part}\b", (ROOT / file).read_text()), f"{file}::{name}"
