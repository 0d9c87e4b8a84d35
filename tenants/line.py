"""The driver's connection, with what need not be waited for: a statement sent ahead, and one sent with the COMMIT.

libpq's own asynchronous calls. The driver's pipeline would do both, too, but sends no end of the statement with it: the
server would not count the time since then as silence, and whoever is stopped there would hold their locks for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import psycopg
from psycopg import generators
from psycopg.pq import Escaping, ExecStatus, TransactionStatus
from sqlalchemy import Connection


class Line(psycopg.Connection[Any]):
    """A connection that may have one answer unread and a last statement unsent, inside a transaction."""

    _last = b""

    def send_ahead(self, statement: bytes, values: Sequence[bytes]) -> None:
        """Send a statement without rows that the server works at while the program goes on.

        `$1` and so on are cast in it; values are text. What the server says to it is raised where the answer is read:
        before the next statement, at the latest by the COMMIT.
        """
        self.settle()
        self.pgconn.send_query_params(statement, values)

    def send_last(self, function: bytes, document: bytes) -> None:
        """Call a function of one JSON document as the transaction's last act, in one message with the COMMIT.

        Where something follows nevertheless, the call is sent before it.
        """
        self.settle()
        self._last = b"SELECT %b(%b::jsonb)" % (function, bytes(Escaping(self.pgconn).escape_literal(document)))

    def settle(self) -> None:
        """Before the next statement: send what was kept, read what was not. Raises what the driver raises for it."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            self._read()
        if self._last:
            last, self._last = self._last, b""
            self._say(last)

    def execute(self, *args: Any, **named: Any) -> psycopg.Cursor[Any]:
        """As the driver's, with nothing unread."""
        self.settle()
        return super().execute(*args, **named)

    def commit(self) -> None:
        """As the driver's, with the last statement. Where that is refused, the server looks at nothing after it."""
        last, self._last = self._last, b""
        self.settle()
        if last:
            self._say(last + b"; COMMIT")
        else:
            super().commit()

    def rollback(self) -> None:
        """As the driver's: what was said to a statement sent ahead is heard, and what was unsent stays so."""
        self._last = b""
        with suppress(psycopg.Error):
            self.settle()
        super().rollback()

    def _say(self, message: bytes) -> None:
        self.pgconn.send_query(message)
        self._read()

    def _read(self) -> None:
        for result in self.wait(generators.execute(self.pgconn)):
            if result.status == ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(result)


def line_of(connection: Connection) -> Line:
    """The line under SQLAlchemy's connection."""
    return cast("Line", connection.connection.driver_connection)
