"""Who may know whom: what import-linter's layers in pyproject.toml cannot say. `make check` runs both."""

from __future__ import annotations

import importlib
import re
import tomllib
from collections.abc import Iterable, Iterator

import pytest

from tests.architecture.source import ROOT, Module, modules, none, planted
from tests.architecture.test_house import CAPABILITIES, ENTRIES, FURNITURE

DATABASE = {"sqlalchemy", "psycopg", "alembic"}
DOOR = {"litestar", "jinja2", "dramatiq"}
OUTSIDE = {"httpx2", "redis", "smtplib", "socket", "urllib.request", "subprocess"}

FOREIGN = {
    "rules": DATABASE | DOOR | OUTSIDE,
    "events": DATABASE | DOOR | OUTSIDE,
    "models": DOOR | OUTSIDE,
    "lookups": DOOR | OUTSIDE,
    "queries": DOOR | OUTSIDE,
    "operations": DOOR | OUTSIDE,
    "schemas": DATABASE | {"jinja2", "dramatiq"} | OUTSIDE,
    "api": DATABASE | {"jinja2", "dramatiq"} | OUTSIDE,
    "pages": DATABASE | {"dramatiq"} | OUTSIDE,
    "jobs": DOOR | OUTSIDE,
}
SETTINGS_READERS = ({"app", "asgi"}, {"app", "worker"}, {"app", "cli"}, {"app", "bootstrap"}, {"app", "demo"})


def reaches(name: str, packages: Iterable[str]) -> bool:
    """Whether a dotted name is one of the packages or inside one."""
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def foreign_to_room(module: Module) -> Iterator[str]:
    """Imports of libraries that have no business in the module's room."""
    inside = module.parts[1:2] if module.parts[:1] == ("app",) else ()
    room = "rules" if inside == ("flow",) else module.room if inside and inside[0] in CAPABILITIES else ""
    for line, name in module.imports():
        if reaches(name, FOREIGN.get(room, ())):
            yield module.at(line, f"imports {name}, which has no business in {room}")


def borrowed_models(module: Module) -> Iterator[str]:
    """Imports of another capability's models."""
    if module.parts[0] in {"migrations", "tests"}:
        return
    for line, name in module.imports():
        owner = name.split(".")[:3]
        if len(owner) == 3 and owner[0] == "app" and owner[2] == "models" and owner[1] not in module.parts[1:2]:
            yield module.at(line, f"imports {name}: ask {owner[1]}'s queries or operations, rows are its own")


def settings_readers(module: Module) -> Iterator[str]:
    """Imports of the settings by anything but entries, `bootstrap` and `demo`."""
    if (
        module.parts[0] == "tests"
        or set(module.parts[:2]) in SETTINGS_READERS
        or reaches(module.name, ["app.settings"])
    ):
        return
    for line, name in module.imports():
        if reaches(name, ["app.settings"]):
            yield module.at(line, "imports app.settings: take the value as a parameter, bootstrap passes it")


def upward(module: Module) -> Iterator[str]:
    """Imports of the product by the ground floor, or of anything but records by the migrations."""
    for line, name in module.imports():
        if module.parts[0] == "tenants" and reaches(name, ["app", "migrations", "tests"]):
            yield module.at(line, f"imports {name}: tenants is the ground floor")
        if module.parts[0] == "migrations" and reaches(name, ["app"]) and name.split(".")[2:3] != ["models"]:
            yield module.at(line, f"imports {name}: a migration sees tables, never code that changes under it")
        if module.parts[0] in {"app", "tenants"} and reaches(name, ["tests"]):
            yield module.at(line, f"imports {name}: the product does not lean on its tests")


# A connector's folder is found, not listed (DESIGN 9): its modules are imported by the provider's name.
FOUND_BY_NAME = {"app/connectors/crm/provider.py", "app/demo/stand_ins.py"}


def dynamic(module: Module) -> Iterator[str]:
    """Dynamic imports, which no contract can see."""
    if module.path in FOUND_BY_NAME:
        return
    for call, name in module.calls():
        if name.split(".")[-1] in {"import_module", "__import__"}:
            yield module.at(call, f"{name}: a dynamic import hides from the import contracts")


class TestRooms:
    """Rules are tested in milliseconds and operations from a CLI only while no room pulls in another's machinery."""

    def test_import_what_belongs_in_them(self):
        none(offence for module in modules("app") for offence in foreign_to_room(module))

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("app/intake/rules.py", "from sqlalchemy import select"),
            ("app/flow/decide.py", "import psycopg"),
            ("app/intake/events.py", "from litestar import get"),
            ("app/intake/operations.py", "import jinja2"),
            ("app/intake/operations/admit.py", "from dramatiq import actor"),
            ("app/intake/pages.py", "from sqlalchemy.orm import Session"),
            ("app/intake/operations.py", "import urllib.request"),
        ],
    )
    def test_notices(self, path, line):
        assert list(foreign_to_room(planted(path, line)))

    def test_leaves_what_belongs_alone(self):
        assert not list(foreign_to_room(planted("app/intake/queries.py", "from sqlalchemy import select")))
        assert not list(foreign_to_room(planted("app/intake/pages.py", "from litestar import get")))


class TestModels:
    """A table that its neighbours read can never change; polar's backoffice imports models from a dozen of them."""

    def test_are_imported_by_their_own_capability_only(self):
        none(offence for module in modules() for offence in borrowed_models(module))

    def test_notices_a_borrowed_model_in_either_spelling(self):
        assert list(borrowed_models(planted("app/onboarding/queries.py", "from app.intake.models import Deal")))
        assert list(borrowed_models(planted("app/bootstrap/tables.py", "import app.intake.models")))
        assert list(borrowed_models(planted("app/onboarding/queries.py", "from app.intake import models")))
        assert not list(borrowed_models(planted("app/intake/queries.py", "from app.intake.models import Deal")))


class TestSettings:
    """A setting read deep inside makes a second installation in one process, and so most tests, impossible."""

    def test_are_read_at_the_entries_only(self):
        none(offence for module in modules() for offence in settings_readers(module))

    def test_notices_a_reader_below(self):
        assert list(settings_readers(planted("app/vault/operations.py", "from app.settings import Settings")))
        assert list(settings_readers(planted("app/vault/operations.py", "from app import settings")))
        assert not list(settings_readers(planted("app/bootstrap/plugins.py", "from app.settings import Settings")))


class TestGroundFloor:
    """`tenants` decides whose data; what it imported could open a session of its own."""

    def test_nothing_is_imported_upward(self):
        none(offence for module in modules() for offence in upward(module))

    def test_notices(self):
        assert list(upward(planted("tenants/sessions.py", "from app.kernel.errors import Missing")))
        assert list(upward(planted("migrations/env.py", "from app.intake.operations import admit")))
        assert list(upward(planted("app/intake/rules.py", "from tests.factories import intake")))

    def test_no_import_hides_from_the_contracts(self):
        floors = [m for m in modules("app", "tenants") if m.parts[:2] not in {("app", "bootstrap"), ("app", "cli")}]
        none(offence for module in floors for offence in dynamic(module))

    def test_notices_a_dynamic_import(self):
        assert list(dynamic(planted("tenants/x.py", "import_module('app.kernel')")))


# What can open a connection. `ssl`, `urllib.parse` and `http.server` alone cannot.
WAYS_OUT = {
    *("socket", "httpcore", "httpcore2", "httpx", "httpx2", "http.client", "requests", "urllib.request", "urllib3"),
    *("aiohttp", "smtplib", "ftplib", "paramiko", "telnetlib", "xmlrpc.client", "hvac", "websockets"),
    *("botocore.httpsession", "dns", "dnslib", "authlib.integrations.httpx_client"),
}
# Who may, and why the egress guard is not in between. A name that a tenant can choose goes through the guard only.
OWN_WAYS = {
    "app/kernel/outbound/": "the guard and its client",
    "app/kernel/queue/": "our own queue, named by the operator; `socket.gethostname`",
    "app/vault/keepers/transit_line.py": "the operator's vault, named in the settings",
    "app/notifications/smtp.py": "the operator's mail server, named in the settings",
    "app/notifications/sink.py": "listens: the demo's mail server",
    "app/asgi.py": "takes over a listening socket",
    "app/demo/": "drives its own programs on this machine",
    "app/connectors/files/sftp.py": "paramiko over a line that the guarded client has opened",
    "app/connectors/catalog/stand_in": "listens: the server under every stand-in",
    "app/connectors/trials/bench.py": "finds a free port for an author's stand-in",
    "app/identity/sso/": "Authlib on a transport that is the guarded client",
}
_STAND_IN = re.compile(r"app/connectors/catalog/\w+/stand_in\w*\.py")


def ways_past_the_guard(module: Module) -> Iterator[str]:
    """Imports by which a module could call somebody without the egress guard."""
    if module.parts[0] != "app" or module.path.startswith(tuple(OWN_WAYS)) or _STAND_IN.fullmatch(module.path):
        return
    for line, name in module.imports():
        if reaches(name, WAYS_OUT):
            yield module.at(line, f"imports {name}: send by OutboundClient, which asks the egress guard")


class TestTheWayOut:
    """A library that fetches what a tenant names would reach the cloud's metadata and our own databases (DESIGN 9)."""

    def test_is_the_egress_guard(self):
        none(offence for module in modules("app") for offence in ways_past_the_guard(module))

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("app/connectors/kit/exchange.py", "import httpx2"),
            ("app/connectors/catalog/hubspot/deals.py", "from urllib.request import urlopen"),
            ("app/partners/brand.py", "import socket"),
            ("app/intake/jobs.py", "import http.client"),
            ("app/connectors/files/line.py", "import requests"),
        ],
    )
    def test_notices_another(self, path, line):
        assert list(ways_past_the_guard(planted(path, line)))

    def test_has_no_exception_that_nobody_needs(self):
        for path in OWN_WAYS:
            found = [m for m in modules("app") if m.path.startswith(path)]
            assert any(reaches(name, WAYS_OUT) for m in found for _line, name in m.imports()), path


class TestContracts:
    """A package missing from the contract is a package without a floor."""

    def test_name_every_package_of_app(self):
        contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
        layers = {name.strip() for contract in contracts for floor in contract["layers"] for name in floor.split("|")}
        there = {
            f"app.{m.parts[1]}" for m in modules("app") if len(m.parts) > 1 and m.parts[1] in FURNITURE | CAPABILITIES
        }
        none(f"{name} stands on no floor of the import contract" for name in sorted(there - layers))

    def test_are_run_by_make_check(self):
        assert "lint-imports" in (ROOT / "Makefile").read_text().split("check:")[1].split("\n\n")[0]


ALL = [module.name for module in modules("app", "tenants") if module.parts[-1] != "__main__"]


class TestImporting:
    """Every module can be imported alone: no circle that only the usual order hides, nothing that starts on import."""

    @pytest.mark.parametrize("name", ALL)
    def test_works(self, name):
        importlib.import_module(name)

    def test_covers_every_entry_there_is(self):
        assert {f"app.{entry}" for entry in ENTRIES if (ROOT / f"app/{entry}.py").exists()} <= set(ALL)
