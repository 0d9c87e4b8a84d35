"""Installing: from nothing, twice, at once, over an older release's functions, into a database that was open to all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import text

from tenants import metadata
from tenants.engines import InstallationKey
from tenants.schema.install import install, read_key
from tenants.sessions import lookup_session
from tests import cluster
from tests.factories.installation import CELL, GATEWAYS, Installation

_SHAPE = """
    SELECT 'relation', c.oid::regclass::text, c.relkind::text, c.relrowsecurity::text, c.relacl::text
    FROM pg_class c WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('control', 'cell'))
    UNION ALL SELECT 'function', oid::regprocedure::text, pg_get_functiondef(oid), NULL, proacl::text FROM pg_proc
    WHERE pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('control', 'cell'))
    UNION ALL SELECT 'policy', tablename, policyname, qual, with_check FROM pg_policies
    UNION ALL SELECT 'database', datname, NULL, NULL, datacl::text FROM pg_database WHERE datname = current_database()
    ORDER BY 1, 2, 3
"""


@pytest.fixture
def empty() -> Iterator[cluster.Databases]:
    made = cluster.create_databases()
    yield made
    cluster.drop_databases(made)


def run(urls: cluster.Databases, gateways: int = GATEWAYS) -> InstallationKey:
    return install(control_url=urls.control_url, cell_urls={CELL: urls.cell_url}, gateways=gateways)


def shape(urls: cluster.Databases) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for url in urls:
        with psycopg.connect(url) as connection:
            rows += connection.execute(_SHAPE).fetchall()
    return rows


class TestInstall:
    def test_changes_nothing_the_second_time(self, empty: cluster.Databases):
        key = run(empty)
        before = shape(empty)
        assert run(empty) == key == read_key(empty.control_url)
        assert shape(empty) == before

    def test_is_harmless_when_two_start_at_once(self, empty: cluster.Databases):
        start = Barrier(2)

        def one(_number: int) -> InstallationKey:
            start.wait()
            return run(empty)

        with ThreadPoolExecutor(2) as threads:
            first, second = threads.map(one, range(2))
        assert first == second

    def test_adds_gateways_that_a_larger_release_wants(self, empty: cluster.Databases):
        key = run(empty, gateways=2)
        run(empty, gateways=3)
        with psycopg.connect(empty.cell_url) as connection:
            query = "SELECT count(*) FROM pg_roles WHERE rolname LIKE %s"
            assert connection.execute(query, [f"{key.prefix}_gw_%"]).fetchone() == (3,)

    def test_says_what_to_do_where_there_is_no_installation(self, empty: cluster.Databases):
        with pytest.raises(LookupError, match="slipway install"):
            read_key(empty.control_url)

    def test_closes_a_database_that_was_open_to_everybody(self, empty: cluster.Databases):
        """A server of one's own starts so: every login of every tenant could enter, and leave a temporary table."""
        with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
            for url in empty:
                admin.execute(f"GRANT CONNECT, TEMPORARY ON DATABASE {cluster.name_of(url)} TO PUBLIC")
        run(empty)
        for url in empty:
            with psycopg.connect(url) as connection:
                query = "SELECT count(*) FROM pg_database, aclexplode(datacl) a WHERE datname = %s AND a.grantee = 0"
                assert connection.execute(query, [cluster.name_of(url)]).fetchone() == (0,)


class TestAnUpgrade:
    @pytest.fixture
    def declared(self, monkeypatch) -> dict[str, metadata.ControlFunction]:
        """The functions of this release, to be changed by a test."""
        changed = dict(metadata.control_functions)
        monkeypatch.setattr("tenants.schema.policies.control_functions", changed)
        return changed

    def test_replaces_a_function_whose_result_has_another_shape(
        self, installation: Installation, declared: dict[str, metadata.ControlFunction]
    ):
        old = declared["find_hook"]
        declared["find_hook"] = metadata.ControlFunction(
            old.name, old.arguments, "TABLE (tenant_id uuid)", "SELECT h.tenant_id FROM control.hook h LIMIT 0"
        )
        run(installation.urls)
        with lookup_session(installation.databases) as (session, _now):
            assert list(session.execute(text("SELECT * FROM control.find_hook('x')")).keys()) == ["tenant_id"]

    def test_replaces_a_function_whose_arguments_changed(
        self, installation: Installation, declared: dict[str, metadata.ControlFunction]
    ):
        old = declared["find_hook"]
        declared["find_hook"] = metadata.ControlFunction(
            old.name, "p_token_hash bytea, p_source text", old.returns, old.body
        )
        run(installation.urls)
        query = "SELECT oid::regprocedure::text AS name FROM pg_proc WHERE proname = 'find_hook'"
        assert [row.name for row in installation.control(query)] == ["control.find_hook(bytea,text)"]

    def test_takes_away_a_function_that_is_no_longer_declared(
        self, installation: Installation, declared: dict[str, metadata.ControlFunction]
    ):
        del declared["find_hook"]
        run(installation.urls)
        assert installation.control("SELECT 1 FROM pg_proc WHERE proname = 'find_hook'") == []

    def test_leaves_everybody_at_work_afterwards(
        self, installation: Installation, declared: dict[str, metadata.ControlFunction]
    ):
        acme, _umbrella = installation.two_customers()
        del declared["find_hook"]
        run(installation.urls)
        with installation.work(acme) as work:
            work.enqueue("tests.anything")
        assert len(installation.take()) == 1
