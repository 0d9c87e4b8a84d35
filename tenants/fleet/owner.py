"""Connections with the owner's login, for what concerns all tenants: plain psycopg, one message at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row

from tenants.fleet.tree import FleetRefused, Tree
from tenants.sessions import DatabaseAway

Connection = psycopg.Connection[Any]
_ONE_FLEET = 7_305_022  # held in control by the one process that plans or applies; any number does, as long as it stays

_TAKE = f"SET LOCAL lock_timeout = '1s'; SELECT pg_advisory_lock({_ONE_FLEET})".encode()


class FleetBusy(FleetRefused):
    """Another process plans or applies right now."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """All cells of an installation and the revisions they are brought to."""

    control_url: str = field(repr=False)
    cell_urls: Mapping[str, str] = field(repr=False)
    tree: Tree


def connect(url: str) -> Connection:
    """A connection of the owner in autocommit: a transaction is begun and ended in the text. Raises DatabaseAway."""
    try:
        return psycopg.connect(
            url, autocommit=True, prepare_threshold=None, connect_timeout=10, row_factory=namedtuple_row
        )
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"The database does not answer: {' '.join(str(error).split())}") from error


@contextmanager
def asking(url: str) -> Iterator[Connection]:
    """A connection for a few questions. Raises DatabaseAway also when the server goes away in between."""
    connection = connect(url)
    try:
        with away_is_told():
            yield connection
    finally:
        connection.close()


@contextmanager
def away_is_told() -> Iterator[None]:
    """Whatever the driver says of a server that went away becomes DatabaseAway."""
    try:
        yield
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"The database went away: {' '.join(str(error).split())}") from error


class Connections:
    """Connections to the cells, kept from one use to the next: making one costs more than changing a schema.

    Safe for many threads. Who has taken one is alone with it until it is given back.
    """

    def __init__(self, cell_urls: Mapping[str, str]) -> None:
        self._urls = cell_urls
        self._idle: dict[str, list[Connection]] = {}
        self._lock = Lock()

    def take(self, cell: str) -> Connection:
        """An open one. Raises DatabaseAway."""
        with self._lock:
            idle = self._idle.get(cell)
            if idle:
                return idle.pop()
        return connect(self._urls[cell])

    def give(self, cell: str, connection: Connection) -> None:
        """It may be used by others; one that is broken or in the middle of something is closed."""
        if connection.closed or connection.info.transaction_status is not TransactionStatus.IDLE:
            connection.close()
            return
        with self._lock:
            self._idle.setdefault(cell, []).append(connection)

    @contextmanager
    def asking(self, cell: str) -> Iterator[Connection]:
        """One for a few questions. Raises DatabaseAway also when the server goes away in between."""
        connection = self.take(cell)
        try:
            with away_is_told():
                yield connection
        finally:
            self.give(cell, connection)

    def close(self) -> None:
        """Close those that nobody has taken: before a long wait, and at the end."""
        with self._lock:
            idle = [connection for each in self._idle.values() for connection in each]
            self._idle.clear()
        for connection in idle:
            connection.close()


@contextmanager
def held(fleet: Fleet) -> Iterator[Connection]:
    """`control`, for the one process at a time that may change the plan. Killed, its lock goes with its connection.

    A server lets go of a lock a moment after its connection was closed, so it is waited for. Raises FleetBusy,
    DatabaseAway.
    """
    with asking(fleet.control_url) as control:
        try:
            control.execute(_TAKE)
        except psycopg.errors.LockNotAvailable:
            raise FleetBusy(
                "Another slipway fleet command is at work. Wait for its end, or stop it with Ctrl-C."
            ) from None
        yield control
