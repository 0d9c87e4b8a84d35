"""Makes or upgrades an installation with the owner's login: roles, the control and cell schemas, rights. Repeatable."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from tenants.engines import InstallationKey, driver_url
from tenants.migrate import upgrade
from tenants.naming import role_password
from tenants.policies import cell_rules, control_rules
from tenants.sessions import DatabaseAway

_LOCK = 7_305_021  # one installer at a time; any number does, as long as it stays this one


class WrongDatabase(LookupError):
    """The URL names a database that serves another purpose here."""


def install(*, control_url: str, cell_urls: Mapping[str, str], gateways: int) -> InstallationKey:
    """Bring both databases to the head of their trees, make the roles, put the rights in place. Returns the key.

    Raises WrongDatabase when the URLs are swapped, DatabaseAway.
    """
    with _owner(control_url) as connection:
        _refuse_beside(connection, "cell", "SLIPWAY_CONTROL_URL names a database that is a cell, full of tenants.")
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS control"))
        upgrade(connection, tree="control", schema="control")
        key = _key(connection)
        _make_roles(connection, key, gateways)
        _apply_rules(connection, "control", control_rules(key.roles))
        _allow_connect(connection, [key.roles.door])
        for name in cell_urls:
            connection.execute(
                text(
                    "INSERT INTO control.cell (name, gateways, state, made_at) VALUES (:name, :gateways, 'open', now())"
                    " ON CONFLICT (name) DO NOTHING"
                ),
                {"name": name, "gateways": gateways},
            )
    for url in cell_urls.values():
        _install_cell(url, key, gateways)
    return key


def read_key(control_url: str) -> InstallationKey:
    """The key of an existing installation. Raises LookupError with the mend when there is none."""
    try:
        with _owner(control_url) as connection:
            row = connection.execute(text("SELECT id, prefix, secret FROM control.installation")).one()
    except ProgrammingError as error:
        raise LookupError("This database holds no Slipway installation yet. Run `slipway install` first.") from error
    return InstallationKey(id=row.id, prefix=row.prefix, secret=bytes(row.secret))


def _install_cell(url: str, key: InstallationKey, gateways: int) -> None:
    with _owner(url) as connection:
        _refuse_beside(connection, "control", "The URL of the cell names a control database.")
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS cell"))
        upgrade(connection, tree="cell", schema="cell")
        connection.execute(
            text("INSERT INTO cell.clock (id, shift) VALUES (1, interval '0') ON CONFLICT (id) DO NOTHING")
        )
        _make_roles(connection, key, gateways)
        _apply_rules(connection, "cell", cell_rules(key.roles))
        logins = [key.roles.dispatcher, key.roles.registry, *(key.roles.gateway(n) for n in range(gateways))]
        _allow_connect(connection, logins)


def _refuse_beside(connection: Connection, schema: str, said: str) -> None:
    """Control and cells are never in one database, not even those of two installations."""
    if connection.execute(text("SELECT to_regnamespace(:schema)"), {"schema": schema}).scalar_one() is not None:
        raise WrongDatabase(f"{said} Look whether the two URLs are swapped. Nothing was changed in it.")


def _key(connection: Connection) -> InstallationKey:
    row = connection.execute(text("SELECT id, prefix, secret FROM control.installation")).one_or_none()
    if row is None:
        made: UUID = uuid4()
        connection.execute(
            text(
                "INSERT INTO control.installation (id, prefix, secret, made_at) VALUES (:id, :prefix, :secret, now())"
            ),
            {"id": made, "prefix": f"slw_{made.hex[:8]}", "secret": secrets.token_bytes(32)},
        )
        return _key(connection)
    return InstallationKey(id=row.id, prefix=row.prefix, secret=bytes(row.secret))


def _make_roles(connection: Connection, key: InstallationKey, gateways: int) -> None:
    """NOINHERIT first: on PostgreSQL 16 and newer a grant keeps the inheritance it was made with."""
    roles = key.roles
    existing = set(connection.execute(text("SELECT rolname FROM pg_roles")).scalars())
    logins = [roles.door, roles.dispatcher, roles.registry, *(roles.gateway(n) for n in range(gateways))]
    for name in logins:
        if name not in existing:
            password = role_password(key.secret, name)
            _run(connection, "CREATE ROLE {role} LOGIN NOINHERIT PASSWORD {password}", role=name, password=password)
            _run(connection, "ALTER ROLE {role} SET timezone = 'UTC'", role=name)
    for name in (roles.partner, roles.app):
        if name not in existing:
            _run(connection, "CREATE ROLE {role} NOLOGIN", role=name)
    if roles.partner not in existing:
        _run(connection, "GRANT {partner} TO {role}", partner=roles.partner, role=roles.door)


def _allow_connect(connection: Connection, logins: list[str]) -> None:
    """Only these may enter: by default everybody may, and may leave a temporary table in a pooled connection."""
    database = connection.execute(text("SELECT current_database()")).scalar_one()
    _run(connection, "REVOKE ALL ON DATABASE {database} FROM PUBLIC", database=database)
    for login in logins:
        _run(connection, "GRANT CONNECT ON DATABASE {database} TO {role}", database=database, role=login)


def _apply_rules(connection: Connection, schema: str, rules: str) -> None:
    """Run the rights script only when its text has changed: it takes locks that a running system would feel."""
    mark = "rules " + hashlib.sha256(rules.encode()).hexdigest()
    known = connection.execute(
        text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :schema"),
        {"schema": schema},
    ).scalar_one()
    if known == mark:
        return
    _script(connection, rules)
    _run(connection, "COMMENT ON SCHEMA {schema} IS {mark}", schema=schema, mark=mark)


def _run(connection: Connection, statement: str, **names: str) -> None:
    literals = {"password", "mark"}
    parts = {k: sql.Literal(v) if k in literals else sql.Identifier(v) for k, v in names.items()}
    composed = sql.SQL(statement).format(**parts)
    _script(connection, composed.as_string(None))


def _script(connection: Connection, statements: str) -> None:
    """Several statements in one message: only the driver, asked without parameters, sends them as they are."""
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # psycopg's own
    driver.execute(statements.encode())


@contextmanager
def _owner(url: str) -> Iterator[Connection]:
    engine = create_engine(driver_url(url), connect_args={"connect_timeout": 10, "prepare_threshold": None})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            connection.execute(text("SET LOCAL lock_timeout = '4s'"))
            yield connection
    except OperationalError as error:
        raise DatabaseAway(f"The database does not answer: {' '.join(str(error.orig).split())}") from error
    finally:
        engine.dispose()
