"""Many threads, many tenants, few connections: each reads its own canary, always, also while others fail."""

from __future__ import annotations

import random
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tenants.sessions import tenant_cursor, tenant_session
from tenants.tenant import Tenant
from tests.factories.peer_house import PeerHouse
from tests.integration.tenants.attacks.conftest import People, canary

THREADS, TURNS = 8, 25
WAYS = ("session", "cursor", "fails", "commits", "rolls back", "lasting", "savepoint")


def turn(house: PeerHouse, tenant: Tenant, way: str) -> Any:
    """One transaction, well behaved or not; what it saw as its tenant."""
    if way == "session":
        with tenant_session(house.databases, tenant, actor="thread") as (session, _entered):
            return session.execute(text("SELECT name FROM member")).scalars().all()
    with tenant_cursor(house.databases, tenant, actor="thread") as (cursor, _entered):
        seen = [row[0] for row in cursor.execute("SELECT name FROM member").fetchall()]
        if way == "fails":
            with suppress(psycopg.Error):
                cursor.execute("SELECT 1/0")
        elif way == "commits":
            cursor.execute("COMMIT")
        elif way == "rolls back":
            cursor.execute("ROLLBACK")
        elif way == "lasting":
            cursor.execute("SET search_path = pg_catalog")
        elif way == "savepoint":
            with suppress(DBAPIError, psycopg.Error), cursor.connection.transaction():
                cursor.execute("SELECT 1/0")
        return seen


class TestManyThreads:
    def test_never_see_another_tenants_row(self, house: PeerHouse, people: People):
        seed = secrets.randbelow(10**6)
        start = threading.Barrier(THREADS)

        def run(number: int) -> set[tuple[Tenant, tuple[str, ...]]]:
            dice = random.Random(seed + number)  # noqa: S311 - no secret
            start.wait(20)
            seen = set()
            for _turn in range(TURNS):
                tenant = dice.choice(people)
                seen.add((tenant, tuple(turn(house, tenant, dice.choice(WAYS)))))
            return seen

        with ThreadPoolExecutor(THREADS) as threads:
            seen = set().union(*threads.map(run, range(THREADS)))
        assert seen == {(tenant, (canary(tenant),)) for tenant in people}, f"seed {seed}"
