"""Connections: small pools, one login role each. Nothing here knows a scope; `sessions` sends it with the BEGIN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url

from tenants.naming import RoleNames, role_password

_PER_GATEWAY = 2  # 4 gateways by default: 8 connections a process and cell (DESIGN 4)


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

    def __init__(self, *, control_url: str, cell_urls: Mapping[str, str], key: InstallationKey, gateways: int) -> None:
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
            pool_timeout=10,
            # The driver runs in autocommit and we send the BEGIN ourselves; no prepared statement crosses tenants.
            connect_args={"prepare_threshold": None, "autocommit": True, "connect_timeout": 10},
        )
        event.listen(engine, "begin", _send_begin)
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
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # psycopg's own
    try:
        cursor = driver.execute(scope.begin)
        while cursor.nextset():
            pass
        connection.info["entered"] = cursor.fetchone()
    except psycopg.OperationalError:
        connection.invalidate()  # the server went away; the pool must not offer this connection again
        raise
