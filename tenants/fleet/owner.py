"""Connections with the owner's login, for what concerns all tenants: plain psycopg, one message at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from tenants.fleet.tree import FleetRefused, Tree
from tenants.sessions import DatabaseAway

Connection = psycopg.Connection[Any]
_ONE_FLEET = 7_305_022  # held in control by the one process that plans or applies; any number does, as long as it stays


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
        yield connection
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"The database went away: {' '.join(str(error).split())}") from error
    finally:
        connection.close()


@contextmanager
def held(fleet: Fleet) -> Iterator[Connection]:
    """`control`, for the one process at a time that may change the plan. Killed, its lock goes with its connection.

    Raises FleetBusy, DatabaseAway.
    """
    with asking(fleet.control_url) as control:
        taken = control.execute("SELECT pg_try_advisory_lock(%s) AS taken", [_ONE_FLEET]).fetchone()
        if not (taken and taken.taken):
            raise FleetBusy("Another slipway fleet command is at work. Wait for its end, or stop it with Ctrl-C.")
        yield control
