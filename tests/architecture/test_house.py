"""Where things stand: the top level, the capabilities, their rooms, and what may be a name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

import pytest

from tests.architecture.source import PYTHON_TREES, ROOT, Module, files, modules, none, planted

TOP = {
    *("README.md", "LICENSE", "CHANGELOG.md", "Makefile", "pyproject.toml"),
    *("requirements.txt", "requirements-dev.txt", "requirements-node.txt"),
    *("app", "tenants", "templates_library", "migrations", "frontend", "tests", "deploy", "docs"),
}
ENTRIES = {"asgi", "worker", "cli", "settings"}
FURNITURE = {"bootstrap", "kernel", "web", "flow", "demo"}
CAPABILITIES = {
    *("audit", "access", "vault", "identity", "partners", "tenancy", "templates", "marketplace", "connectors"),
    *("notifications", "intake", "readiness", "onboarding", "triggers", "assistant", "insights"),
}
# `lookups` are the functions of `control` that may be asked before a tenant is known (DESIGN 4, scope "lookup").
ROOMS = {"models", "rules", "events", "lookups", "queries", "operations", "schemas", "api", "pages", "jobs"}
MACHINES = {"sqlalchemy", "psycopg", "litestar", "dramatiq", "redis"}

TEST_KINDS = {
    "architecture",
    "canaries",
    "unit",
    "property",
    "integration",
    "contract",
    "journeys",
    "migrations",
    "benchmarks",
    "factories",
}
MIRRORS = ("unit", "property", "integration")
FRONTEND_OWN = {"layouts", "components", "emails", "errors", "static", "locales"}

FORBIDDEN = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "manager",
    "base",
    "impl",
    "v2",
    "data",
    "process",
    "handle",
}
NAMED_SUFFIXES = {".py", ".html", ".css", ".js", ".mjs", ".yaml", ".sql"}


def words(name: str) -> list[str]:
    """The words of a name in either spelling: `TenantSession`, `tenant_session`, `tenant-session`."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|v\d+", name.replace("_", " "))]


def is_forbidden(name: str) -> bool:
    """Whether a name holds a word that says nothing."""
    return bool(FORBIDDEN & {*words(name), *re.split(r"[_\-.]", name.lower())})


def strangers(found: set[str], known: set[str], where: str) -> Iterator[str]:
    """What stands in a place whose contents are fixed."""
    yield from (f"{where}/{name} is not part of the house (DESIGN 3)" for name in sorted(found - known))


def children(paths: tuple[str, ...], *parents: str) -> set[str]:
    """Names directly inside a folder, a module by its stem."""
    depth = len(parents)
    inside = (PurePosixPath(path).parts for path in paths if PurePosixPath(path).parts[:depth] == parents)
    return {PurePosixPath(parts[depth]).stem if len(parts) == depth + 1 else parts[depth] for parts in inside}


def machinery_outside_rooms(module: Module) -> Iterator[str]:
    """A module of a capability that touches machinery without standing in a room."""
    if len(module.parts) != 3 or module.parts[1] not in CAPABILITIES or module.room in ROOMS:
        return
    for line, name in module.imports():
        if name.split(".")[0] in MACHINES:
            yield module.at(
                line, f"imports {name}: only the rooms may; keep {module.parts[2]} pure or move it into a room"
            )


def idle_names(module: Module) -> Iterator[str]:
    """Classes and functions whose name says nothing; methods may follow the protocol of a library."""
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and is_forbidden(node.name):
            yield module.at(node, f"{node.name} holds a word that says nothing")


class TestTopLevel:
    """A newcomer counts the doors once; a new folder at the root is a decision for an ADR, not for a change."""

    def test_holds_only_what_the_design_names(self):
        found = {path.split("/")[0] for path in files() if not path.startswith(".")}
        none(strangers(found, TOP, "."))

    def test_app_holds_the_entries_and_the_capabilities(self):
        none(strangers(children(files("app"), "app") - {"__init__"}, ENTRIES | FURNITURE | CAPABILITIES, "app"))

    def test_notices_a_new_folder(self):
        assert list(strangers({"app", "scripts"}, TOP, ".")) == ["./scripts is not part of the house (DESIGN 3)"]
        assert children(("app/asgi.py", "app/audit/tree.py", "tenants/a.py"), "app") == {"asgi", "audit"}


class TestOneWordInEveryTree:
    """Know the word, know the places: `app/onboarding`, `frontend/onboarding`, `tests/*/onboarding`."""

    def test_tests_mirror_the_product(self):
        for kind in MIRRORS:
            folders = {path.split("/")[2] for path in files(f"tests/{kind}") if path.count("/") > 2}
            none(strangers(folders, FURNITURE | CAPABILITIES | {"tenants"}, f"tests/{kind}"))

    def test_tests_are_of_a_known_kind(self):
        folders = {path.split("/")[1] for path in files("tests") if path.count("/") > 1}
        none(strangers(folders, TEST_KINDS | {"fixtures", "look", "peers"}, "tests"))

    def test_the_front_end_mirrors_the_product(self):
        folders = {path.split("/")[1] for path in files("frontend") if path.count("/") > 1}
        none(strangers(folders, FRONTEND_OWN | FURNITURE | CAPABILITIES, "frontend"))

    def test_notices_a_second_word(self):
        assert list(strangers({"onboarding", "journey"}, CAPABILITIES, "frontend"))


class TestRooms:
    """The same rooms in every capability; another word is welcome while it is pure: no room grows a back door."""

    def test_machinery_stands_in_rooms(self):
        none(offence for module in modules("app") for offence in machinery_outside_rooms(module))

    def test_notices_a_query_outside_its_room(self):
        assert list(machinery_outside_rooms(planted("app/intake/repository.py", "from sqlalchemy import select")))
        assert not list(machinery_outside_rooms(planted("app/intake/queries.py", "from sqlalchemy import select")))
        assert not list(machinery_outside_rooms(planted("app/intake/signature.py", "import hmac")))


class TestNames:
    """`utils` is where a reader stops knowing where things are; `v2` stays for ever (style 6)."""

    def test_no_file_or_folder_is_named_by_an_empty_word(self):
        trees = files(*PYTHON_TREES, "frontend", "templates_library", "deploy")
        paths = [PurePosixPath(path) for path in trees if PurePosixPath(path).suffix in NAMED_SUFFIXES]
        none(
            f"{path} holds a word that says nothing" for path in paths if any(is_forbidden(part) for part in path.parts)
        )

    def test_no_class_or_function_is_named_by_an_empty_word(self):
        none(offence for module in modules("app", "tenants") for offence in idle_names(module))

    @pytest.mark.parametrize("name", ["utils.py", "TenantManager", "handle_request", "organisations_v2", "BaseThing"])
    def test_notices(self, name):
        assert is_forbidden(name)

    @pytest.mark.parametrize("name", ["metadata.py", "DatabaseURL", "handler", "processed_at", "based_on"])
    def test_leaves_real_words_alone(self, name):
        assert not is_forbidden(name)

    def test_notices_in_a_module(self):
        assert list(idle_names(planted("app/intake/rules.py", "def process(): return 1")))


class TestDocstrings:
    """The first line of each module says what lives there and what does not; ruff sees to `app`, this to all trees.

    Only an empty `__init__.py` of a test folder has nothing to say.
    """

    def test_every_module_says_what_lives_in_it(self):
        spoken = (module for module in modules() if module.text.strip() or module.parts[0] != "tests")
        none(f"{module.path}: no module docstring" for module in spoken if not ast.get_docstring(module.tree))

    def test_notices_a_silent_module(self):
        assert ast.get_docstring(planted("app/x.py", "import os").tree) is None


class TestPackages:
    """A folder without `__init__.py` imports here and vanishes from tools there."""

    def test_every_python_folder_is_a_package(self):
        folders = {PurePosixPath(module.path).parent for module in modules("app", "tenants", "tests")}
        none(f"{folder}: no __init__.py" for folder in sorted(folders) if not (ROOT / folder / "__init__.py").exists())
