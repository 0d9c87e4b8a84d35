"""Timers of one tenant that come due together: one transaction, and none of them pays for another."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest

from app.kernel.ids import new_id
from app.kernel.queue.dispatcher import recover_leases, release_worker
from app.kernel.queue.execution import run_job
from app.kernel.queue.fair.ages import read_waits
from app.kernel.queue.listing import list_jobs
from app.kernel.queue.standing import hand_out_again, stop_handing_out
from app.kernel.queue.timers import together
from app.kernel.queue.timers.due import TOGETHER, fire_timers
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation, make_databases, make_runtime

Guests = Callable[[Tenant], list[str]]
KIND = "tests.gather"
MANY = [f"guest {number:02}" for number in range(60)]


def set_timers(installation: Installation, tenant: Tenant, notes: Sequence[str], *, kind: str = KIND) -> None:
    """A timer for each note, each due a moment after the one before, the last of them now."""
    with installation.work(tenant) as work:
        for before, note in enumerate(reversed(notes)):
            due = work.now - timedelta(milliseconds=before)
            work.set_timer(kind, subject_id=new_id(), due_at=due, version=1, args={"note": note})


def numbers(installation: Installation, *kinds: str) -> list[int]:
    """Of how many timers each job is, oldest first."""
    return [len(job.args.get("timers", [job.args])) for kind in kinds or (KIND,) for job in installation.jobs(kind)]


def work_until_killed(installation: Installation) -> None:
    """Fire and run in a process of its own, which does not come to its end."""
    if (child := os.fork()) == 0:
        try:
            runtime = make_runtime(make_databases(installation.urls, installation.key))
            for one in installation.take():
                run_job(runtime, cell=CELL, tenant_id=one.tenant_id, job_id=one.job_id, worker="mortal")
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9


def again(installation: Installation) -> None:
    """What was tried in vain is due again now."""
    installation.cell("UPDATE cell.job SET run_at = now() WHERE state = 'ready'")


class TestTimersTogether:
    def test_are_one_job_up_to_fifty_and_happen_in_their_order(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        set_timers(installation, acme, MANY)
        installation.run_due()
        assert numbers(installation) == [TOGETHER, len(MANY) - TOGETHER]
        assert guests(acme) == MANY
        assert {job.state for job in installation.jobs()} == {"done"}

    def test_are_of_one_tenant_and_of_one_kind(
        self, installation: Installation, acme: Tenant, umbrella: Tenant, guests: Guests
    ):
        set_timers(installation, acme, ["a", "b"])
        set_timers(installation, acme, ["c", "d"], kind="tests.note")
        set_timers(installation, umbrella, ["e", "f", "g"])
        fire_timers(installation.databases, CELL)
        assert sorted(numbers(installation)) == [2, 3]
        assert numbers(installation, "tests.note") == [2]
        installation.run_due()
        assert sorted(guests(acme)) == ["a", "b", "c", "d"]
        assert guests(umbrella) == ["e", "f", "g"]

    def test_of_a_kind_that_does_one_at_a_time_have_a_job_each(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        set_timers(installation, acme, ["a", "b", "c"], kind="tests.note")
        installation.run_due()
        assert numbers(installation, "tests.note") == [3, 1, 1, 1]
        assert guests(acme) == ["a", "b", "c"]

    def test_wait_while_their_tenant_rests(self, installation: Installation, acme: Tenant, guests: Guests):
        set_timers(installation, acme, MANY)
        fire_timers(installation.databases, CELL)
        installation.set_state(acme, "suspended")
        assert installation.run_due() == []
        installation.set_state(acme, "active")
        installation.run_due()
        assert guests(acme) == MANY

    def test_wait_while_nothing_is_handed_out(self, installation: Installation, acme: Tenant, guests: Guests):
        stop_handing_out(installation.databases, CELL, reason="new disks")
        set_timers(installation, acme, MANY)
        assert installation.run_due() == []
        assert len(installation.jobs()) == 2
        hand_out_again(installation.databases, CELL)
        installation.run_due()
        assert guests(acme) == MANY

    def test_wait_until_a_few_others_of_their_process_have_been_fired(
        self, installation: Installation, acme: Tenant, guests: Guests, monkeypatch: pytest.MonkeyPatch
    ):
        turn = threading.BoundedSemaphore(1)
        monkeypatch.setattr(together, "_turn", turn)
        set_timers(installation, acme, MANY[:3])
        fire_timers(installation.databases, CELL)
        with turn:
            worker = threading.Thread(target=installation.run_one, args=installation.take())
            worker.start()
            worker.join(0.5)
            assert guests(acme) == []
        worker.join()
        assert guests(acme) == MANY[:3]


class TestOneThatFails:
    def test_is_tried_alone_and_given_up_alone(self, installation: Installation, acme: Tenant, guests: Guests):
        notes = [*MANY[:20], "poison", *MANY[20:40]]
        set_timers(installation, acme, notes)
        for _try in range(12):
            installation.run_due()
            again(installation)
        assert guests(acme) == MANY[:40]
        failed = [job for job in installation.jobs() if job.state != "done"]
        assert [(job.state, job.args["note"], job.last_error) for job in failed] == [
            ("failed", "poison", "Not this one.")
        ]

    def test_with_its_worker_leaves_nothing_half_done(self, installation: Installation, acme: Tenant, guests: Guests):
        set_timers(installation, acme, [*MANY[:20], "deadly"])
        fire_timers(installation.databases, CELL)
        work_until_killed(installation)
        assert guests(acme) == []
        assert [job.state for job in installation.jobs()] == ["running"]

    def test_with_its_worker_each_time_takes_no_other_with_it(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        set_timers(installation, acme, [*MANY[:5], "deadly"])
        fire_timers(installation.databases, CELL)
        for _death in range(2):
            work_until_killed(installation)
            release_worker(installation.databases, CELL, "mortal")
        installation.cell("UPDATE cell.job SET attempts = 8 WHERE args ->> 'note' = 'deadly'")
        for one in installation.take():
            installation.run_one(one)
        installation.cell("UPDATE cell.job SET attempts = 8 WHERE args ->> 'note' = 'deadly'")  # its deaths, alone
        installation.run_due()
        assert guests(acme) == MANY[:5]
        assert [job.args["note"] for job in installation.jobs() if job.state == "poisoned"] == ["deadly"]

    def test_by_the_loss_of_the_lease_happens_once_in_the_hands_of_another(
        self, installation: Installation, acme: Tenant, guests: Guests
    ):
        set_timers(installation, acme, MANY[:10])
        fire_timers(installation.databases, CELL)
        [taken] = installation.take()
        installation.cell("UPDATE cell.job SET state = 'running', epoch = 7, lease_until = now() - interval '1 second'")
        recover_leases(installation.databases, CELL)
        installation.run_one(taken)  # the message of the one who was silent: there is nothing to claim
        assert guests(acme) == []
        installation.run_due()
        assert guests(acme) == MANY[:10]


class TestTheirJob:
    @pytest.mark.parametrize(("late", "waits"), [(timedelta(seconds=20), 20), (timedelta(hours=3), 60)])
    def test_waits_since_they_were_due_yet_no_longer_than_a_minute(
        self, installation: Installation, acme: Tenant, late: timedelta, waits: int
    ):
        with installation.work(acme) as work:
            for note in ("a", "b"):
                work.set_timer(KIND, subject_id=new_id(), due_at=work.now, version=1, args={"note": note})
        installation.move_clock(late)
        fire_timers(installation.databases, CELL)
        assert read_waits(installation.databases, CELL).oldest == pytest.approx(waits, abs=5)

    def test_tells_of_the_onboarding_of_each_by_its_id(self, installation: Installation, acme: Tenant):
        set_timers(installation, acme, ["a", "b"])
        fire_timers(installation.databases, CELL)
        [job] = installation.jobs()
        told: list[dict[str, Any]] = job.args["timers"]
        assert [set(one) for one in told] == [{"note", "subject_id", "version", "due_at"}] * 2
        assert [one["note"] for one in told] == ["a", "b"]
        for one in told:
            assert [line.id for line in list_jobs(installation.databases, acme, [one["subject_id"]])] == [job.id]
        assert list_jobs(installation.databases, acme, [str(new_id())]) == []
