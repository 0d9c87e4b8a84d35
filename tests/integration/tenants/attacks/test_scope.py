"""No scope, a scope that is over, a scope that was never begun: refused by us where we see it, by PostgreSQL always."""

# ruff: noqa: S608, PT012 - the statements are the attack; a scope needs a body to be broken in
from __future__ import annotations

from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from tenants.line import OutsideScope
from tenants.sessions import tenant_cursor, tenant_scope, tenant_session
from tenants.tenant import Tenant
from tests.factories.installation import CELL
from tests.factories.peer_house import PeerHouse
from tests.integration.tenants.conftest import DENIED, UNKNOWN_TABLE, refused


@pytest.fixture
def engine(house: PeerHouse, acme: Tenant) -> Engine:
    """The pool of the attacker's gateway."""
    return house.databases.cells[CELL].gateways[acme.gateway]


class TestAForgottenScope:
    @pytest.mark.parametrize("options", [{}, {"isolation_level": "AUTOCOMMIT"}, {"isolation_level": "SERIALIZABLE"}])
    def test_fails_before_anything_is_sent(self, engine: Engine, acme: Tenant, options: dict[str, Any]):
        with pytest.raises(KeyError, match="scope"), Session(engine.execution_options(**options)) as session:
            session.execute(text(f"SELECT * FROM {acme.schema}.member"))

    @pytest.mark.parametrize("statement", ["SELECT * FROM {}.member", "SELECT * FROM cell.job", "TABLE cell.slot"])
    def test_reads_nothing_past_the_engine_either(self, engine: Engine, acme: Tenant, statement: str):
        pooled = engine.raw_connection()
        try:
            with refused(DENIED):
                pooled.cursor().execute(statement.format(acme.schema))
            with refused(UNKNOWN_TABLE):
                pooled.cursor().execute("SELECT * FROM member")
        finally:
            pooled.close()

    def test_reads_nothing_in_a_transaction_begun_by_hand(self, engine: Engine, acme: Tenant):
        pooled = engine.raw_connection()
        try:
            pooled.cursor().execute("BEGIN")
            with refused(DENIED):
                pooled.cursor().execute(f"SELECT * FROM {acme.schema}.member")
        finally:
            pooled.close()


class TestAScopeThatIsOver:
    @pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK", "COMMIT AND NO CHAIN"])
    def test_takes_no_further_statement_of_the_session(self, house: PeerHouse, acme: Tenant, end: str):
        with pytest.raises(OutsideScope), tenant_session(house.databases, acme, actor="attack") as (session, _entered):
            session.execute(text(end))
            session.execute(text("SELECT 1"))

    @pytest.mark.parametrize("way", ["execute", "executemany", "stream", "copy"])
    def test_takes_no_further_statement_of_the_cursor(self, house: PeerHouse, acme: Tenant, way: str):
        sent: dict[str, Any] = {
            "execute": lambda cursor: cursor.execute("SELECT 1"),
            "executemany": lambda cursor: cursor.executemany("SELECT %s", [(1,), (2,)]),
            "stream": lambda cursor: list(cursor.stream("SELECT 1")),
            "copy": lambda cursor: cursor.copy("COPY (SELECT 1) TO STDOUT").__enter__(),
        }
        with pytest.raises(OutsideScope), tenant_cursor(house.databases, acme, actor="attack") as (cursor, _entered):
            cursor.execute("COMMIT")
            sent[way](cursor)

    @pytest.mark.parametrize("way", ["execute", "executemany", "stream", "copy"])
    def test_takes_every_kind_of_statement_before_its_end(self, house: PeerHouse, acme: Tenant, way: str):
        with tenant_cursor(house.databases, acme, actor="test") as (cursor, _entered):
            if way == "execute":
                assert cursor.execute("SELECT 1").fetchall() == [(1,)]
            elif way == "executemany":
                cursor.executemany("SELECT %s::int", [(1,), (2,)])
            elif way == "stream":
                assert list(cursor.stream("SELECT 1")) == [(1,)]
            else:
                with cursor.copy("COPY (SELECT 1) TO STDOUT") as rows:
                    assert [bytes(row) for row in rows] == [b"1\n"]

    def test_reads_nothing_past_our_own_refusal_either(self, house: PeerHouse, acme: Tenant):
        with refused(DENIED), tenant_cursor(house.databases, acme, actor="attack") as (cursor, _entered):
            cursor.execute("COMMIT")
            cursor.connection.execute(f"SELECT * FROM {acme.schema}.member")

    def test_leaves_no_local_setting_behind(self, house: PeerHouse, acme: Tenant):
        with tenant_cursor(house.databases, acme, actor="attack") as (cursor, _entered):
            cursor.execute("COMMIT")
            row = cursor.connection.execute("SELECT current_user::text, current_setting('app.actor', true)").fetchone()
        assert row in {(house.key.roles.gateway(acme.gateway), ""), (house.key.roles.gateway(acme.gateway), None)}

    def test_of_another_transaction_is_not_continued_by_and_chain(self, house: PeerHouse, acme: Tenant):
        """A chained transaction has no role any more: it is a transaction without a scope."""
        with refused(DENIED), tenant_cursor(house.databases, acme, actor="attack") as (cursor, _entered):
            cursor.execute("COMMIT AND CHAIN")
            cursor.execute(f"SELECT * FROM {acme.schema}.member")


class TestAnotherIsolationLevel:
    @pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED"])
    def test_is_refused_before_the_driver_begins_a_transaction_of_its_own(
        self, engine: Engine, acme: Tenant, level: str
    ):
        scoped = engine.execution_options(scope=tenant_scope(acme, "attack"), isolation_level=level)
        for _pooled in range(3):
            with pytest.raises(OutsideScope), Session(scoped) as session:
                session.execute(text("SELECT 1"))

    def test_called_autocommit_is_a_transaction_all_the_same(self, house: PeerHouse, engine: Engine, acme: Tenant):
        scoped = engine.execution_options(scope=tenant_scope(acme, "attack"), isolation_level="AUTOCOMMIT")
        with Session(scoped) as session:
            assert session.execute(text("SELECT current_user")).scalar_one() == acme.role
            session.execute(text("UPDATE member SET name = 'mallory'"))
            session.rollback()
        assert house.rows(acme, "SELECT 1 FROM {}.member WHERE name = 'mallory'") == []

    def test_leaves_the_driver_as_it_was(self, engine: Engine):
        for _pooled in range(3):
            pooled = engine.raw_connection()
            try:
                assert pooled.driver_connection is not None
                assert pooled.driver_connection.autocommit
            finally:
                pooled.close()


class TestAnInvalidScope:
    def test_leaves_the_connection_to_the_next(self, house: PeerHouse, acme: Tenant, umbrella: Tenant, engine: Engine):
        """A BEGIN whose role is refused has begun a transaction all the same: it must not go back into the pool."""
        scoped = engine.execution_options(scope=tenant_scope(umbrella, "attack"))
        for _pooled in range(3):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), Session(scoped) as session:
                session.execute(text("SELECT 1"))
