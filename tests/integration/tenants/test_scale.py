"""Ten thousand tenants in one cell: what they cost to make, to keep and to serve. `make soak ONLY=scale` prints it.

The figures of `docs/scale.md` come from here. What is asserted are counts; times are printed.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from app.kernel.queue.loop import POLL, Dispatcher
from tenants.consistency import examine_installation
from tenants.engines import Databases
from tenants.fleet.owner import asking
from tenants.fleet.plan import count_below
from tenants.metadata import TenantRecord
from tenants.naming import role_password
from tenants.schema.install import install
from tenants.slots import BATCH, count_free, make_slots
from tests import cluster
from tests.factories.fleet import Revisions, make_fleet, upgrade
from tests.factories.installation import CELL, Installation

FULL, SLICE = 10_000, 60
GATEWAYS = 32
_TOUCHED = (1, 10, 100, 1_000)
_IDLE_SECONDS = 20.0
_HERTZ = os.sysconf("SC_CLK_TCK")


def tell(line: str) -> None:
    """Show a line of the report, past pytest's capturing with `-s`."""
    sys.stdout.write(f"scale: {line}\n")
    sys.stdout.flush()


@dataclass
class Report:
    """What was measured, as lines of a table."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def say(self, what: str, value: str) -> None:
        """One more line, shown at once: the whole takes many minutes."""
        self.lines.append((what, value))
        tell(f"{what:<66} {value}")


_CATALOGS = """
    SELECT sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r'
"""


@dataclass
class Fleet:
    """A cell full of slots, and what the server is asked about it."""

    installation: Installation
    count: int
    report: Report

    @property
    def cell_url(self) -> str:
        """The cell, as its owner."""
        return self.installation.urls.cell_url

    def one(self, query: str, *values: object) -> Any:
        """One value, asked of the cell as its owner."""
        return self.installation.cell(query, *values)[0][0]

    def places(self, gateway: int | None = None) -> list[tuple[str, str]]:
        """(role, schema) of the slots of that gateway, or of all."""
        query = "SELECT role_name, schema_name FROM cell.slot WHERE gateway = COALESCE(%s, gateway) ORDER BY made_at"
        return [(row.role_name, row.schema_name) for row in self.installation.cell(query, gateway)]

    @contextmanager
    def login(self, role: str) -> Iterator[psycopg.Connection[Any]]:
        """A bare connection of one of our logins."""
        parts = urlsplit(self.cell_url)
        secret = role_password(self.installation.key.secret, role)
        host = parts.netloc.rpartition("@")[2]
        url = urlunsplit(parts._replace(netloc=f"{quote(role)}:{secret}@{host}"))
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            yield connection


@pytest.fixture(
    scope="module",
    params=[SLICE, pytest.param(FULL, marks=[pytest.mark.soak, pytest.mark.timeout(7_200)])],
    ids=["slice", "scale"],
)
def fleet(request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """An installation whose pool holds this many workspaces."""
    urls = cluster.create_databases()
    key = install(control_url=urls.control_url, cell_urls={CELL: urls.cell_url}, gateways=GATEWAYS)
    installation = Installation(urls, key)
    installation.databases.close()
    installation.databases = Databases(
        control_url=urls.control_url, cell_urls={CELL: urls.cell_url}, key=key, gateways=GATEWAYS
    )
    made = Fleet(installation, int(request.param), Report())
    before = made.one("SELECT pg_database_size(current_database())")
    _fill(made)
    size = (made.one("SELECT pg_database_size(current_database())") - before) / made.count
    made.report.say("disk per workspace", f"{size / 1024:.0f} kB")
    catalogs = made.one(_CATALOGS) / made.count / 1024
    made.report.say("of it system catalogs", f"{catalogs:.0f} kB")
    yield made
    installation.close()
    cluster.drop_databases(urls)


def _fill(fleet: Fleet) -> None:
    """In tenths, so that a rate which falls with the number shows."""
    share, began = max(fleet.count // 10, BATCH), time.perf_counter()
    rates: list[float] = []
    while (free := count_free(fleet.installation.databases, CELL)) < fleet.count:
        started = time.perf_counter()
        wanted = min(share, fleet.count - free)
        make_slots(fleet.installation.databases, CELL, wanted)
        rates.append(wanted / (time.perf_counter() - started))
        tell(f"{free + wanted} of {fleet.count} workspaces, {rates[-1]:.0f}/s")
    fleet.report.say("workspaces", f"{fleet.count}, {GATEWAYS} gateways")
    fleet.report.say(
        "provisioning",
        f"{fleet.count / (time.perf_counter() - began):.1f}/s (first {rates[0]:.1f}, last {rates[-1]:.1f})",
    )


@pytest.fixture(scope="module")
def everybody(fleet: Fleet) -> Iterator[str]:
    """What we do not do: one login that may become every workspace's role."""
    name = f"{fleet.installation.key.roles.prefix}_everybody"
    secret = role_password(fleet.installation.key.secret, name)
    login, database = sql.Identifier(name), sql.Identifier(cluster.name_of(fleet.cell_url))
    made = sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}; GRANT CONNECT ON DATABASE {} TO {}")
    roles = [role for role, _schema in fleet.places()]
    groups = [sql.SQL(", ").join(map(sql.Identifier, roles[at : at + 250])) for at in range(0, len(roles), 250)]
    # The server's own superuser: for each grant of an owner PostgreSQL would follow all that the owner may grant.
    with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
        admin.execute(made.format(login, sql.Literal(secret), database, login).as_string(None).encode())
        for group in groups:  # one transaction with thousands of grants would run out of locks
            admin.execute(sql.SQL("GRANT {} TO {}").format(group, login))
        yield name
        for group in groups:
            admin.execute(sql.SQL("REVOKE {} FROM {}").format(group, login))
        admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(database, login))
        admin.execute(sql.SQL("DROP ROLE {}").format(login))


class TestAtScale:
    def test_every_workspace_is_there_and_spread_over_the_gateways(self, fleet: Fleet):
        counts = fleet.installation.cell("SELECT gateway, count(*) AS n FROM cell.slot GROUP BY gateway")
        assert sum(row.n for row in counts) == fleet.count
        assert max(row.n for row in counts) - min(row.n for row in counts) <= 1
        schemas = fleet.one("SELECT count(*) FROM pg_namespace WHERE left(nspname, 2) = 't_'")
        assert schemas == fleet.count

    def test_the_doctor_looks_at_all_of_them(self, fleet: Fleet):
        urls, began = fleet.installation.urls, time.perf_counter()
        found = examine_installation(
            fleet.installation.key, control_url=urls.control_url, cell_urls={CELL: urls.cell_url}, young=0
        )
        fleet.report.say("doctor: directory, cell, schemas and roles compared", f"{time.perf_counter() - began:.1f} s")
        assert found.troubles == ()

    def test_a_backend_remembers_what_it_has_touched(self, fleet: Fleet, everybody: str):
        """With affinity a backend meets its gateway's workspaces, and at most a hundred of them; without, all."""
        tables = [table.name for table in TenantRecord.metadata.sorted_tables]
        own = fleet.places(0)
        fleet.report.say("workspaces of one gateway", str(len(own)))
        for login, places in ((fleet.installation.key.roles.gateway(0), own), (everybody, fleet.places())):
            with fleet.login(login) as connection:
                touched, empty = 0, _memory(connection)
                for goal in [number for number in _TOUCHED if number <= len(places)]:
                    for role, schema in places[touched:goal]:
                        _touch(connection, role, schema, tables)
                    touched = goal
                    grown = (_memory(connection) - empty) / 1024 / 1024
                    what = "one login for all" if login == everybody else "a gateway"
                    fleet.report.say(f"{what}: memory after reading {goal} workspaces", f"{grown:.1f} MB more")
        assert len(own) <= fleet.count // GATEWAYS + 1

    def test_the_first_query_after_a_grant_waits_for_its_gateways_roles_only(self, fleet: Fleet, everybody: str):
        """Each grant makes every backend list again whose roles it may take: as many as its gateway has."""
        role, schema = fleet.places(0)[0]
        for login, roles in ((fleet.installation.key.roles.gateway(0), fleet.places(0)), (everybody, fleet.places())):
            warm, after = [], []
            with fleet.login(login) as connection:

                def enter(connection: psycopg.Connection[Any] = connection) -> None:
                    _enter(connection, role, schema)

                for _round in range(5):
                    enter()
                    warm.append(_timed(enter))
                    fleet.installation._cell.execute(_grant(fleet))
                    after.append(_timed(enter))
            said = f"{min(warm):.2f} ms warm, {sorted(after)[2]:.2f} ms after a grant"
            fleet.report.say(f"entering a workspace, of a login with {len(roles)} roles", said)

    def test_idle_workspaces_cost_next_to_nothing(self, fleet: Fleet):
        """Claimed and active, with nothing to do: the dispatcher's rounds are counted, and the processor it takes."""
        claimed = "state = 'claimed', tenant_id = gen_random_uuid(), claimed_at = now()"
        fleet.installation.cell(f"UPDATE cell.slot SET {claimed} WHERE state = 'free'")  # noqa: S608 - as above
        fleet.installation.cell(
            "INSERT INTO cell.tenant (id, state, changed_at) SELECT tenant_id, 'active', now() FROM cell.slot"
        )
        rounds = 0
        databases = fleet.installation.databases
        dispatcher = Dispatcher(databases, None, {}, None, window=8)  # type: ignore[arg-type]  # nothing is sent
        seconds = _IDLE_SECONDS if fleet.count == FULL else 1.0
        owner = psycopg.connect(fleet.cell_url, autocommit=True)
        before, began = _burnt(owner), time.perf_counter()
        until = began + seconds
        while time.perf_counter() < until:
            assert dispatcher.turn(CELL) == 0
            rounds += 1
            threading.Event().wait(POLL)
        share = (_burnt(owner) - before) / (time.perf_counter() - began)
        owner.close()
        fleet.report.say(
            "idle: dispatcher and database together",
            f"{share * 100:.1f} % of one core ({rounds} rounds in {seconds:.0f} s)",
        )
        assert rounds > 0

    def test_an_upgrade_reaches_every_one(self, fleet: Fleet, tmp_path: Path):
        """One column and its index, with plan, rings and records; no soak between the rings."""
        way = make_fleet(fleet.installation, Revisions(tmp_path / "versions").short())
        began = time.perf_counter()
        assert upgrade(way).state == "finished"
        took = time.perf_counter() - began
        fleet.report.say(
            "upgrade: one column and its index", f"{took:.1f} s, {took / fleet.count * 1000:.2f} ms a workspace"
        )
        at = fleet.installation.cell("SELECT revision, count(*) AS n FROM cell.slot GROUP BY revision")
        assert [(row.revision, row.n) for row in at] == [("t_expand", fleet.count)]
        with asking(fleet.cell_url) as connection:
            idle = _timed(lambda: count_below(connection, way, way.tree.head))
        fleet.report.say("upgrade: seeing that there is nothing to do (one query)", f"{idle:.1f} ms")


def _grant(fleet: Fleet) -> bytes:
    """A new workspace's role given to another gateway, as each batch of the pool does."""
    roles = fleet.installation.key.roles
    name = sql.Identifier(f"{roles.prefix}_probe")
    text = "CREATE ROLE {0} NOLOGIN; GRANT {0} TO {1}; DROP ROLE {0}"
    return sql.SQL(text).format(name, sql.Identifier(roles.gateway(1))).as_string(None).encode()


def _touch(connection: psycopg.Connection[Any], role: str, schema: str, tables: list[str]) -> None:
    """Read every table of one workspace in its scope."""
    lines = [f'SELECT count(*) FROM "{name}"' for name in tables]  # noqa: S608 - our own tables
    _enter(connection, role, schema, *lines)


def _enter(connection: psycopg.Connection[Any], role: str, schema: str, *more: str) -> None:
    begin = sql.SQL("BEGIN; SET LOCAL ROLE {}; SET LOCAL search_path = {}").format(
        sql.Identifier(role), sql.Identifier(schema)
    )
    connection.execute(
        "; ".join([begin.as_string(None), *(more or ("SELECT 1 FROM member LIMIT 1",)), "COMMIT"]).encode()
    )


def _memory(connection: psycopg.Connection[Any]) -> int:
    """Bytes that the backend's process holds for itself."""
    pid = connection.info.backend_pid
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return int(fields["RssAnon"].split()[0]) * 1024


def _timed(act: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def _burnt(connection: psycopg.Connection[Any]) -> float:
    """Seconds of processor time that this process and the server's backends of this database have used so far."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    total = own.ru_utime + own.ru_stime
    for (pid,) in connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"):
        try:
            parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            continue
        total += (int(parts[11]) + int(parts[12])) / _HERTZ
    return total
