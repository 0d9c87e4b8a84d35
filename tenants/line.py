"""The driver's connection, with what need not be waited for: a statement sent ahead, and one sent with the COMMIT.

libpq's own asynchronous calls. The driver's pipeline would do both, too, but sends no end of a statement with it: the
server would not count the time since then as silence, and whoever is stopped there would hold their locks for ever.
So what is sent ahead goes alone, and only the message that has the COMMIT, and with it an end, is a pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, cast

import psycopg
from psycopg import generators
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import Connection


class OutsideScope(Exception):
    """A statement outside the transaction that carries its scope. It was not sent."""


class Line(psycopg.Connection[Any]):
    """A connection that may have one answer unread and a last statement unsent, inside a transaction."""

    _last: tuple[bytes, bytes] | None = None  # a statement and its one value

    def begin(self, scope: str) -> tuple[Any, ...] | None:
        """Send a BEGIN with its scope; gives the row of its last statement."""
        self._last = None
        return self.say(scope.encode())

    def say(self, statements: bytes) -> tuple[Any, ...] | None:
        """Send several statements in one message; gives the row of the last one."""
        self.settle()
        self.pgconn.send_query(statements)
        rows = self._rows(self._read(), 1)
        return rows[0] if rows else None

    def ask(self, statement: bytes, *values: object) -> tuple[Any, ...] | None:
        """The first row that a statement gives; `$1` and so on stand for its values, which are sent as text.

        What a cursor of the driver does beside that costs more than the statements that every change sends.
        """
        rows = self.ask_all(statement, *values, most=1)
        return rows[0] if rows else None

    def ask_all(self, statement: bytes, *values: object, most: int | None = None) -> list[tuple[Any, ...]]:
        """The rows that a statement gives, or so many of them, as `ask` does."""
        self._settle_within()
        self.pgconn.send_query_params(statement, _texts(values))
        return self._rows(self._read(), most)

    def send_ahead(self, statement: bytes, *values: object) -> None:
        """Send a statement whose rows nobody needs: the server works at it while the program goes on.

        What the server says to it is raised where the answer is read: before the next statement, at the latest by the
        COMMIT. All of it is sent: the server counts no silence, and keeps all locks, while it waits for a second half.
        """
        self._settle_within()
        self.pgconn.send_query_params(statement, _texts(values))
        if self.pgconn.flush():  # more than a socket holds
            self.wait(generators.send(self.pgconn))

    def send_last(self, statement: bytes, document: bytes) -> None:
        """Keep a statement of one value as the transaction's last act: it goes in one message with the COMMIT.

        Where something follows nevertheless, it is sent before that.
        """
        self._settle_within()
        self._last = statement, document

    def settle(self) -> None:
        """Before the next statement: send what was kept, read what was not. Raises what the driver raises for it."""
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            self._read()
        if self._last:
            (statement, document), self._last = self._last, None
            self.pgconn.send_query_params(statement, [document])
            self._read()

    def drop(self) -> None:
        """Before something is rolled back: what was unsent stays so, and what is said to the rest is of no interest."""
        self._last = None
        if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
            with suppress(psycopg.Error):
                self.wait(generators.execute(self.pgconn))

    def execute(self, *args: Any, **named: Any) -> psycopg.Cursor[Any]:
        """As the driver's, with nothing unread."""
        self.settle()
        return super().execute(*args, **named)

    def commit(self) -> None:
        """As the driver's, with the last statement. Where that is refused, the server looks at nothing after it."""
        last, self._last = self._last, None
        self.settle()
        if last:
            self._commit_with(*last)
        else:
            super().commit()

    def rollback(self) -> None:
        """As the driver's, with nothing unread and nothing kept."""
        if self.closed and not self.broken:
            return  # by ourselves, in the middle of a COMMIT
        self.drop()
        if self.pgconn.transaction_status != TransactionStatus.IDLE:
            super().rollback()

    def _settle_within(self) -> None:
        self.settle()
        refuse_idle(self)

    def _commit_with(self, statement: bytes, document: bytes) -> None:
        """Both in one message, with one end: the server skips the COMMIT where it refuses what stands before it.

        As a bound value, the document is in no log of the server and no list of what it is doing.
        """
        try:
            self.pgconn.enter_pipeline_mode()
            self.pgconn.send_query_params(statement, [document])
            self.pgconn.send_query_params(b"COMMIT", None)
            self.pgconn.pipeline_sync()
            refused = self.wait(_until_sync(self.pgconn))
            self.pgconn.exit_pipeline_mode()
        except BaseException:  # an interrupt, or the server is gone: nobody may go on with half of it
            self.close()
            raise
        if refused:
            raise psycopg.errors.error_from_result(refused)

    def _read(self) -> PGresult:
        """The last of the answers to one message."""
        last: PGresult = self.wait(generators.execute(self.pgconn))[-1]
        if last.status == ExecStatus.FATAL_ERROR:  # nothing is looked at after a refusal
            raise psycopg.errors.error_from_result(last)
        return last

    def _rows(self, answer: PGresult, most: int | None) -> list[tuple[Any, ...]]:
        many = answer.ntuples if most is None else min(answer.ntuples, most)
        if not many:
            return []
        loading = Transformer(self)
        loading.set_pgresult(answer)
        return loading.load_rows(0, many, tuple)


def _until_sync(pgconn: PGconn) -> PQGen[PGresult | None]:
    """Send what is to be sent and read up to the end of it; gives the refusal, if there was one."""
    refused: PGresult | None = None
    yield from generators.send(pgconn)
    while True:
        answer = (yield from generators.fetch_many(pgconn))[-1]
        if answer.status == ExecStatus.PIPELINE_SYNC:
            return refused
        if answer.status == ExecStatus.FATAL_ERROR:
            refused = refused or answer


def _texts(values: Sequence[object]) -> list[bytes | None]:
    texts = [None if value is None else str(value).encode() for value in values]
    if any(text and b"\0" in text for text in texts):  # libpq would cut it off there
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return texts


def refuse_idle(connection: psycopg.Connection[Any]) -> None:
    """Raises OutsideScope where the transaction is over: what is sent now would be sent as the login."""
    if connection.pgconn.transaction_status == TransactionStatus.IDLE:
        raise OutsideScope("The transaction is over, and its scope with it: this statement belongs to nobody.")


def line_of(connection: Connection) -> Line:
    """The line under SQLAlchemy's connection."""
    return cast("Line", connection.connection.driver_connection)
