"""More who work than connections: whoever waits for one gets it, or is told after as long as their program waits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from app.bootstrap.wiring import patience_of
from app.vault.rules import Program
from tenants.engines import Databases
from tenants.sessions import DatabaseAway, tenant_session
from tenants.tenant import Tenant
from tests.factories.installation import Installation, make_databases

CONNECTIONS = 2  # of one gateway, in one process


@contextmanager
def all_in_use(databases: Databases, tenant: Tenant, *, seconds: float) -> Iterator[None]:
    """Every connection to the tenant's gateway is at work for so long."""
    with ExitStack() as stack:
        for _connection in range(CONNECTIONS):
            stack.enter_context(tenant_session(databases, tenant, actor="job:busy"))
        freed = stack.pop_all()
    timer = threading.Timer(seconds, freed.close)
    timer.start()
    yield
    timer.join()


@pytest.mark.parametrize(("patience", "served"), [(0.1, False), (5.0, True)])
def test_is_as_long_as_the_program_says(installation: Installation, acme: Tenant, patience: float, *, served: bool):
    databases = make_databases(installation.urls, installation.key, patience=patience)
    try:
        with all_in_use(databases, acme, seconds=0.6), ExitStack() as stack:
            if not served:
                stack.enter_context(pytest.raises(DatabaseAway))
            with tenant_session(databases, acme, actor="job:waits"):
                pass
    finally:
        databases.close()


def test_of_a_worker_is_longer_than_that_of_somebody_who_waits_for_an_answer():
    assert patience_of(Program.WORKER) > patience_of(Program.WEB)
