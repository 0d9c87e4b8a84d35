"""Rows that cross tenants: a tenant may add fresh ones of its own, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from app.kernel.ids import new_id
from tenants.metadata import CellRecord
from tenants.schema.marks import MARKS, mark_name
from tenants.sessions import tenant_cursor
from tenants.tenant import Tenant
from tests.factories.installation import Installation
from tests.integration.tenants.conftest import DENIED, refused

MARKED = [mark_name(table) for table in MARKS if table.startswith("cell.")]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
FRESH: dict[str, dict[str, Any]] = {
    "outbox": {"type": "x.happened", "state": "new", "trace_id": "t", "created_at": NOW},
    "job": {
        "kind": "x.do",
        "queue": "default",
        "args": "{}",
        "dedupe_key": "k",
        "run_at": NOW,
        "state": "ready",
        "attempts": 0,
        "epoch": 0,
        "trace_id": "t",
        "created_at": NOW,
    },
    "timer": {
        "kind": "x.due",
        "subject_id": UUID(int=1),
        "version": 1,
        "args": "{}",
        "due_at": NOW,
        "state": "waiting",
        "trace_id": "t",
        "created_at": NOW,
    },
    "inbox": {"source": "hubspot", "external_id": "1", "received_at": NOW},
    "trail_mark": {"entries": "[]", "made_at": NOW},
    "listener": {"endpoint_id": new_id(), "patterns": "[]", "ordered": False},
    "trail_head": {"size": 0, "root": "00", "note": None, "changed_at": NOW},
}

STALE: list[tuple[str, dict[str, Any]]] = [
    ("outbox", {"state": "relayed"}),
    ("job", {"state": "done", "finished_at": NOW}),
    ("job", {"state": "done"}),
    ("job", {"state": "failed"}),
    ("job", {"state": "running", "worker": "w", "lease_until": NOW}),
    ("job", {"state": "dispatched"}),
    ("job", {"epoch": 7}),
    ("job", {"attempts": -100}),
    ("job", {"worker": "w"}),
    ("job", {"finished_at": NOW}),
    ("job", {"lease_until": NOW}),
    ("timer", {"state": "fired"}),
    ("timer", {"fired_at": NOW}),
]


def insert(house: Installation, tenant: Tenant, table: str, *, tail: str = "", **changed: Any) -> int:
    """Insert one row into a cell table as the tenant; how many rows were taken."""
    row = {"tenant_id": tenant.id, "id": new_id(), **FRESH[table], **changed}
    if table == "job":
        row["dedupe_key"] = changed.get("dedupe_key", str(row["id"]))
    if table == "inbox":
        row["external_id"] = changed.get("external_id", str(row["id"]))
    if table == "listener":
        row["endpoint_id"] = row["id"]
    if table in {"trail_head", "listener"}:  # rows that are named by something else
        row = {name: value for name, value in row.items() if name in FRESH[table] or name == "tenant_id"}
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({}) {}").format(
        sql.Identifier("cell", table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() for _ in row),
        sql.SQL(tail),
    )
    with tenant_cursor(house.databases, tenant, actor="attack") as (cursor, _entered):
        return cursor.execute(statement, list(row.values())).rowcount


def mark(house: Installation, tenant: Tenant, function: str, table: str, **changed: Any) -> None:
    """Leave one row among a change's marks, as the tenant."""
    made = {"tenant_id": tenant.id, "id": new_id(), **FRESH[table], **changed}
    row = {name: json.loads(value) if name in {"args", "entries"} else value for name, value in made.items()}
    with tenant_cursor(house.databases, tenant, actor="attack") as (cursor, _entered):
        whose = ", NULL::trail" if function == "write_marks" else ""
        cursor.execute(f"SELECT cell.{function}(%s::jsonb{whose})", [json.dumps({table: [row]}, default=str)])


class TestACellRow:
    def test_has_a_case_here_for_every_table_that_tenants_write(self):
        owned = {t.name for t in CellRecord.metadata.sorted_tables if "tenant_id" in t.c} - {
            "slot",
            "partner_listener",
        }  # those are written by the platform alone
        assert owned == set(FRESH)

    @pytest.mark.parametrize("table", FRESH)
    def test_is_taken_for_the_tenant_itself(self, house: Installation, acme: Tenant, table: str):
        assert insert(house, acme, table) == 1

    @pytest.mark.parametrize("table", FRESH)
    def test_is_refused_under_another_tenants_id(self, house: Installation, acme: Tenant, umbrella: Tenant, table: str):
        with refused(DENIED):
            insert(house, acme, table, tenant_id=umbrella.id)
        with refused(DENIED):
            insert(house, acme, table, tenant_id=umbrella.id, tail="ON CONFLICT DO NOTHING")

    @pytest.mark.parametrize("table", FRESH)
    def test_is_not_read_back(self, house: Installation, acme: Tenant, table: str):
        with refused(DENIED):
            insert(house, acme, table, tail="RETURNING tenant_id")
        with refused(DENIED):
            key = ", ".join(c.name for c in CellRecord.metadata.tables[f"cell.{table}"].primary_key)
            insert(house, acme, table, tail=f"ON CONFLICT ({key}) DO NOTHING")

    @pytest.mark.parametrize(("table", "changed"), STALE)
    def test_is_refused_unless_fresh(self, house: Installation, acme: Tenant, table: str, changed: dict[str, Any]):
        with refused(DENIED):
            insert(house, acme, table, **changed)

    def test_tells_nothing_of_another_tenants_keys(self, house: Installation, acme: Tenant, umbrella: Tenant):
        shared = {"id": new_id(), "dedupe_key": "same", "external_id": "same"}
        for tenant in (acme, umbrella):
            assert insert(house, tenant, "job", id=shared["id"], dedupe_key="same") == 1
            assert insert(house, tenant, "inbox", id=shared["id"], external_id="same") == 1
            assert insert(house, tenant, "outbox", id=shared["id"]) == 1
            assert insert(house, tenant, "timer", id=shared["id"]) == 1


class TestMarksThatTheCellDoesNotKnow:
    def test_are_refused_whole_and_not_forgotten_in_silence(self, house: Installation, acme: Tenant):
        """A program of a later release before `slipway install`: its change fails, and its jobs come again."""
        rows = json.dumps({"outbox": [], "postcard": [{"id": 1}]})
        with (
            pytest.raises(psycopg.errors.UndefinedTable, match="slipway install"),
            tenant_cursor(house.databases, acme, actor="attack") as (cursor, _entered),
        ):
            cursor.execute("SELECT cell.write_marks(%s::jsonb, NULL::trail)", [rows])


@pytest.mark.parametrize("function", ["write_marks", "write_cell_marks"])
class TestAMark:
    """Written with the owner's rights, and held to what the tenant's own role may insert."""

    @pytest.mark.parametrize("table", MARKED)
    def test_is_taken_for_the_tenant_itself(self, house: Installation, acme: Tenant, function: str, table: str):
        mark(house, acme, function, table, id=(made := new_id()), dedupe_key=str(made))
        assert len(house.cell(f"SELECT FROM cell.{table} WHERE tenant_id = %s AND id = %s", acme.id, made)) == 1

    @pytest.mark.parametrize("table", MARKED)
    @pytest.mark.parametrize("whose", ["another", "nobody"])
    def test_is_refused_under_another_tenants_id(
        self, house: Installation, acme: Tenant, umbrella: Tenant, function: str, table: str, whose: str
    ):
        with refused(DENIED):
            mark(house, acme, function, table, tenant_id=umbrella.id if whose == "another" else None)

    @pytest.mark.parametrize(("table", "changed"), STALE)
    def test_is_refused_unless_fresh(
        self, house: Installation, acme: Tenant, function: str, table: str, changed: dict[str, Any]
    ):
        with refused(DENIED):
            mark(house, acme, function, table, **changed)


class TestFinishJob:
    @pytest.fixture
    def running(self, house: Installation, umbrella: Tenant) -> UUID:
        job_id = new_id()
        insert(house, umbrella, "job", id=job_id)
        house.cell("UPDATE cell.job SET state = 'running', epoch = 1, worker = 'w' WHERE id = %s", job_id)
        return job_id

    def test_does_nothing_to_another_tenants_job(self, house: Installation, acme: Tenant, running: UUID):
        with tenant_cursor(house.databases, acme, actor="attack") as (cursor, _entered):
            assert cursor.execute("SELECT cell.holds_job(%s, 1)", [running]).fetchone() == (False,)
            finish = "SELECT cell.finish_job(%s, 1, 'done', NULL, NULL)"
            assert cursor.execute(finish, [running]).fetchone() == (None,)
        assert house.job(running).state == "running"

    def test_does_nothing_at_another_epoch(self, house: Installation, umbrella: Tenant, running: UUID):
        with tenant_cursor(house.databases, umbrella, actor="late") as (cursor, _entered):
            for epoch in (0, 2):
                finish = "SELECT cell.finish_job(%s, %s, 'done', NULL, NULL)"
                assert cursor.execute(finish, [running, epoch]).fetchone() == (None,)
        assert house.job(running).state == "running"

    def test_finishes_once(self, house: Installation, umbrella: Tenant, running: UUID):
        with tenant_cursor(house.databases, umbrella, actor="worker") as (cursor, _entered):
            finish = "SELECT cell.finish_job(%s, 1, 'done', NULL, NULL)"
            assert cursor.execute(finish, [running]).fetchone() == (True,)
            assert cursor.execute(finish, [running]).fetchone() == (None,)

    @pytest.mark.parametrize("state", ["running", "dispatched", "whatever"])
    def test_ends_in_no_state_that_only_the_dispatcher_gives(
        self, house: Installation, umbrella: Tenant, running: UUID, state: str
    ):
        with tenant_cursor(house.databases, umbrella, actor="worker") as (cursor, _entered):
            finish = "SELECT cell.finish_job(%s, 1, %s, NULL, NULL)"
            assert cursor.execute(finish, [running, state]).fetchone() == (None,)
        assert house.job(running).state == "running"
