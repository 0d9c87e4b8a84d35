"""Two tenants of two partners, and two more that share a gateway: made once for each module of attacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError

from tenants.tenant import Tenant
from tests.factories.installation import Installation


@contextmanager
def refused(*sqlstates: str) -> Iterator[None]:
    """What is inside must be refused by PostgreSQL itself, with one of these states."""
    with pytest.raises((psycopg.Error, DBAPIError)) as caught:
        yield
    error = caught.value.orig if isinstance(caught.value, DBAPIError) else caught.value
    assert getattr(error, "sqlstate", None) in sqlstates, f"{error!r}"


DENIED = "42501"
UNKNOWN_TABLE = "42P01"


@pytest.fixture(scope="module")
def house(shared_installation: Installation) -> Installation:
    """The installation of this module."""
    return shared_installation


@pytest.fixture(scope="module")
def pair(house: Installation) -> tuple[Tenant, Tenant]:
    """Two customers of two partners, each behind a gateway of its own."""
    acme, umbrella = house.two_customers()
    assert acme.gateway != umbrella.gateway
    return acme, umbrella


@pytest.fixture(scope="module")
def acme(pair: tuple[Tenant, Tenant]) -> Tenant:
    """The attacker."""
    return pair[0]


@pytest.fixture(scope="module")
def umbrella(pair: tuple[Tenant, Tenant]) -> Tenant:
    """The attacked."""
    return pair[1]


@pytest.fixture(scope="module")
def neighbour(house: Installation, acme: Tenant) -> Tenant:
    """A tenant that shares the attacker's gateway, and so its pooled connections."""
    partner = house.partner("Neighbours")
    for number in range(8):
        tenant = house.customer(partner, f"Neighbour {number}")
        if tenant.gateway == acme.gateway:
            return tenant
    raise AssertionError("slots are not spread over the gateways")
