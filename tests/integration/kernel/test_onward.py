"""What a job leads to goes on in the same worker at once: claimed by the commit that asks for it, and never twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app.kernel.ids import new_id
from app.kernel.outcomes import Done, Outcome, TryAgain
from app.kernel.queue import execution
from app.kernel.queue.dispatcher import release_worker
from app.kernel.queue.execution import run_jobs
from app.kernel.queue.jobs import JobRun
from app.kernel.queue.standing import hand_out_again, stop_handing_out
from app.kernel.work import Work
from tenants.sessions import tenant_cursor
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation, make_databases, make_runtime
from tests.integration.kernel.test_jobs import ask
from tests.integration.kernel.work_to_do import GuestArrived, GuestRefused, add_guest, arrive, beginning, body

Guests = Callable[[Tenant], list[str]]


def work_on(installation: Installation, runtime: Any = None) -> int:
    """Run what is ready as a worker does; how many messages it took."""
    taken = installation.take()
    for one in taken:
        run_jobs(
            runtime or installation.runtime, cell=CELL, tenant_id=one.tenant_id, job_id=one.job_id, worker="worker-1"
        )
    return len(taken)


def work_until_killed(installation: Installation) -> int:
    """The same in a process of its own, with connections of its own; how that ended."""
    if (child := os.fork()) == 0:
        try:
            work_on(installation, make_runtime(make_databases(installation.urls, installation.key)))
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def step(run: JobRun, *, left: int, **more: Any) -> Outcome:
    """One guest, and the next step."""
    with run.finish() as work:
        add_guest(work, f"step {left}")
        if left:
            work.enqueue("tests.act", args={"left": left - 1}, **more)
    return Done()


def states(installation: Installation) -> list[tuple[str, int, int]]:
    return [(row.state, row.attempts, row.epoch) for row in installation.jobs()]


class TestAChain:
    @pytest.fixture(autouse=True)
    def _steps(self, monkeypatch: pytest.MonkeyPatch) -> None:
        body["act"] = step
        monkeypatch.setattr(execution, "_AT_MOST", 60.0)  # a machine that is busy must not end a chain here

    def test_goes_on_from_one_message(self, installation: Installation, acme: Tenant, guests: Guests):
        ask(installation, acme, "tests.act", left=4)
        assert work_on(installation) == 1
        assert guests(acme) == [f"step {left}" for left in (4, 3, 2, 1, 0)]
        assert states(installation) == [("done", 1, 1)] * 5

    def test_lets_others_have_their_turn(self, installation: Installation, acme: Tenant, guests: Guests):
        ask(installation, acme, "tests.act", left=20)
        assert work_on(installation) == 1
        assert len(guests(acme)) == execution._IN_A_ROW
        assert states(installation)[-1] == ("ready", 0, 0)
        assert work_on(installation) == 1
        assert len(guests(acme)) == 21

    def test_ends_when_it_takes_long(self, installation: Installation, acme: Tenant, guests: Guests, monkeypatch):
        monkeypatch.setattr(execution, "_AT_MOST", 0.0)
        ask(installation, acme, "tests.act", left=1)
        work_on(installation)
        assert guests(acme) == ["step 1"]
        assert states(installation) == [("done", 1, 1), ("ready", 0, 0)]

    @pytest.mark.parametrize("more", [{"lane": "one"}, {"queue": "bulk"}])
    def test_leaves_what_has_a_place_of_its_own_to_the_dispatcher(
        self, installation: Installation, acme: Tenant, guests: Guests, more: dict[str, Any]
    ):
        body["act"] = lambda run, left: step(run, left=left, **more)
        ask(installation, acme, "tests.act", left=1)
        work_on(installation)
        assert guests(acme) == ["step 1"]
        assert work_on(installation) == 1
        assert guests(acme) == ["step 1", "step 0"]

    def test_leaves_what_is_for_later(self, installation: Installation, acme: Tenant):
        def later(run: JobRun, left: int) -> Outcome:
            with run.finish() as work:
                work.enqueue("tests.act", args={"left": left}, run_at=work.database_now + timedelta(seconds=30))
            return Done()

        body["act"] = later
        ask(installation, acme, "tests.act", left=0)
        work_on(installation)
        assert states(installation) == [("done", 1, 1), ("ready", 0, 0)]

    def test_begins_nothing_that_was_asked_for_before(self, installation: Installation, acme: Tenant):
        def same(run: JobRun, left: int) -> Outcome:
            with run.finish() as work:
                work.enqueue("tests.act", args={"left": left}, dedupe_key="known")
            return Done()

        with installation.work(acme) as work:
            work.enqueue("tests.greet", args={"name": "Bo"}, dedupe_key="known", lane="held")
            work.enqueue("tests.greet", args={"name": "Cy"}, dedupe_key="first", lane="held")
        body["act"] = same
        first = ask(installation, acme, "tests.act", left=0)
        taken = next(one for one in installation.take() if one.job_id == first)
        run_jobs(installation.runtime, cell=CELL, tenant_id=acme.id, job_id=taken.job_id, worker="worker-1")
        assert [row.state for row in installation.jobs("tests.act")] == ["done"]
        assert len(installation.jobs()) == 3

    def test_stops_in_a_drained_cell(self, installation: Installation, acme: Tenant, guests: Guests):
        def drained(run: JobRun, left: int) -> Outcome:
            stop_handing_out(installation.databases, CELL, reason="maintenance")
            return step(run, left=left)

        body["act"] = drained
        ask(installation, acme, "tests.act", left=3)
        work_on(installation)
        assert guests(acme) == ["step 3"]
        assert states(installation) == [("done", 1, 1), ("ready", 0, 0)]
        body["act"] = step
        hand_out_again(installation.databases, CELL)
        work_on(installation)
        assert len(guests(acme)) == 4

    def test_begins_nothing_when_it_is_to_be_tried_again(self, installation: Installation, acme: Tenant):
        def again(run: JobRun, left: int) -> Outcome:
            with run.finish(TryAgain(after=timedelta(minutes=1), reason="busy")) as work:
                work.enqueue("tests.act", args={"left": left})
            return Done()

        body["act"] = again
        ask(installation, acme, "tests.act", left=0)
        work_on(installation)
        assert states(installation) == [("ready", 1, 1), ("ready", 0, 0)]

    def test_is_gone_on_with_by_the_restart_of_a_killed_worker(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        def deadly(run: JobRun, left: int) -> Outcome:
            if left == 2:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(run, left=left)

        body["act"] = deadly
        ask(installation, acme, "tests.act", left=4)
        assert work_until_killed(installation) == -signal.SIGKILL
        assert states(installation) == [("done", 1, 1), ("done", 1, 1), ("running", 1, 1)]
        body["act"] = step
        assert release_worker(installation.databases, CELL, "worker-1") == 1
        assert work_on(installation) == 1
        assert guests(acme) == [f"step {left}" for left in (4, 3, 2, 1, 0)]


_TRANSACTION = text("SELECT pg_current_xact_id()::text")


class TestWhatAKindDoesFirst:
    """What comes before a job's own part is done by the commit that claims it, and else by itself."""

    @pytest.fixture(autouse=True)
    def seen(self, monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
        monkeypatch.setattr(execution, "_AT_MOST", 60.0)
        seen: dict[str, list[Any]] = {"transactions": [], "first": [], "actors": []}

        def lead(run: JobRun, **_args: Any) -> Outcome:
            with run.finish() as work:
                seen["transactions"].append(work.session.execute(_TRANSACTION).scalar_one())
                add_guest(work, "lead")
                work.enqueue("tests.prepared", args={"name": "Bo"})
            return Done()

        def first(work: Work, args: dict[str, Any]) -> str:
            seen["transactions"].append(work.session.execute(_TRANSACTION).scalar_one())
            entry = arrive(work, args["name"])
            seen["actors"].append(entry)
            return f"first of {args['name']}"

        def prepared(run: JobRun, *, name: str) -> Outcome:
            seen["first"].append(run.first())
            with run.finish() as work:
                add_guest(work, f"then {name}")
            return Done()

        body["act"], body["prepared"], beginning["prepared"] = lead, prepared, first
        return seen

    def test_happens_in_the_commit_that_claims_it(
        self, installation: Installation, acme: Tenant, guests: Guests, seen: dict[str, list[Any]]
    ):
        ask(installation, acme, "tests.act")
        assert work_on(installation) == 1
        assert guests(acme) == ["lead", "Bo", "then Bo"]
        assert seen["first"] == ["first of Bo"]
        assert len(seen["transactions"]) == 2
        assert len(set(seen["transactions"])) == 1

    def test_is_recorded_as_its_own(self, installation: Installation, acme: Tenant, seen: dict[str, list[Any]]):
        ask(installation, acme, "tests.act")
        work_on(installation)
        (job,) = installation.jobs("tests.prepared")
        (entry,) = installation.rows(acme, "SELECT * FROM {}.trail WHERE id = %s", seen["actors"][0])
        assert (entry.actor_kind, entry.actor_id, entry.actor_name) == ("job", job.id, "tests.prepared")

    def test_happens_by_itself_where_a_dispatcher_hands_it_out(
        self, installation: Installation, acme: Tenant, guests: Guests, seen: dict[str, list[Any]]
    ):
        ask(installation, acme, "tests.prepared", name="Cy")
        work_on(installation)
        assert guests(acme) == ["Cy", "then Cy"]
        assert seen["first"] == ["first of Cy"]

    def test_that_is_refused_takes_nothing_with_it(self, installation: Installation, acme: Tenant, guests: Guests):
        def refused(work: Work, args: dict[str, Any]) -> object:
            raise GuestRefused("no")

        beginning["prepared"] = refused
        ask(installation, acme, "tests.act")
        work_on(installation)
        assert guests(acme) == ["lead"]
        (job,) = installation.jobs("tests.prepared")
        assert (job.state, job.last_error) == ("ready", "no")  # tried again later, with the reason

    def test_is_done_again_after_a_kill(
        self, installation: Installation, acme: Tenant, guests: Guests, seen: dict[str, list[Any]]
    ):
        whole = body["prepared"]
        body["prepared"] = lambda *_run, **_args: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]  # it never returns
        ask(installation, acme, "tests.act")
        assert work_until_killed(installation) == -signal.SIGKILL
        body["prepared"] = whole
        assert release_worker(installation.databases, CELL, "worker-1") == 1
        assert work_on(installation) == 1
        assert guests(acme) == ["lead", "Bo", "Bo", "then Bo"]
        assert seen["first"] == ["first of Bo"]

    def test_is_nothing_for_other_kinds(self, installation: Installation, acme: Tenant):
        body["act"] = lambda run: run.first()
        job_id = ask(installation, acme, "tests.act")
        work_on(installation)
        assert "LookupError" in installation.job(job_id).last_error


class TestBeginJob:
    def begin(self, installation: Installation, tenant: Tenant, job_id: UUID) -> int | None:
        with tenant_cursor(installation.databases, tenant, actor="attack") as (cursor, _entered):
            row = cursor.execute("SELECT cell.begin_job(%s, 'worker-9', 15)", [job_id]).fetchone()
        return row[0] if row else None

    def test_takes_no_job_of_another_tenant(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        job_id = ask(installation, umbrella, "tests.greet", name="Bo")
        assert self.begin(installation, acme, job_id) is None
        assert installation.job(job_id).state == "ready"

    def test_takes_a_job_once(self, installation: Installation, acme: Tenant):
        job_id = ask(installation, acme, "tests.greet", name="Bo")
        assert self.begin(installation, acme, job_id) == 1
        assert self.begin(installation, acme, job_id) is None

    def test_takes_none_that_a_message_is_out_for(self, installation: Installation, acme: Tenant):
        job_id = ask(installation, acme, "tests.greet", name="Bo")
        assert installation.take()
        assert self.begin(installation, acme, job_id) is None


class TestOnALane:
    """One run may do what those behind it would do: of a state that they would only read again."""

    def ask(self, work: Work, number: int) -> None:
        work.enqueue("tests.act", args={"number": number}, lane="card", dedupe_key=f"card:{number}")

    def test_one_does_what_was_asked_for_before_it_reads(self, installation: Installation, acme: Tenant):
        ran = []

        def read(run: JobRun, number: int) -> Outcome:
            ran.append(number)
            with run.work() as work:
                run.reads_for_later(work)
            if number == 0:
                with installation.work(acme) as other:
                    self.ask(other, 9)  # asked for after the reading
            return Done()

        body["act"] = read
        with installation.work(acme) as work:
            for number in range(4):
                self.ask(work, number)
        installation.run_due()
        assert ran == [0, 9]
        assert {row.state for row in installation.jobs()} == {"done"}

    def test_one_that_fails_does_not_end_the_others(self, installation: Installation, acme: Tenant):
        ran = []

        def read(run: JobRun, number: int) -> Outcome:
            ran.append(number)
            with run.work() as work:
                run.reads_for_later(work)
            if len(ran) == 1:
                return TryAgain(after=timedelta(0), reason="busy")
            return Done()

        body["act"] = read
        with installation.work(acme) as work:
            for number in range(3):
                self.ask(work, number)
        installation.run_due()
        assert ran == [0, 0]

    def test_what_is_gathered_waits_where_the_work_goes_on(self, installation: Installation, acme: Tenant):
        """Four steps in a row ask for a line each: those that another step follows have a second."""

        def step(run: JobRun, *, left: int) -> Outcome:
            with run.finish() as work:
                work.enqueue("tests.greet", args={"name": "Bo"}, lane="card", dedupe_key=f"{left}", gathered=True)
                if left:
                    work.enqueue("tests.act", args={"left": left - 1})
            return Done()

        body["act"] = step
        ask(installation, acme, "tests.act", left=3)
        assert work_on(installation) == 1
        cards = installation.jobs("tests.greet")
        waits = [(card.run_at - card.created_at).total_seconds() for card in cards]
        assert waits == [1, 1, 1, 0]
        assert installation.take() == [], "and the lane keeps its order"

    def test_what_is_gathered_comes_at_once_where_nothing_follows(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            work.enqueue("tests.greet", args={"name": "Bo"}, lane="card", gathered=True)
            work.enqueue("tests.greet", args={"name": "Di"})
        assert len(installation.take()) == 2

    def test_nobody_ends_what_waits_on_no_lane_or_elsewhere(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        own, theirs = (ask(installation, tenant, "tests.greet", name="Bo") for tenant in (acme, umbrella))
        with tenant_cursor(installation.databases, acme, actor="attack") as (cursor, _entered):
            assert cursor.execute("SELECT cell.finish_waiting(%s)", [[own, theirs]]).fetchone() == (0,)
            assert cursor.execute("SELECT cell.later_on_lane(%s)", [theirs]).fetchone() == ([],)
        assert [row.state for row in installation.jobs()] == ["ready", "ready"]


class TestAnAttempt:
    def refused(self, work: Work) -> None:
        arrive(work, "Cy")
        work.enqueue("tests.greet", args={"name": "Di"})
        work.session.flush()
        raise GuestRefused("no")

    def test_that_fails_leaves_nothing_and_the_rest_is_kept(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        with installation.work(acme) as work:
            arrive(work, "Bo")
            with pytest.raises(GuestRefused), work.attempt():
                self.refused(work)
            arrive(work, "Ed")
        assert guests(acme) == ["Bo", "Ed"]
        told = installation.rows(acme, "SELECT body ->> 'note' AS note FROM {}.trail ORDER BY id")
        assert [row.note for row in told] == ["Bo", "Ed"]
        assert installation.jobs() == []
        assert len(installation.cell("SELECT FROM cell.outbox")) == 2

    def test_that_the_database_refuses_leaves_the_rest_to_be_done(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            with pytest.raises(Exception, match="division"), work.attempt():
                work.session.execute(text("SELECT 1/0"))
            work.announce(GuestArrived(subject_id=new_id(), note="Bo"))
        assert len(installation.cell("SELECT FROM cell.outbox")) == 1
