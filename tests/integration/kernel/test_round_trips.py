"""How often a unit of work talks to PostgreSQL: counted, not timed (DESIGN 3 and 4)."""

# ruff: noqa: PT012 - a unit of work needs a body to be broken in

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from psycopg.pq import Trace
from sqlalchemy import event, text

from app.bootstrap.schedules import schedules
from app.kernel.commands import run_command
from app.kernel.ids import new_id
from app.kernel.queue.dispatcher import Found, look_at
from app.kernel.queue.fair.handing import take_ready
from app.kernel.queue.loop import Dispatcher
from tenants.sessions import lookup_session, partner_session, tenant_cursor
from tenants.slots import look_at_pool
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation, person
from tests.integration.kernel.work_to_do import GuestArrived, arrive

Count = Callable[[], int]


@pytest.fixture
def round_trips(installation: Installation, acme: Tenant) -> Iterator[Count]:
    """How often the server has said that it is ready: to the tenant's gateway, the dispatcher, the registry, a door."""
    with tempfile.TemporaryFile("w+") as log:
        cell = installation.databases.cells[CELL]
        engines = [cell.gateways[acme.gateway], cell.dispatcher, cell.registry, installation.databases.control]

        def start(connection: Any, *_rest: object) -> None:
            connection.pgconn.trace(log.fileno())
            connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)

        def stop(connection: Any, *_rest: object) -> None:
            connection.pgconn.untrace()

        def count() -> int:
            log.seek(0)
            found = log.read().count("ReadyForQuery")
            log.seek(0)
            log.truncate()
            return found

        with warmed(installation, acme):
            for engine in engines:
                event.listen(engine, "checkout", start)
                event.listen(engine, "checkin", stop)
        yield count
        for engine in engines:
            event.remove(engine, "checkout", start)
            event.remove(engine, "checkin", stop)


@contextmanager
def warmed(installation: Installation, tenant: Tenant) -> Iterator[None]:
    """Connections are made before anything is counted: logging in is not a part of a unit of work."""
    with installation.work(tenant) as work, lookup_session(installation.databases):
        work.session.execute(text("SELECT 1"))
    look_at(installation.databases, CELL)
    look_at_pool(installation.databases, CELL)
    yield


class TestAUnitOfWork:
    def test_that_does_nothing_takes_two(self, installation: Installation, acme: Tenant, round_trips: Count):
        with installation.work(acme):
            pass
        assert round_trips() == 2  # the BEGIN with its scope and state; the COMMIT

    def test_writes_all_its_marks_with_the_commit(self, installation: Installation, acme: Tenant, round_trips: Count):
        with installation.work(acme) as work:
            for number in range(20):
                work.announce(GuestArrived(subject_id=new_id(), note=f"{number}"))
                work.enqueue("tests.greet", args={"name": "x"})
                work.set_timer("tests.act", subject_id=new_id(), due_at=work.now, version=1)
            work.remember_command("k", fingerprint="f", result={})
        assert round_trips() == 2

    def test_adds_one_for_its_state(self, installation: Installation, acme: Tenant, round_trips: Count):
        with installation.work(acme) as work:
            for number in range(5):
                arrive(work, f"{number}")
        assert round_trips() == 3

    def test_that_fails_takes_no_more(self, installation: Installation, acme: Tenant, round_trips: Count):
        with pytest.raises(ZeroDivisionError), installation.work(acme) as work:
            arrive(work, "ghost")
            raise ZeroDivisionError
        assert round_trips() == 2  # BEGIN and ROLLBACK

    def test_under_a_command_key_adds_one_to_look_for_it(
        self, installation: Installation, acme: Tenant, round_trips: Count
    ):
        def command() -> None:
            run_command(installation.runtime, acme, ann, key="k", mark="m", trace_id="t", operation=lambda _work: {})

        ann = person("Ann")
        command()
        assert round_trips() == 3
        command()
        assert round_trips() == 3  # a replay writes nothing

    def test_without_the_orm_takes_as_many(self, installation: Installation, acme: Tenant, round_trips: Count):
        with tenant_cursor(installation.databases, acme, actor="test") as (cursor, _entered):
            cursor.execute("SELECT 1")
        assert round_trips() == 3

    @pytest.mark.parametrize("scope", ["lookup", "partner"])
    def test_in_control_takes_one_for_each_question_and_two_around(
        self, installation: Installation, acme: Tenant, round_trips: Count, scope: str
    ):
        databases = installation.databases
        opened = {
            "lookup": lambda: lookup_session(databases),
            "partner": lambda: partner_session(databases, acme.organisation_id, actor="test"),
        }[scope]()
        with opened as (session, _now):
            session.execute(text("SELECT 1"))
        assert round_trips() == 3


class TestQuiet:
    """What happens all the time in an installation in which nothing happens (DESIGN 16: 1,000 idle tenants)."""

    def test_a_round_of_the_dispatcher_takes_one_question(self, installation: Installation, round_trips: Count):
        dispatcher = Dispatcher(installation.databases, None, {}, None, window=8)  # type: ignore[arg-type]  # unused
        assert dispatcher.turn(CELL) == 0
        assert round_trips() == 3

    def test_a_full_pool_is_seen_with_one_and_no_new_connection(
        self, installation: Installation, round_trips: Count, monkeypatch: pytest.MonkeyPatch
    ):
        free = look_at_pool(installation.databases, CELL).free
        round_trips()
        (refill,) = [
            each for each in schedules(installation.runtime, warm_slots=free) if each.name == "tenancy.refill_pool"
        ]
        monkeypatch.setattr("psycopg.connect", None)
        refill.run()
        assert round_trips() == 3

    @pytest.mark.parametrize("due", ["event", "timer", "job"])
    def test_is_over_with_anything_due(self, installation: Installation, acme: Tenant, due: str):
        databases = installation.databases
        assert look_at(databases, CELL).nothing_due
        with installation.work(acme) as work:
            match due:
                case "event":
                    work.announce(GuestArrived(subject_id=new_id(), note="x"))
                case "timer":
                    work.set_timer("tests.act", subject_id=new_id(), due_at=work.now, version=1)
                case _:
                    work.enqueue("tests.greet", args={"name": "x"})
        assert not look_at(databases, CELL).nothing_due
        if due == "job":
            assert len(take_ready(databases, CELL, window=8)) == 1
            assert look_at(databases, CELL) == Found(False, False, False, False, False, in_flight=1)
            installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 second'")  # its worker is silent
            assert not look_at(databases, CELL).nothing_due
