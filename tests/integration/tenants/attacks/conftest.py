"""One house for each server, two partners' tenants and a neighbour behind the same gateway, each with a canary row.

`make test` runs the whole list on our own PostgreSQL 18 and on another maker's 16, and through PgBouncer before his 18
what is about connections; `make soak ONLY=attacks` the rest. After each attack the next user of the connection is
looked at.
"""

# ruff: noqa: S608 - names of our own schemas
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tenants.sessions import tenant_cursor
from tenants.tenant import Tenant
from tests.factories.installation import CELL
from tests.factories.peer_house import PEERS, PeerHouse, open_house

CANARY = (
    "INSERT INTO {}.member (person_id, email, name, role, locale, state, invited_at)"
    " VALUES (gen_random_uuid(), 'canary@example.com', '{}', 'owner', 'en', 'active', now())"
)
MAKE_TEST = len(PEERS) - 1  # the rest only in soak


RIGHTS = {"test_every_table", "test_other_tenants", "test_powers"}  # what a role may: a bouncer has no part in that


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Attacks on rights go through the bouncer in soak only."""
    for item in items:
        if "[pgbouncer" in item.name and item.path.stem in RIGHTS and item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.soak)


class People(NamedTuple):
    """Who attacks and who is attacked."""

    acme: Tenant
    umbrella: Tenant
    neighbour: Tenant


@pytest.fixture(
    scope="session",
    params=[*PEERS[:MAKE_TEST], *(pytest.param(peer, marks=pytest.mark.soak) for peer in PEERS[MAKE_TEST:])],
)
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PeerHouse]:
    """An installation on one server."""
    with open_house(request.param, tmp_path_factory.mktemp("peer")) as opened:
        yield opened


@pytest.fixture(scope="session")
def people(house: PeerHouse) -> People:
    """Tenants with a canary each; the neighbour shares the attacker's gateway."""
    acme, umbrella = house.two_customers()
    assert acme.gateway != umbrella.gateway
    partner = house.partner("Neighbours")
    made = (house.customer(partner, f"Neighbour {number}") for number in range(9))
    neighbour = next(tenant for tenant in made if tenant.gateway == acme.gateway)
    for tenant in (acme, umbrella, neighbour):
        house.cell(CANARY.format(tenant.schema, canary(tenant)))
    return People(acme, umbrella, neighbour)


@pytest.fixture(scope="session")
def acme(people: People) -> Tenant:
    """The attacker."""
    return people.acme


@pytest.fixture(scope="session")
def umbrella(people: People) -> Tenant:
    """The attacked, behind another gateway."""
    return people.umbrella


@pytest.fixture(scope="session")
def neighbour(people: People) -> Tenant:
    """The next user of the attacker's connections."""
    return people.neighbour


@pytest.fixture(autouse=True)
def _nobody_else_notices(house: PeerHouse, people: People) -> Iterator[None]:
    yield
    engine = house.databases.cells[CELL].gateways[people.neighbour.gateway]
    for _connection in range(engine.pool.size()):  # type: ignore[attr-defined]  # a QueuePool
        check_unharmed(house, people.neighbour)
    check_unharmed(house, people.umbrella)


def canary(tenant: Tenant) -> str:
    """The one row that only this tenant may ever see."""
    return f"canary of {tenant.id}"


def check_unharmed(house: PeerHouse, tenant: Tenant) -> None:
    """The tenant sees its own row and no other, in its own role and settings, and can write."""
    with tenant_cursor(house.databases, tenant, actor="next") as (cursor, entered):
        cursor.execute(f"{_AROUND}; SELECT name FROM member; UPDATE member SET locale = locale")
        around = cursor.fetchone()
        cursor.nextset()
        names = cursor.fetchall()
        cursor.nextset()
        assert (entered.tenant_id, around) == (tenant.id, (tenant.role, tenant.schema, *_EXPECTED))
        assert (names, cursor.rowcount) == ([(canary(tenant),)], 1)


def send(house: PeerHouse, tenant: Tenant, *statements: str) -> list[tuple[object, ...]]:
    """Send SQL as it is, as an injected statement would be; the rows of the last one."""
    with tenant_cursor(house.databases, tenant, actor="attack") as (cursor, _entered):
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


_AROUND = (
    "SELECT current_user::text, current_setting('search_path'), current_setting('statement_timeout'),"
    " current_setting('lock_timeout'), current_setting('app.actor'), current_setting('TimeZone'),"
    " current_setting('transaction_isolation'), current_setting('transaction_read_only'),"
    " current_setting('row_security'), current_setting('standard_conforming_strings'),"
    " COALESCE(current_setting('app.organisation', true), ''), (SELECT count(*) FROM pg_cursors WHERE is_holdable)"
)
_EXPECTED = ("5s", "3s", "next", "UTC", "read committed", "off", "on", "on", "", 0)
