"""What is sent ahead and what is sent with the COMMIT: refused, cut off, rolled back, followed by something."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.errors import DivisionByZero, InsufficientPrivilege, NotNullViolation, UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from tenants.line import Line, OutsideScope, line_of
from tenants.sessions import DatabaseAway, tenant_session
from tenants.tenant import Tenant
from tests import cluster
from tests.factories.installation import CELL, Installation

COMMAND = "INSERT INTO command (key, fingerprint, result, at) VALUES ('{}', 'f', '{{}}', now())"
AHEAD = b"INSERT INTO command (key, fingerprint, result, at) VALUES ($1::text, $2::text, '{}', now())"
LAST = b"SELECT cell.write_marks($1::jsonb, NULL::trail)"


@contextmanager
def opened(house: Installation, tenant: Tenant) -> Iterator[tuple[Session, Line]]:
    """A transaction of the tenant and the line under it."""
    with tenant_session(house.databases, tenant, actor="test") as (session, _entered):
        yield session, line_of(session.connection())


def marks(key: str) -> bytes:
    """The document of a last statement that stores one command's key."""
    return (
        b'{"command": [{"key": "%b", "fingerprint": "f", "result": {}, "at": "2026-11-02T09:00:00Z"}]}' % key.encode()
    )


def keys(house: Installation, tenant: Tenant) -> set[str]:
    """The command keys that are stored."""
    return {row.key for row in house.rows(tenant, "SELECT key FROM {}.command")}


@pytest.fixture(autouse=True)
def _empty(house: Installation) -> Iterator[None]:
    yield
    house.empty()


class TestWhatIsSentAhead:
    def test_is_done_when_the_transaction_commits(self, house: Installation, acme: Tenant):
        with opened(house, acme) as (_session, line):
            line.send_ahead(AHEAD, "one", "f")
            line.send_ahead(AHEAD, "two", "f")
        assert keys(house, acme) == {"one", "two"}

    def test_is_seen_by_whatever_is_asked_next(self, house: Installation, acme: Tenant):
        with opened(house, acme) as (session, line):
            line.send_ahead(AHEAD, "orm", "f")
            assert session.execute(text("SELECT count(*) FROM command")).scalar_one() == 1
            line.send_ahead(AHEAD, "driver", "f")
            assert line.execute("SELECT count(*) FROM command").fetchone() == (2,)
            line.send_ahead(AHEAD, "nested", "f")
            with session.begin_nested():
                assert session.execute(text("SELECT count(*) FROM command")).scalar_one() == 3

    def test_is_larger_than_what_a_socket_holds(self, house: Installation, acme: Tenant):
        long = "x" * 5_000_000
        with opened(house, acme) as (session, line):
            line.send_ahead(AHEAD, "long", long)
            assert session.execute(text("SELECT length(fingerprint) FROM command")).scalar_one() == len(long)

    @pytest.mark.parametrize("then", ["commit", "ask", "ahead", "last"])
    def test_is_refused_where_its_answer_is_read(self, house: Installation, acme: Tenant, then: str):
        def refused() -> None:
            with opened(house, acme) as (session, line):
                session.execute(text(COMMAND.format("before")))
                line.send_ahead(b"SELECT 1 / $1::int", "0")
                if then == "ask":
                    session.execute(text("SELECT 1"))
                elif then == "ahead":
                    line.send_ahead(b"SELECT $1::int", "1")
                elif then == "last":
                    line.send_last(LAST, marks("last"))

        with pytest.raises(DataError if then == "ask" else DivisionByZero):  # the ORM wraps what it meets on its way
            refused()
        assert keys(house, acme) == set()
        with opened(house, acme) as (session, _line):
            assert session.execute(text("SELECT count(*) FROM command")).scalar_one() == 0

    @pytest.mark.parametrize("statement", [b"SELECT 1 / $1::int", b"SELECT $1::int"])
    def test_hides_no_other_error(self, house: Installation, acme: Tenant, statement: bytes):
        def fail() -> None:
            with opened(house, acme) as (_session, line):
                line.send_ahead(statement, "0")
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            fail()
        with opened(house, acme) as (session, _line):
            assert session.execute(text("SELECT 1")).scalar_one() == 1

    @pytest.mark.parametrize("length", [1, 20_000_000])
    def test_lets_the_server_count_the_silence_of_whoever_was_stopped(
        self, house: Installation, acme: Tenant, length: int
    ):
        with opened(house, acme) as (_session, line):
            backend = line.info.backend_pid
            line.send_ahead(AHEAD, "one", "f" * length)
            with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
                state, deadline = "", time.monotonic() + 10
                while state != "idle in transaction":
                    assert time.monotonic() < deadline, state
                    (state,) = admin.execute(
                        "SELECT state FROM pg_stat_activity WHERE pid = %s", [backend]
                    ).fetchone() or ("",)


class TestWhatIsAsked:
    def test_gives_a_row_of_what_the_driver_knows(self, house: Installation, acme: Tenant):
        number, moment = uuid4(), datetime(2026, 11, 2, 9, tzinfo=UTC)
        query = b"SELECT $1::uuid, $2::int, $3::timestamptz, $4::text, $5::text, $6::jsonb, $7::bool"
        with opened(house, acme) as (_session, line):
            line.execute("SET LOCAL TimeZone = 'UTC'")
            row = line.ask(query, number, 7, moment, None, "né '\\", '{"a": [1]}', True)
            assert row == (number, 7, moment, None, "né '\\", {"a": [1]}, True)
            assert line.ask(b"SELECT 1 WHERE false") is None

    def test_refuses_what_would_be_cut_off(self, house: Installation, acme: Tenant):
        with pytest.raises(psycopg.DataError), opened(house, acme) as (_session, line):
            line.ask(b"SELECT $1::text", "before\0after")


class TestWhatIsSentWithTheCommit:
    def test_is_done_with_all_before_it(self, house: Installation, acme: Tenant):
        with opened(house, acme) as (session, line):
            session.execute(text(COMMAND.format("before")))
            line.send_ahead(AHEAD, "ahead", "f")
            line.send_last(LAST, marks("it's \\\\ né"))
        assert keys(house, acme) == {"before", "ahead", "it's \\ né"}

    def test_comes_before_what_follows_nevertheless(self, house: Installation, acme: Tenant):
        with opened(house, acme) as (session, line):
            line.send_last(LAST, marks("first"))
            assert session.execute(text("SELECT count(*) FROM command")).scalar_one() == 1
            line.send_last(LAST, marks("second"))
            line.send_last(LAST, marks("third"))
        assert keys(house, acme) == {"first", "second", "third"}

    def test_is_its_own_tenants_however_often_two_take_turns_on_a_connection(
        self, house: Installation, acme: Tenant, neighbour: Tenant
    ):
        house.databases.cell(CELL).gateways[
            acme.gateway
        ].dispose()  # one thread then opens one connection, and no second
        backends = set()
        for turn in range(12):  # plans are kept for each of them from the first on
            for tenant in (acme, neighbour):
                with opened(house, tenant) as (_session, line):
                    backends.add(line.info.backend_pid)
                    line.send_last(LAST, marks(f"{tenant.id} {turn}"))
        assert len(backends) == 1
        assert [keys(house, each) for each in (acme, neighbour)] == [
            {f"{each.id} {turn}" for turn in range(12)} for each in (acme, neighbour)
        ]

    def test_is_refused_with_plans_of_another_tenant(self, house: Installation, acme: Tenant, neighbour: Tenant):
        with opened(house, neighbour) as (_session, line):
            line.send_last(LAST, marks("before"))

        def borrow() -> None:
            with opened(house, acme) as (_session, line):
                line.send_last(LAST.replace(b"trail", f'"{neighbour.schema}".trail'.encode()), marks("mine"))

        with pytest.raises(InsufficientPrivilege):
            borrow()
        assert (keys(house, acme), keys(house, neighbour)) == (set(), {"before"})

    def test_takes_everything_back_when_it_is_refused(self, house: Installation, acme: Tenant):
        def store(*before: str) -> None:
            with opened(house, acme) as (session, line):
                for key in before:
                    session.execute(text(COMMAND.format(key)))
                line.send_last(LAST, marks("taken"))

        store()
        with pytest.raises(UniqueViolation):
            store("before")
        assert keys(house, acme) == {"taken"}
        with opened(house, acme) as (session, _line):
            assert session.execute(text("SELECT count(*) FROM command")).scalar_one() == 1

    def test_is_in_no_log_of_the_server(self, house: Installation, acme: Tenant):
        with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
            (folder,) = admin.execute("SHOW data_directory").fetchone() or ("",)
        log = Path(folder).parent / "postgres.log"
        size = log.stat().st_size
        document = b'{"command": [{"key": null, "fingerprint": "canary"}]}'

        def refuse(*then: bytes) -> None:
            with opened(house, acme) as (_session, line):
                line.send_last(LAST, document)
                for statement in then:
                    line.ask(statement)

        for then in ((), (b"SELECT 1",)):
            with pytest.raises(NotNullViolation):
                refuse(*then)
        told = log.read_bytes()[size:].decode()
        assert told.count("write_marks($1::jsonb, NULL::trail)") == 2
        assert 'fingerprint":' not in told

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, ZeroDivisionError])
    def test_is_interrupted_and_the_next_is_served(self, house: Installation, acme: Tenant, kind: type[BaseException]):
        def interrupt(*_signal: object) -> None:
            raise kind

        def wait() -> None:
            with opened(house, acme) as (_session, line):
                line.send_last(LAST, marks("held"))
                signal.setitimer(signal.ITIMER_REAL, 0.3)

        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            with opened(house, acme) as (_session, other):
                other.execute(COMMAND.format("held").encode())
                with pytest.raises(kind):
                    wait()
        finally:
            signal.signal(signal.SIGALRM, before)
        for _ in range(3):
            with opened(house, acme) as (_session, line):
                assert line.ask(b"SELECT 1") == (1,)
        assert keys(house, acme) == {"held"}

    def test_is_forgotten_by_a_rollback(self, house: Installation, acme: Tenant):
        def fail() -> None:
            with opened(house, acme) as (_session, line):
                line.send_last(LAST, marks("never"))
                raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            fail()
        for _ in range(3):  # whichever connection comes next
            with opened(house, acme):
                pass
        assert keys(house, acme) == set()

    def test_promises_nothing_when_the_answer_is_lost(self, house: Installation, acme: Tenant):
        def cut_off() -> None:
            with opened(house, acme) as (_session, line):
                line.send_last(LAST, marks("lost"))
                with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
                    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [line.info.backend_pid])

        with pytest.raises(DatabaseAway) as lost:
            cut_off()
        assert "Nothing was changed" not in str(lost.value)
        assert keys(house, acme) == set()

    def test_says_that_nothing_changed_when_somebody_else_holds_the_lock(self, house: Installation, acme: Tenant):
        def wait() -> None:
            with opened(house, acme) as (_session, line):
                line.execute("SET LOCAL lock_timeout = '50ms'")
                line.send_last(LAST, marks("theirs"))

        with opened(house, acme) as (_session, other):
            other.execute(COMMAND.format("theirs").encode())
            with pytest.raises(DatabaseAway, match=r"Somebody else .* Nothing was changed"):
                wait()
        assert keys(house, acme) == {"theirs"}


class TestASavepoint:
    """What is sent ahead or kept since it was set goes back with it, and nothing else does."""

    def goes_on(
        self, house: Installation, tenant: Tenant, error: type[Exception], part: Callable[[Line], None]
    ) -> None:
        with opened(house, tenant) as (session, outer):
            outer.send_ahead(AHEAD, "before", "f")
            with pytest.raises(error), session.begin_nested():
                part(line_of(session.connection()))
        assert keys(house, tenant) == {"before"}
        with opened(house, tenant) as (session, outer):
            with pytest.raises(error), session.begin_nested():
                part(line_of(session.connection()))
            outer.send_last(LAST, marks("after"))
        assert keys(house, tenant) == {"before", "after"}

    @pytest.mark.parametrize("divisor", ["0", "1"])
    def test_takes_back_what_was_sent_ahead_and_hides_no_other_error(
        self, house: Installation, acme: Tenant, divisor: str
    ):
        def fail(line: Line) -> None:
            line.send_ahead(AHEAD, "within", "f")
            line.send_ahead(b"SELECT 1 / $1::int", divisor)
            raise LookupError

        self.goes_on(house, acme, LookupError, fail)

    def test_takes_back_what_is_refused_at_its_end(self, house: Installation, acme: Tenant):
        def divide(line: Line) -> None:
            line.send_ahead(AHEAD, "within", "f")
            line.send_ahead(b"SELECT 1 / $1::int", "0")

        self.goes_on(house, acme, DivisionByZero, divide)

    def test_never_sends_what_was_kept_and_is_taken_back(self, house: Installation, acme: Tenant):
        def keep(line: Line) -> None:
            line.send_last(LAST, marks("before"))  # would be refused where it is there already
            raise LookupError

        self.goes_on(house, acme, LookupError, keep)

    def test_is_no_hindrance_to_telling_that_the_server_is_gone(self, house: Installation, acme: Tenant):
        def cut_off(how: str) -> None:
            with opened(house, acme) as (session, _line), session.begin_nested():
                line = line_of(session.connection())
                with psycopg.connect(cluster.cluster().servers.admin_url, autocommit=True) as admin:
                    admin.execute("SELECT pg_terminate_backend(%s, 5000)", [line.info.backend_pid])
                if how == "orm":
                    session.execute(text("SELECT 1"))
                elif how == "ask":
                    line.ask(b"SELECT 1")

        for how in ("orm", "ask", "release"):
            with pytest.raises(DatabaseAway, match="Nothing was changed"):
                cut_off(how)


class TestAScopeThatIsOver:
    @pytest.mark.parametrize("way", ["ask", "ahead", "last"])
    def test_takes_nothing_further(self, house: Installation, acme: Tenant, way: str):
        def go_on() -> None:
            with opened(house, acme) as (session, line):
                session.execute(text("COMMIT"))
                match way:
                    case "ask":
                        line.ask(b"SELECT 1")
                    case "ahead":
                        line.send_ahead(b"SELECT 1")
                    case _:
                        line.send_last(LAST, marks("nobody's"))

        with pytest.raises(OutsideScope):
            go_on()


class TestAnotherEncoding:
    def test_of_the_machine_garbles_nothing(self, house: Installation, acme: Tenant, monkeypatch: pytest.MonkeyPatch):
        engine = house.databases.cells[CELL].gateways[acme.gateway]
        engine.dispose()
        monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
        with opened(house, acme) as (session, line):
            assert line.ask(b"SELECT $1::text, length($1::text)", "né") == ("né", 2)
            session.execute(text(COMMAND.format("né 0")))
            line.send_ahead(AHEAD, "né 1", "f")
            line.send_last(LAST, marks("né 2"))
        engine.dispose()
        monkeypatch.delenv("PGCLIENTENCODING")
        assert keys(house, acme) == {"né 0", "né 1", "né 2"}
