"""The tests' own cluster: fresh databases fast, and nothing left when a test process is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import psycopg
import pytest
import redis

from tests.cluster import cluster, create_databases, drop_databases, fresh_redis_url
from tests.integration.demo.runs import ROOT, environment, nothing_lives


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


class TestDatabases:
    def test_are_two_and_fresh_each_time(self):
        first, second = create_databases(), create_databases()
        names = {execute(url, "SELECT current_database()")[0][0] for url in (*first, *second)}
        assert len(names) == 4
        execute(first.control_url, "CREATE SCHEMA x")
        assert not execute(second.control_url, "SELECT 1 FROM pg_namespace WHERE nspname = 'x'")
        drop_databases(first)
        drop_databases(second)

    def test_can_be_copies(self):
        template = create_databases()
        execute(template.cell_url, "CREATE TABLE kept AS SELECT 1 AS n")
        copy = create_databases(template)
        assert execute(copy.cell_url, "SELECT n FROM kept") == [(1,)]
        drop_databases(copy)
        drop_databases(template)

    def test_are_dropped_under_the_feet_of_whoever_is_connected(self):
        databases = create_databases()
        with psycopg.connect(databases.control_url) as connection:
            drop_databases(databases)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        drop_databases(databases)  # twice is fine

    def test_belong_to_a_login_without_superuser(self):
        databases = create_databases()
        query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        assert execute(databases.cell_url, query) == [(False,)]
        drop_databases(databases)


class TestRedis:
    def test_is_empty_and_ones_own(self):
        with redis.Redis.from_url(fresh_redis_url()) as one, redis.Redis.from_url(fresh_redis_url()) as two:
            one.set("x", 1)
            assert two.dbsize() == 0


class TestProcess:
    @pytest.mark.parametrize("length", [0, 120], ids=["a short path", "a long path"])
    def test_that_is_killed_leaves_nothing(self, tmp_path, length):
        temporary = tmp_path / ("t" * length or "t")
        temporary.mkdir()
        command = [sys.executable, "-m", "tests.integration.demo.tiny", "throwaway"]
        variables = {**environment(), "TMPDIR": str(temporary)}
        with subprocess.Popen(command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, text=True) as program:
            assert program.stdout is not None
            sockets = Path(unquote(program.stdout.readline().strip().split("host=")[1]))
            assert sockets.is_dir()
            program.kill()
        assert nothing_lives(temporary) < 10
        parent = temporary / f"slipway-tests-{os.geteuid()}"
        left = {path.name for path in parent.iterdir()}
        # The next test process sweeps what the killed one could not.
        script = "from tests.cluster import cluster; cluster()"
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=variables, check=True, timeout=60)
        assert len(left) == 2
        assert {path.name for path in parent.iterdir()} == {"lock"}
        assert not sockets.exists()

    def test_has_one_cluster(self):
        assert cluster() is cluster()
