"""What the kernel's tests share: a tenant, and names of who is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import Installation
from tests.integration.kernel.work_to_do import body


@pytest.fixture(scope="module")
def pair(shared_installation: Installation) -> tuple[Tenant, Tenant]:
    """Customers of two partners."""
    return shared_installation.two_customers()


@pytest.fixture
def installation(shared_installation: Installation, pair: tuple[Tenant, Tenant]) -> Iterator[Installation]:
    """The module's installation, emptied after each test: ten times faster than a new one."""
    assert pair
    yield shared_installation
    shared_installation.empty()


@pytest.fixture
def acme(pair: tuple[Tenant, Tenant]) -> Tenant:
    """The tenant that works."""
    return pair[0]


@pytest.fixture
def umbrella(pair: tuple[Tenant, Tenant]) -> Tenant:
    """The tenant that must not notice."""
    return pair[1]


@pytest.fixture
def guests(installation: Installation) -> Callable[[Tenant], list[str]]:
    """The names of a tenant's guests in order of arrival: what has really been committed."""

    def names(tenant: Tenant) -> list[str]:
        return [row.name for row in installation.rows(tenant, "SELECT name FROM {}.member ORDER BY person_id")]

    return names


@pytest.fixture(autouse=True)
def _no_left_over_body() -> Iterator[None]:
    yield
    body.clear()


def terminate(backend: int) -> None:
    """End a server process as an administrator would."""
    with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
