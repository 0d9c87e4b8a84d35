"""The doctor before real servers and real trouble: it names what is wrong and the mend, and changes nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from app.demo.checks import machine, servers
from app.demo.checks.finding import Finding, Patient
from app.demo.doctor import examine, run_doctor, table
from app.demo.servers import EmbeddedServers
from tenants.schema.head import tenant_revision
from tests.cluster import Databases, cluster, create_databases, drop_databases, fresh_redis_url, name_of
from tests.factories.fleet import make_tenants


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    made = create_databases()
    yield made
    drop_databases(made)


@pytest.fixture
def own(databases) -> dict[str, str]:
    """An environment with servers of one's own."""
    return {
        "PATH": os.environ["PATH"],
        "SLIPWAY_CONTROL_URL": databases.control_url,
        "SLIPWAY_CELL_URL": databases.cell_url,
        "SLIPWAY_REDIS_URL": fresh_redis_url(),
    }


def refused(folder: Path, own: dict[str, str], command: str) -> str:
    """What a command says that must not start: no traceback, no password, nothing begun."""
    environment = {**os.environ, **own, "SLIPWAY_KEYRING": str(folder / "keyring")}
    words = [sys.executable, "-m", "app.cli", command]
    words += ["--once", "--folder", str(folder)] if command == "demo" else []
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "Traceback" not in said
    assert not [url for url in own.values() if "@" in url and url.split("@")[0].rsplit(":", 1)[1] in said]
    assert not (folder / "keyring").exists()
    return said


def wrong(findings) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings if not finding.ok}


class TestServersOfOnesOwn:
    def test_pass_without_a_superuser(self, folder, own):
        found = list(examine(Patient(folder, own)))
        assert not [finding for finding in found if finding.required and not finding.ok]
        said = {finding.name: finding.found for finding in found}
        assert said["SLIPWAY_CELL_URL version"] == "PostgreSQL 18.6"
        assert said["Redis"].startswith("Valkey 9.")
        assert "Embedded servers" not in said

    def test_must_let_the_login_create_roles_and_schemas(self, databases):
        admin = psycopg.connect(cluster().servers.admin_url, autocommit=True)
        place = sql.Identifier(name_of(databases.cell_url))
        with admin:
            admin.execute("CREATE ROLE weak LOGIN PASSWORD 'weak'")
            admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO weak").format(place))
            url = databases.cell_url.replace(databases.cell_url.split("@")[0], "postgresql://weak:weak")
            found = wrong(servers.database("cell", url))
            admin.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM weak; DROP ROLE weak").format(place))
        assert set(found) == {"cell roles", "cell schemas", "cell owner"}
        assert found["cell roles"].mend == "As a superuser: ALTER ROLE weak CREATEROLE;"
        assert found["cell schemas"].mend.endswith("TO weak;")

    def test_are_better_not_used_as_superuser(self):
        found = wrong(servers.database("cell", cluster().servers.admin_url))
        assert set(found) == {"cell login"}
        assert not found["cell login"].required

    def test_must_be_two_databases_however_they_are_spelled(self, folder, own):
        own["SLIPWAY_CELL_URL"] = own["SLIPWAY_CONTROL_URL"] + "&application_name=other"
        assert "same database" in wrong(examine(Patient(folder, own)))["Databases"].found

    @pytest.mark.parametrize(
        ("name", "value", "finding", "said"),
        [
            ("SLIPWAY_CELL_URL", "", "PostgreSQL", "only SLIPWAY_CONTROL_URL is set"),
            ("SLIPWAY_CELL_URL", "postgresql://a:b@127.0.0.1:1/c", "SLIPWAY_CELL_URL", "refused"),
            ("SLIPWAY_CELL_URL", "mysql://a:b@127.0.0.1/c", "SLIPWAY_CELL_URL", "must be a URL like postgresql://"),
            ("SLIPWAY_REDIS_URL", "redis://127.0.0.1:1/0", "Redis", "refused"),
            ("SLIPWAY_REDIS_URL", "memcached://127.0.0.1", "Redis", "must start with redis://"),
        ],
    )
    def test_are_named_when_they_cannot_be_used(self, folder, own, name, value, finding, said):
        found = wrong(examine(Patient(folder, {**own, name: value})))
        assert said in found[finding].found
        assert found[finding].mend


class TestTheFleet:
    def test_is_said_to_be_at_the_head_or_behind_it(self, folder, own, harbour, monkeypatch):
        own |= {"SLIPWAY_CONTROL_URL": harbour.urls.control_url, "SLIPWAY_CELL_URL": harbour.urls.cell_url}
        make_tenants(harbour, 2)
        assert servers.fleet(Patient(folder, own)).found == f"every workspace is at revision {tenant_revision()}"
        monkeypatch.setattr(servers, "tenant_revision", lambda: "t_tomorrow")
        assert servers.fleet(Patient(folder, own)).found == "2 workspaces are not at revision t_tomorrow"
        monkeypatch.setattr(servers, "outdated_revisions", lambda: frozenset({tenant_revision()}))
        found = wrong(examine(Patient(folder, own)))["Fleet"]
        assert (found.required, found.mend) == (True, "slipway fleet plan, then slipway fleet apply.")
        servers.refuse_unfit(own)  # an upgrade is what mends it: nothing else may stop that

    def test_is_nothing_before_there_is_an_installation(self, folder, own):
        assert servers.fleet(Patient(folder, own)).ok


class TestStartOnServersOfOnesOwn:
    """`slipway demo` and `slipway install` say what the doctor says, and touch nothing."""

    @pytest.fixture
    def weak(self, databases) -> Iterator[dict[str, str]]:
        """The same databases, by a login that may do nothing."""
        urls = (databases.control_url, databases.cell_url)
        with psycopg.connect(cluster().servers.admin_url, autocommit=True) as admin:
            admin.execute("CREATE ROLE feeble LOGIN PASSWORD 'weak'")
            places = [sql.Identifier(name_of(url)) for url in urls]
            for place in places:
                admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO feeble").format(place))
            names = ("SLIPWAY_CONTROL_URL", "SLIPWAY_CELL_URL")
            yield {
                name: url.replace(url.split("@")[0], "postgresql://feeble:weak")
                for name, url in zip(names, urls, strict=True)
            }
            for place in places:
                admin.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM feeble").format(place))
            admin.execute("DROP ROLE feeble")

    @pytest.mark.parametrize("command", ["demo", "install"])
    def test_is_refused_to_a_login_without_rights(self, folder, own, weak, command):
        said = refused(folder, own | weak, command)
        assert "→ As a superuser: ALTER ROLE feeble CREATEROLE;" in said
        assert "nothing was changed" in said

    @pytest.mark.parametrize("command", ["demo", "install"])
    def test_is_refused_where_the_password_is_wrong(self, folder, own, command):
        url = own["SLIPWAY_CELL_URL"]
        head, tail = url.split("@")
        said = refused(folder, own | {"SLIPWAY_CELL_URL": f"{head.rsplit(':', 1)[0]}:wrong@{tail}"}, command)
        assert "password authentication failed" in said

    def test_is_refused_where_redis_does_not_answer(self, folder, own):
        assert "Redis: Error 111" in refused(folder, own | {"SLIPWAY_REDIS_URL": "redis://127.0.0.1:1/0"}, "demo")

    def test_of_an_installation_needs_no_redis(self, folder, own):
        environment = {**os.environ, **own, "SLIPWAY_REDIS_URL": "redis://127.0.0.1:1/0"}
        environment["SLIPWAY_KEYRING"] = str(folder / "keyring")
        command = [sys.executable, "-m", "app.cli", "install"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert "is ready" in ended.stdout

    def test_is_refused_where_the_two_urls_are_swapped(self, folder, own):
        for name, schema in (("SLIPWAY_CONTROL_URL", "cell"), ("SLIPWAY_CELL_URL", "control")):
            with psycopg.connect(own[name], autocommit=True) as owner:
                owner.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        assert "Look whether the two URLs are swapped" in refused(folder, own, "install")

    @pytest.mark.parametrize("program", ["serve", "worker", "dispatcher"])
    def test_of_a_program_says_that_the_database_is_away(self, folder, own, program):
        said = refused(folder, own | {"SLIPWAY_CONTROL_URL": "postgresql://a:hunter2@127.0.0.1:1/c"}, program)
        assert "The database does not answer" in said


class TestMachine:
    def test_is_fit_for_embedded_servers(self, folder):
        found = list(examine(Patient(folder, {"PATH": os.environ["PATH"]})))
        assert not [finding for finding in found if finding.required and not finding.ok]
        said = {finding.name: finding.found for finding in found}
        assert said["Embedded servers"] == "PostgreSQL 18.6, Valkey 9.1.2"
        assert said["PostgreSQL"] == said["Redis"] == "embedded"

    def test_is_not_changed_by_looking(self, empty):
        list(examine(Patient(empty, {"PATH": os.environ["PATH"]})))
        assert not empty.exists()

    def test_names_who_holds_the_folder(self, folder):
        with EmbeddedServers(folder, postgres=False, valkey=False):
            found = machine.lock(Patient(folder, {}))
        assert (found.ok, found.required) == (False, False)
        assert f"pid {os.getpid()}" in found.found
        assert machine.lock(Patient(folder, {})).ok

    def test_names_a_taken_port(self, folder):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            found = machine.port(Patient(folder, {"SLIPWAY_HTTP_PORT": str(port)}))
        assert str(port) in found.found
        assert not found.ok

    def test_names_a_folder_that_cannot_be_made(self, tmp_path):
        (tmp_path / "file").touch()
        assert not machine.folder(Patient(tmp_path / "file" / ".slipway", {})).ok

    def test_guesses_what_a_mistyped_variable_was_to_be(self, folder):
        found = machine.settings(Patient(folder, {"SLIPWAY_HTP_PORT": "1", "SLIPWAY_CHROMIUM": "/x"}))
        assert found.found == "unknown: SLIPWAY_HTP_PORT (did you mean SLIPWAY_HTTP_PORT?)"


class TestRunDoctor:
    def test_gives_one_when_something_required_is_wrong(self, capsys):
        assert run_doctor(["--cell", "postgresql://a:b@127.0.0.1:1/c"]) == 1
        assert "WRONG cell" in capsys.readouterr().out

    def test_gives_zero_for_a_database_that_can_be_a_cell(self, databases, capsys):
        assert run_doctor(["--cell", databases.cell_url]) == 0
        assert "cell version" in capsys.readouterr().out

    def test_shows_no_password(self, databases, capsys):
        secret = databases.cell_url.split("@")[0].rsplit(":", 1)[1]
        run_doctor(["--cell", databases.cell_url.replace(name_of(databases.cell_url), "nowhere")])
        assert secret not in capsys.readouterr().out


class TestTable:
    def test_puts_the_mend_below_what_is_wrong(self):
        rows = [
            Finding("Python", True, "3.11"),
            Finding("Port", False, "taken", "Take another."),
            Finding("x", True, ""),
        ]
        assert table(rows, width=80, colour=False).splitlines() == [
            "  ok    Python  3.11",
            "  WRONG Port    taken",
            "                → Take another.",
            "  ok    x       ",
        ]
