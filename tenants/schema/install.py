"""Makes or upgrades an installation with the owner's logins: roles, control and cell schemas, rights. Repeatable."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import NoResultFound, OperationalError, ProgrammingError

from tenants.engines import InstallationKey, driver_url
from tenants.naming import role_password
from tenants.schema.migrate import upgrade
from tenants.schema.policies import cell_rules, control_rules
from tenants.sessions import DatabaseAway

_LOCK = 7_305_021  # one installer at a time; any number does, as long as it stays this one


class WrongDatabase(LookupError):
    """The URL names a database that serves another purpose here."""


@dataclass(frozen=True, slots=True)
class NewCell:
    """What is said of a cell when it is added: where it is, whom it takes, how many. Null: no region, all, no bound."""

    name: str
    region: str | None = None
    plans: Sequence[str] | None = None
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An installation as its control database knows it."""

    key: InstallationKey
    cells: frozenset[str]
    gateways: int  # as many as any cell has; buckets never become fewer


def install(*, control_url: str, cell_urls: Mapping[str, str], gateways: int) -> InstallationKey:
    """Bring control and these cells to the head of their trees, make the roles, put the rights in place.

    A cell that is not registered yet is registered, open to everybody. Returns the installation's key. Raises
    WrongDatabase when URLs are swapped, or a cell is another installation's or another cell; DatabaseAway.
    """
    with open_owner(control_url) as connection:
        _refuse_beside(connection, "cell", "SLIPWAY_CONTROL_URL names a database that is a cell, full of tenants.")
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS control"))
        upgrade(connection, tree="control", schema="control")
        key = _key(connection)
        gateways = max(gateways, _read_standing(connection).gateways)
        _make_roles(connection, key, gateways)
        _apply_rules(connection, "control", control_rules(key.roles))
        _allow_connect(connection, [key.roles.door])
    for name, url in cell_urls.items():
        _install_cell(url, key, name, gateways)
    with open_owner(control_url) as connection:  # only what stands is registered: placement would choose it at once
        for name in cell_urls:
            _register(connection, NewCell(name), gateways)
    return key


def add_cell(*, control_url: str, url: str, cell: NewCell, gateways: int) -> None:
    """Make one more cell and register it. Repeatable; said again with other words, those hold from then on.

    Raises WrongDatabase, DatabaseAway, LookupError where there is no installation yet.
    """
    standing = read_installation(control_url)
    gateways = max(gateways, standing.gateways)
    _install_cell(url, standing.key, cell.name, gateways)
    with open_owner(control_url) as connection:
        _register(connection, cell, gateways)
        connection.execute(
            text("UPDATE control.cell SET region = :region, plans = :plans, capacity = :capacity WHERE name = :name"),
            {
                "name": cell.name,
                "region": cell.region,
                "plans": None if cell.plans is None else Jsonb(list(cell.plans)),
                "capacity": cell.capacity,
            },
        )


def set_cell_state(control_url: str, name: str, state: str) -> None:
    """Open or close a cell for new tenants; those it has stay. Raises LookupError when there is no such cell."""
    with open_owner(control_url) as connection:
        changed = connection.execute(
            text("UPDATE control.cell SET state = :state WHERE name = :name"), {"name": name, "state": state}
        )
        if not changed.rowcount:
            raise LookupError(f"There is no cell called {name}. `slipway cells list` shows those there are.")


def read_installation(control_url: str) -> Standing:
    """What the control database says of itself. Raises LookupError with the mend when there is no installation."""
    try:
        with open_owner(control_url) as connection:
            return _read_standing(connection)
    except (ProgrammingError, NoResultFound) as error:
        raise LookupError("This database holds no Slipway installation yet. Run `slipway install` first.") from error


def read_key(control_url: str) -> InstallationKey:
    """The key of an existing installation. Raises LookupError with the mend when there is none."""
    return read_installation(control_url).key


def _read_standing(connection: Connection) -> Standing:
    row = connection.execute(text("SELECT id, prefix, secret FROM control.installation")).one()
    cells = connection.execute(text("SELECT name, gateways FROM control.cell")).all()
    return Standing(
        key=InstallationKey(id=row.id, prefix=row.prefix, secret=bytes(row.secret)),
        cells=frozenset(cell.name for cell in cells),
        gateways=max((cell.gateways for cell in cells), default=0),
    )


def _register(connection: Connection, cell: NewCell, gateways: int) -> None:
    connection.execute(
        text(
            "INSERT INTO control.cell (name, gateways, state, made_at) VALUES (:name, :gateways, 'open', now())"
            " ON CONFLICT (name) DO UPDATE SET gateways = :gateways"
        ),
        {"name": cell.name, "gateways": gateways},
    )


def _install_cell(url: str, key: InstallationKey, name: str, gateways: int) -> None:
    with open_owner(url) as connection:
        _refuse_beside(connection, "control", f"The URL of the cell {name} names a control database.")
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS cell"))
        upgrade(connection, tree="cell", schema="cell")
        _mark_cell(connection, key, name)
        connection.execute(
            text("INSERT INTO cell.clock (id, shift) VALUES (1, interval '0') ON CONFLICT (id) DO NOTHING")
        )
        _make_roles(connection, key, gateways)
        _apply_rules(connection, "cell", cell_rules(key.roles))
        logins = [key.roles.dispatcher, key.roles.registry, *(key.roles.gateway(n) for n in range(gateways))]
        _allow_connect(connection, logins)


def _mark_cell(connection: Connection, key: InstallationKey, name: str) -> None:
    """A cell belongs to one installation under one name: a URL that leads to another one's tenants is refused."""
    connection.execute(
        text("INSERT INTO cell.mark (id, installation_id, name) VALUES (1, :id, :name) ON CONFLICT (id) DO NOTHING"),
        {"id": key.id, "name": name},
    )
    found = connection.execute(text("SELECT installation_id, name FROM cell.mark WHERE id = 1")).one()
    if found.installation_id != key.id:
        raise WrongDatabase(f"The URL of the cell {name} names a cell of another installation. Nothing was changed.")
    if found.name != name:
        raise WrongDatabase(
            f"The URL of the cell {name} names the cell {found.name}: two names of one cell. Nothing was changed."
        )


def _refuse_beside(connection: Connection, schema: str, said: str) -> None:
    """Control and cells are never in one database, not even those of two installations."""
    if connection.execute(text("SELECT to_regnamespace(:schema)"), {"schema": schema}).scalar_one() is not None:
        raise WrongDatabase(f"{said} Look whether the two URLs are swapped. Nothing was changed in it.")


def _key(connection: Connection) -> InstallationKey:
    if connection.execute(text("SELECT 1 FROM control.installation")).one_or_none() is None:
        made: UUID = uuid4()
        connection.execute(
            text(
                "INSERT INTO control.installation (id, prefix, secret, made_at) VALUES (:id, :prefix, :secret, now())"
            ),
            {"id": made, "prefix": f"slw_{made.hex[:8]}", "secret": secrets.token_bytes(32)},
        )
    return _read_standing(connection).key


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
    for name in (roles.partner, roles.app, roles.founder):
        if name not in existing:
            _run(connection, "CREATE ROLE {role} NOLOGIN", role=name)
    taken = {roles.door: roles.partner} | {roles.gateway(n): roles.founder for n in range(gateways)}
    members = {tuple(row) for row in connection.execute(_MEMBERS, {"roles": [roles.partner, roles.founder]})}
    for login, role in taken.items():
        if (login, role) not in members:
            _run(connection, "GRANT {taken} TO {role}", taken=role, role=login)


_MEMBERS = text(
    "SELECT m.member::regrole::text, m.roleid::regrole::text FROM pg_auth_members m"
    " WHERE m.roleid::regrole::text = ANY(:roles)"
)


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
def open_owner(url: str) -> Iterator[Connection]:
    """One transaction with the owner's login, one installer at a time. Raises DatabaseAway."""
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
