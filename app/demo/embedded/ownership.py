"""What the superuser does, and nothing else: a login that is no superuser, and databases only it may enter."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from psycopg import sql


def install_owner(admin_url: str, owner: str, password: str, databases: Iterable[str]) -> None:
    """Make whatever is missing; repeatable after a kill at any point."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        _role(admin, owner, password)
        known = {row[0] for row in admin.execute("SELECT datname FROM pg_database")}
        for database in databases:
            if database not in known:
                create_database(admin, database, owner=owner)
            close_to_public(admin, database)
        for database in ("postgres", "template1"):
            close_to_public(admin, database)


def create_database(admin: psycopg.Connection[tuple[object, ...]], database: str, *, owner: str) -> None:
    """An empty database."""
    statement = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0")
    admin.execute(statement.format(sql.Identifier(database), sql.Identifier(owner)))


def close_to_public(admin: psycopg.Connection[tuple[object, ...]], database: str) -> None:
    """Only who is granted CONNECT may enter: else every gateway could look into every database of the server."""
    admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database)))


def _role(admin: psycopg.Connection[tuple[object, ...]], owner: str, password: str) -> None:
    verifier = admin.pgconn.encrypt_password(password.encode(), owner.encode(), b"scram-sha-256").decode()
    known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner]).fetchone()
    statement = "ALTER ROLE {} LOGIN CREATEROLE PASSWORD {}" if known else "CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}"
    admin.execute(sql.SQL(statement).format(sql.Identifier(owner), sql.Literal(verifier)))
