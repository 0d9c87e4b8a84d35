"""A job ends in exactly one state, under leases that are lost, renewed, late, poisoned or released."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.kernel.errors import Invalid
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.dispatcher import Dispatched, recover_leases, release_worker
from app.kernel.queue.execution import backoff
from app.kernel.queue.jobs import JobRun, LeaseLost, job
from tenants.sessions import dispatcher_session
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation, make_databases, make_runtime
from tests.integration.kernel.work_to_do import OUTCOMES, add_guest, body

Guests = Callable[[Tenant], list[str]]


def ask(installation: Installation, tenant: Tenant, kind: str, **args: object) -> UUID:
    with installation.work(tenant) as work:
        return work.enqueue(kind, args=args)


def dispatch(installation: Installation, tenant: Tenant, kind: str, **args: object) -> Dispatched:
    """A job that a worker has been told of."""
    job_id = ask(installation, tenant, kind, **args)
    return next(item for item in installation.take() if item.job_id == job_id)


def lose_lease(installation: Installation, job_id: UUID) -> None:
    """The worker has been silent for too long, and the dispatcher has noticed."""
    installation.cell("UPDATE cell.job SET lease_until = now() - interval '1 s' WHERE id = %s", job_id)
    assert recover_leases(installation.databases, CELL) == 1


def run_in_a_process(installation: Installation, item: Dispatched) -> int:
    """Run the job in a fork with connections of its own; how it ended."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            databases = make_databases(installation.urls, installation.key)
            installation.run_one(item, runtime=make_runtime(databases))
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class TestRunJob:
    def test_completes_with_its_effects(self, installation: Installation, acme: Tenant, guests: Guests):
        ask(installation, acme, "tests.greet", name="Bo")
        (row,) = installation.run_due()
        assert (row.state, row.attempts, row.epoch, row.worker, row.lease_until) == ("done", 1, 1, None, None)
        assert row.finished_at is not None
        assert guests(acme) == ["Bo"]

    def test_does_nothing_for_a_second_message(self, installation: Installation, acme: Tenant, guests: Guests):
        item = dispatch(installation, acme, "tests.greet", name="Bo")
        for _ in range(3):
            installation.run_one(item)
        assert guests(acme) == ["Bo"]
        assert installation.job(item.job_id).attempts == 1

    def test_does_nothing_for_a_message_about_a_job_that_nobody_dispatched(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        job_id = ask(installation, acme, "tests.greet", name="Bo")
        for tenant_id in (acme.id, umbrella.id):
            installation.run_one(Dispatched(tenant_id=tenant_id, job_id=job_id, queue="default"))
        assert installation.job(job_id).state == "ready"

    def test_gives_up_on_a_kind_that_this_build_does_not_know(self, installation: Installation, acme: Tenant):
        ask(installation, acme, "tests.from_the_future")
        (row,) = installation.run_due()
        assert row.state == "failed"
        assert "tests.from_the_future" in row.last_error

    @pytest.mark.parametrize(
        ("outcome", "state", "error"),
        [("again", "ready", "busy"), ("give up", "failed", "never"), ("person", "failed", "unclear")],
    )
    def test_ends_as_its_function_says(
        self, installation: Installation, acme: Tenant, outcome: str, state: str, error: str
    ):
        body["act"] = lambda _run: OUTCOMES[outcome]
        ask(installation, acme, "tests.act")
        (row,) = installation.run_due()
        assert (row.state, row.last_error, row.attempts) == (state, error, 1)
        assert (row.finished_at is None) == (state == "ready")
        if state == "ready":
            wait = "SELECT run_at - now() AS wait FROM cell.job"
            assert timedelta(minutes=4, seconds=50) < installation.cell(wait)[0].wait <= timedelta(minutes=5)

    def test_tries_again_after_a_surprise_and_rolls_back_what_it_did(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        def act(run: JobRun) -> Outcome:
            with run.finish() as work:
                add_guest(work, "ghost")
                work.session.flush()
                raise ZeroDivisionError
            return Done()

        body["act"] = act
        ask(installation, acme, "tests.act")
        (row,) = installation.run_due()
        assert (row.state, row.last_error) == ("ready", "ZeroDivisionError")
        assert guests(acme) == []

    def test_keeps_a_secret_of_the_exception_out_of_the_row(self, installation: Installation, acme: Tenant):
        def act(_run: JobRun) -> Outcome:
            raise RuntimeError("password=hunter2")

        body["act"] = act
        ask(installation, acme, "tests.act")
        (row,) = installation.run_due()
        assert "hunter2" not in row.last_error

    def test_fails_after_its_last_attempt(self, installation: Installation, acme: Tenant):
        class Refused(Invalid):
            """Never works."""

        def refuse(_run: JobRun) -> Outcome:
            raise Refused("The address is wrong.")

        body["twice"] = refuse
        ask(installation, acme, "tests.twice")
        assert [row.state for row in installation.run_due()] == ["ready"]
        installation.cell("UPDATE cell.job SET run_at = now()")
        assert [(row.state, row.last_error) for row in installation.run_due()] == [("failed", "The address is wrong.")]

    def test_stays_done_when_it_stumbles_after_finishing(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        def act(run: JobRun) -> Outcome:
            with run.finish() as work:
                add_guest(work, "Bo")
            raise ZeroDivisionError

        body["act"] = act
        ask(installation, acme, "tests.act")
        assert [row.state for row in installation.run_due()] == ["done"]
        assert guests(acme) == ["Bo"]

    def test_waits_while_its_tenant_is_suspended(self, installation: Installation, acme: Tenant, guests: Guests):
        item = dispatch(installation, acme, "tests.greet", name="Bo")
        installation.set_state(acme, "suspended")
        installation.run_one(item)
        lose_lease(installation, item.job_id)
        assert installation.run_due() == []
        installation.set_state(acme, "active")
        assert [row.state for row in installation.run_due()] == ["done"]
        assert guests(acme) == ["Bo"]


class TestALease:
    def test_that_is_lost_brings_the_job_back_and_fences_the_late_worker(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        """The first worker stops in the middle; another does the job; then the first goes on."""
        errors: list[Exception] = []

        def act(run: JobRun) -> Outcome:
            if run.job.attempts == 1:
                lose_lease(installation, run.job.id)
                assert [row.state for row in installation.run_due()] == ["done"]
                for scope in (run.work, run.finish):
                    try:
                        with scope() as work:
                            add_guest(work, "late")
                    except LeaseLost as error:
                        errors.append(error)
                return Done()
            with run.finish() as work:
                add_guest(work, f"attempt {run.job.attempts}")
            return Done()

        body["act"] = act
        installation.run_one(dispatch(installation, acme, "tests.act"))
        assert len(errors) == 2
        assert guests(acme) == ["attempt 2"]
        (row,) = installation.jobs()
        assert (row.state, row.epoch) == ("done", 2)

    @pytest.mark.parametrize("outcome", list(OUTCOMES))
    def test_that_is_lost_takes_no_outcome_from_the_late_worker(
        self, installation: Installation, acme: Tenant, outcome: str
    ):
        def act(run: JobRun) -> Outcome:
            if run.job.attempts == 1:
                lose_lease(installation, run.job.id)
                installation.take()
            return OUTCOMES[outcome]

        body["act"] = act
        installation.run_one(dispatch(installation, acme, "tests.act"))
        (row,) = installation.jobs()
        assert (row.state, row.last_error) == ("dispatched", None)

    def test_of_a_message_that_never_arrived_runs_out(self, installation: Installation, acme: Tenant, guests: Guests):
        item = dispatch(installation, acme, "tests.greet", name="Bo")
        assert installation.take() == []
        lose_lease(installation, item.job_id)
        assert [row.state for row in installation.run_due()] == ["done"]
        installation.run_one(item)  # the message was only late
        assert guests(acme) == ["Bo"]

    def test_is_renewed_while_a_long_job_runs(self, installation: Installation, acme: Tenant):
        renewed: list[Any] = []

        def long(run: JobRun) -> Outcome:
            enough = threading.Event()
            first = installation.job(run.job.id).lease_until
            installation.cell("UPDATE cell.job SET lease_until = now() + interval '100 ms'")
            for _look in range(100):
                row = installation.cell("SELECT lease_until, lease_until > now() AS held FROM cell.job")[0]
                renewed.append(row)
                if len({r.lease_until for r in renewed}) > 3:
                    break
                enough.wait(0.02)
            assert first is not None
            return Done()

        body["patient"] = long
        installation.run_one(dispatch(installation, acme, "tests.patient"))
        assert len({row.lease_until for row in renewed}) > 3
        assert installation.jobs()[0].state == "done"

    def test_is_not_renewed_for_a_worker_that_lost_it(self, installation: Installation, acme: Tenant):
        beats = threading.Event()

        def long(run: JobRun) -> Outcome:
            lose_lease(installation, run.job.id)
            installation.cell("UPDATE cell.job SET state = 'running', epoch = epoch + 1, lease_until = now()")
            beats.wait(0.35)  # longer than the lease of this kind
            return Done()

        body["patient"] = long
        installation.run_one(dispatch(installation, acme, "tests.patient"))
        assert installation.cell("SELECT lease_until <= now() AS over FROM cell.job")[0].over

    def test_of_a_worker_known_to_be_dead_is_released_at_once(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        for tenant, worker in ((acme, "host-0"), (umbrella, "host-1")):
            job_id = dispatch(installation, tenant, "tests.greet", name="Bo").job_id
            installation.cell(
                "UPDATE cell.job SET state = 'running', worker = %s, lease_until = now() + interval '1 h',"
                " epoch = 1, attempts = 1 WHERE id = %s",
                *(worker, job_id),
            )
        assert release_worker(installation.databases, CELL, "host-0") == 1
        assert [row.tenant_id for row in installation.run_due()] == [acme.id]

    def test_is_renewed_by_the_next_beat_where_one_went_wrong(
        self, installation: Installation, acme: Tenant, monkeypatch: pytest.MonkeyPatch
    ):
        """Every job of a process hangs on one thread: a surprise must not end it."""
        beaten = threading.Event()
        surprises = [RuntimeError("a surprise")]

        def surprised(*given: Any, **named: Any) -> Any:
            if surprises:
                raise surprises.pop()
            beaten.set()
            return dispatcher_session(*given, **named)

        def wait(run: JobRun) -> Outcome:
            assert beaten.wait(3)
            return Done()

        monkeypatch.setattr("app.kernel.queue.heartbeat.dispatcher_session", surprised)
        body["patient"] = wait
        item = dispatch(installation, acme, "tests.patient")
        installation.run_one(item)
        assert installation.job(item.job_id).state == "done"

    def test_whose_message_died_with_a_worker_is_sent_again_at_once(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        """What a worker had fetched and not begun is nowhere any more; who still has such a message finds it done."""
        lost = dispatch(installation, acme, "tests.greet", name="Bo")
        assert installation.take() == []
        assert release_worker(installation.databases, CELL, "host-0") == 1
        assert [row.id for row in installation.run_due()] == [lost.job_id]
        installation.run_one(lost)
        assert guests(acme) == ["Bo"]

    def test_that_is_lost_each_time_ends_as_poisoned(self, installation: Installation, acme: Tenant, guests: Guests):
        """A poison job: whoever runs it dies by SIGKILL in the middle."""
        ask(installation, acme, "tests.kill", once=False)
        for _attempt in range(2):
            (item,) = installation.take()
            assert run_in_a_process(installation, item) == -signal.SIGKILL
            lose_lease(installation, item.job_id)
        (item,) = installation.take()
        assert run_in_a_process(installation, item) == 0
        row = installation.job(item.job_id)
        assert (row.state, row.attempts) == ("poisoned", 3)
        assert "2 workers in a row" in row.last_error
        assert guests(acme) == ["before 1", "before 2"]

    def test_is_kept_by_two_dispatchers_that_look_at_once(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            for number in range(20):
                work.enqueue("tests.greet", args={"name": f"{number}"})
        taken: list[Dispatched] = []
        threads = [threading.Thread(target=lambda: taken.extend(installation.take(window=15))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({item.job_id for item in taken}) == len(taken)

    def test_window_is_what_may_be_on_its_way(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            for number in range(5):
                work.enqueue("tests.greet", args={"name": f"{number}"})
        assert len(installation.take(window=3)) == 3
        assert installation.take(window=3) == []
        assert len(installation.take(window=4)) == 1


class TestBackoff:
    def test_grows_to_five_minutes_and_stays_there(self):
        seconds = [backoff(attempt).total_seconds() for attempt in (0, 1, 2, 3, 4, 5, 6, 1000)]
        assert seconds == [1, 1, 4, 16, 64, 256, 300, 300]


class TestJob:
    def test_is_registered_once(self):
        with pytest.raises(ValueError, match="two jobs"):
            job("tests.greet")(lambda _run: Done())

    def test_is_an_actor_of_its_own(self, installation: Installation, acme: Tenant):
        def act(run: JobRun) -> Outcome:
            with run.finish() as work:
                assert work.session.execute(text("SELECT current_setting('app.actor')")).scalar() == f"job:{run.job.id}"
                assert work.trace_id == "trace"
            return Done()

        body["act"] = act
        ask(installation, acme, "tests.act")
        assert [row.state for row in installation.run_due()] == ["done"]
