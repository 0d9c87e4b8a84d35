"""A job, a message or a row with a swapped tenant or cell: nothing runs as somebody else."""

# ruff: noqa: S608 - names of our own schemas
from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.kernel.errors import Missing
from app.kernel.ids import new_id
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.execution import run_job
from app.kernel.queue.jobs import JobRun, job
from tenants.sessions import DatabaseAway, ScopeMismatch, tenant_session
from tenants.tenant import Tenant
from tests.factories.installation import CELL
from tests.factories.peer_house import PeerHouse
from tests.integration.tenants.attacks.conftest import canary, send
from tests.integration.tenants.conftest import DENIED, refused

seen: list[tuple[UUID, list[str]]] = []


@job("attacks.look")
def look(run: JobRun) -> Outcome:
    """Says which tenant it ran in and whose rows it saw there."""
    with run.finish() as work:
        seen.append((work.tenant.id, list(work.session.execute(text("SELECT name FROM member")).scalars())))
    return Done()


@pytest.fixture(autouse=True)
def _nothing_seen(house: PeerHouse) -> None:
    seen.clear()
    house.cell("DELETE FROM cell.job")


def dispatched(house: PeerHouse, tenant: Tenant) -> UUID:
    """A job of the tenant, handed out."""
    with house.work(tenant) as work:
        made = work.enqueue("attacks.look")
    assert [item.job_id for item in house.take()] == [made]
    return made


class TestAMessage:
    def test_with_its_own_tenant_runs_in_it(self, house: PeerHouse, acme: Tenant):
        made = dispatched(house, acme)
        run_job(house.runtime, cell=CELL, tenant_id=acme.id, job_id=made, worker="w")
        assert seen == [(acme.id, [canary(acme)])]

    @pytest.mark.parametrize("whose", ["umbrella", "neighbour", "nobody"])
    def test_with_a_swapped_tenant_runs_nowhere(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant, neighbour: Tenant, whose: str
    ):
        made = dispatched(house, acme)
        swapped = {"umbrella": umbrella.id, "neighbour": neighbour.id, "nobody": new_id()}[whose]
        run_job(house.runtime, cell=CELL, tenant_id=swapped, job_id=made, worker="w")
        assert seen == []
        assert house.job(made).state == "dispatched"

    def test_with_a_swapped_cell_runs_nowhere(self, house: PeerHouse, acme: Tenant):
        made = dispatched(house, acme)
        with pytest.raises((DatabaseAway, Missing, LookupError)):
            run_job(house.runtime, cell="elsewhere", tenant_id=acme.id, job_id=made, worker="w")
        assert seen == []
        assert house.job(made).state == "dispatched"


class TestARow:
    @pytest.mark.parametrize("whose", ["umbrella", "neighbour"])
    @pytest.mark.parametrize("table", ["job", "outbox", "timer", "inbox"])
    def test_is_not_written_under_another_tenants_id(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant, neighbour: Tenant, whose: str, table: str
    ):
        forged = {"umbrella": umbrella, "neighbour": neighbour}[whose].id
        with house.work(acme) as work, refused(DENIED):
            row = {"tenant_id": str(forged), "id": str(new_id())}
            statement = f"INSERT INTO cell.{table} SELECT * FROM jsonb_populate_record(NULL::cell.{table}, :row)"
            work.session.connection().exec_driver_sql(statement.replace(":row", "%s"), (Jsonb(row),))
        assert house.cell(f"SELECT 1 FROM cell.{table} WHERE tenant_id = %s", forged) == []

    def test_moved_to_another_tenant_runs_with_that_ones_eyes_only(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant
    ):
        """Only the owner could do that. Even then the job sees the tenant of its row, never the one it was made for."""
        made = dispatched(house, acme)
        house.cell("UPDATE cell.job SET tenant_id = %s WHERE id = %s", umbrella.id, made)
        run_job(house.runtime, cell=CELL, tenant_id=acme.id, job_id=made, worker="w")
        assert seen == []
        run_job(house.runtime, cell=CELL, tenant_id=umbrella.id, job_id=made, worker="w")
        assert seen == [(umbrella.id, [canary(umbrella)])]

    @pytest.mark.parametrize(
        "statement", ["SELECT cell.finish_job('{0}', 1, 'done', NULL, NULL)", "SELECT cell.holds_job('{0}', 1)"]
    )
    def test_of_another_is_not_finished_by_its_id(
        self, house: PeerHouse, acme: Tenant, umbrella: Tenant, statement: str
    ):
        made = dispatched(house, umbrella)
        house.cell("UPDATE cell.job SET state = 'running', epoch = 1 WHERE id = %s", made)
        assert send(house, acme, statement.format(made)) in ([(None,)], [(False,)])
        assert house.job(made).state == "running"


class TestATenantValue:
    @pytest.mark.parametrize("field", ["role", "schema", "gateway", "id", "cell"])
    def test_with_one_thing_swapped_enters_nothing_of_the_other(
        self, house: PeerHouse, acme: Tenant, neighbour: Tenant, umbrella: Tenant, field: str
    ):
        other = umbrella if field == "gateway" else neighbour
        value = "elsewhere" if field == "cell" else getattr(other, field)
        swapped: dict[str, Any] = {field: value}
        lie = replace(acme, **swapped)
        refusals = (ScopeMismatch, DatabaseAway, psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedTable)
        with (
            pytest.raises((*refusals, DBAPIError)) as caught,
            tenant_session(house.databases, lie, actor="x") as (one, _),
        ):
            one.execute(text("SELECT name FROM member"))
        assert isinstance(getattr(caught.value, "orig", caught.value), refusals)
        with pytest.raises(refusals):
            send(house, lie, "SELECT name FROM member")
