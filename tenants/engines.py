"""Connections: small pools, one login role each. Nothing here knows a scope; `sessions` sends it with the BEGIN.

Here is what watches over them: no statement outside a BEGIN of ours, no server process that only grows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, cast
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from tenants.line import Line, OutsideScope, line_of, refuse_idle
from tenants.naming import RoleNames, role_password

PATIENCE = 10.0  # seconds: somebody waits for an answer
_PER_GATEWAY = 2  # 4 gateways by default: 8 connections a process and cell (DESIGN 4)
# A server process keeps what it has learned of every table it met: 0.25 to 0.7 MB for each tenant's schema
# (docs/benchmarks.md). After so many schemas the connection is closed, and its memory is the machine's again.
SCHEMAS_A_CONNECTION = 100
LIFETIME_SECONDS = 1800  # however few: what a connection has gathered otherwise goes too
_TOUCHED = "touched_schemas"


@dataclass(frozen=True, slots=True)
class InstallationKey:
    """Who this installation is: the id in its cookies, the prefix of its roles, the secret of their passwords."""

    id: UUID
    prefix: str
    secret: bytes = field(repr=False)

    @property
    def roles(self) -> RoleNames:
        """The role names of this installation."""
        return RoleNames(self.prefix)


@dataclass(frozen=True, slots=True)
class CellEngines:
    """The pools into one cell."""

    gateways: tuple[Engine, ...]
    dispatcher: Engine
    registry: Engine


class CellUnknown(LookupError):
    """The directory names a cell that this process was given no address for."""


class Databases:
    """Every pool of this process. The owner's addresses are used only by installation and by the making of slots."""

    def __init__(
        self,
        *,
        control_url: str,
        cell_urls: Mapping[str, str],
        key: InstallationKey,
        gateways: int,
        patience: float = PATIENCE,
    ) -> None:
        """`patience`: seconds for which whoever needs a connection waits while all of its pool are in use."""
        self.patience = patience
        self.key = key
        self.control_url = control_url
        self.cell_urls = dict(cell_urls)
        self.control = self._engine(control_url, key.roles.door, size=4)
        self.cells = {
            name: CellEngines(
                gateways=tuple(self._engine(url, key.roles.gateway(n), size=_PER_GATEWAY) for n in range(gateways)),
                dispatcher=self._engine(url, key.roles.dispatcher, size=4),
                registry=self._engine(url, key.roles.registry, size=1),
            )
            for name, url in cell_urls.items()
        }

    def cell(self, name: str) -> CellEngines:
        """The pools into that cell. Raises CellUnknown in a process that started before the cell was added."""
        try:
            return self.cells[name]
        except KeyError:
            raise CellUnknown(
                f"This program has no address for the cell {name}. Set SLIPWAY_CELL_{name.upper()}_URL and restart it."
            ) from None

    def _engine(self, owner_url: str, role: str, *, size: int) -> Engine:
        password = role_password(self.key.secret, role)
        url = driver_url(owner_url).set(username=role, password=password)
        engine = create_engine(
            url,
            pool_size=size,
            max_overflow=0,
            pool_timeout=self.patience,
            pool_recycle=LIFETIME_SECONDS,
            # The driver runs in autocommit and we send the BEGIN ourselves; no prepared statement crosses tenants.
            # Whatever else the machine or the server prefers, we speak UTF-8 (a `Line` encodes for itself).
            connect_args={
                "prepare_threshold": None,
                "autocommit": True,
                "connect_timeout": 10,
                "client_encoding": "utf8",
            },
        )
        event.listen(engine, "do_connect", lambda _dialect, _record, args, named: Line.connect(*args, **named))
        event.listen(engine, "begin", _send_begin)
        event.listen(engine, "before_cursor_execute", _refuse_without_transaction)
        event.listen(engine, "release_savepoint", _settle_before_release)
        event.listen(engine, "rollback_savepoint", _drop_before_rollback)
        event.listen(engine, "checkin", _on_return)
        return engine

    def close(self) -> None:
        """Close every pool."""
        self.control.dispose()
        for cell in self.cells.values():
            for engine in (*cell.gateways, cell.dispatcher, cell.registry):
                engine.dispose()


def driver_url(url: str) -> URL:
    """The address with the driver spelled out."""
    return make_url(url).set(drivername="postgresql+psycopg")


def _send_begin(connection: Connection) -> None:
    """Send `BEGIN` and the scope as one message; a connection without a scope fails here (KeyError): it never reads."""
    scope = connection.get_execution_options()["scope"]
    driver = line_of(connection)
    if not driver.autocommit:  # an isolation level was asked for: the driver would begin a transaction before ours
        raise OutsideScope("A scope begins its own transaction; another isolation level belongs into the scope.")
    try:
        connection.info["entered"] = driver.begin(scope.begin)
        note_schema(connection.info, scope.schema)
    except psycopg.OperationalError:
        connection.invalidate()  # the server went away; the pool must not offer this connection again
        raise


def note_schema(info: MutableMapping[Any, Any], schema: str) -> None:
    """Remember in a pooled connection's `info` that its server process has met this tenant's schema."""
    if schema:
        info.setdefault(_TOUCHED, set()).add(schema)


def _refuse_without_transaction(
    _connection: Connection, cursor: psycopg.Cursor[Any], _statement: str, *_rest: object
) -> None:
    cast("Line", cursor.connection).settle()
    refuse_idle(cursor.connection)


def _settle_before_release(connection: Connection, name: str, _context: None) -> None:
    """What was sent ahead and is refused now is taken back here: of a RELEASE that fails SQLAlchemy takes back nothing.

    The transaction would be dead, and whoever goes on would be told of a COMMIT that the server has made a ROLLBACK.
    """
    try:
        line_of(connection).settle()
    except psycopg.Error:
        connection.dialect.do_rollback_to_savepoint(connection, name)
        raise


def _drop_before_rollback(connection: Connection, _name: str, _context: None) -> None:
    """What was sent ahead since the savepoint goes with it, also where it is refused: it hides no other error."""
    if not connection.invalidated:
        line_of(connection).drop()


def _on_return(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    """SQLAlchemy leaves the driver out of autocommit after an `isolation_level`; a full connection is closed."""
    if len(entry.info.get(_TOUCHED, ())) >= SCHEMAS_A_CONNECTION:
        entry.invalidate()  # the next checkout makes a new one, with nothing remembered
    elif connection is not None and not connection.autocommit:
        connection.autocommit = True


class ScopedCursor(psycopg.Cursor[Any]):
    """A cursor for one transaction: what is asked of it after that transaction's end is refused, not sent."""

    def begin(self, scope: str) -> Self:
        """Send the BEGIN with its scope, and stand at what its last statement said."""
        super().execute(scope.encode())
        while self.nextset():
            pass
        return self

    def execute(self, *args: Any, **named: Any) -> Self:
        """As psycopg's. Raises OutsideScope."""
        refuse_idle(self.connection)
        return super().execute(*args, **named)

    def executemany(self, *args: Any, **named: Any) -> None:
        """As psycopg's. Raises OutsideScope."""
        refuse_idle(self.connection)
        super().executemany(*args, **named)

    def stream(self, *args: Any, **named: Any) -> Iterator[Any]:
        """As psycopg's. Raises OutsideScope."""
        refuse_idle(self.connection)
        return super().stream(*args, **named)

    @contextmanager
    def copy(self, *args: Any, **named: Any) -> Iterator[psycopg.Copy]:
        """As psycopg's. Raises OutsideScope."""
        refuse_idle(self.connection)
        with super().copy(*args, **named) as copy:
            yield copy
