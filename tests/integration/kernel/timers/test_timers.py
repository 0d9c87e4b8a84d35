"""Timers fire once, never early, by the cell's business clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.kernel.ids import new_id
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun
from app.kernel.queue.timers.due import fire_timers
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation
from tests.integration.kernel.work_to_do import body

HOUR = timedelta(hours=1)


@pytest.fixture
def fired() -> list[dict[str, Any]]:
    """The arguments of every job that a timer has caused, in order."""
    seen: list[dict[str, Any]] = []

    def act(_run: JobRun, **args: Any) -> Outcome:
        seen.append(args)
        return Done()

    body["act"] = act
    return seen


def set_timer(installation: Installation, tenant: Tenant, *, after: timedelta, version: int = 1) -> UUID:
    subject = new_id()
    with installation.work(tenant) as work:
        work.set_timer("tests.act", subject_id=subject, due_at=work.now + after, version=version, args={"rung": 2})
    return subject


class TestATimer:
    def test_never_fires_early(self, installation: Installation, acme: Tenant, fired: list[dict[str, Any]]):
        set_timer(installation, acme, after=HOUR)
        assert installation.run_due() == []
        installation.move_clock(HOUR - timedelta(seconds=30))
        assert installation.run_due() == []
        installation.move_clock(timedelta(seconds=31))
        installation.run_due()
        assert len(fired) == 1

    def test_fires_once(self, installation: Installation, acme: Tenant, fired: list[dict[str, Any]]):
        set_timer(installation, acme, after=HOUR)
        installation.move_clock(2 * HOUR)
        for _ in range(3):
            installation.run_due()
        assert len(fired) == 1

    def test_tells_its_subject_version_and_arguments(
        self, installation: Installation, acme: Tenant, fired: list[dict[str, Any]]
    ):
        subject = set_timer(installation, acme, after=-HOUR, version=7)
        installation.run_due()
        assert {k: fired[0][k] for k in ("subject_id", "version", "rung")} == {
            "subject_id": str(subject),
            "version": 7,
            "rung": 2,
        }

    def test_of_a_stale_version_is_passed_through_for_the_job_to_ignore(
        self, installation: Installation, acme: Tenant, fired: list[dict[str, Any]]
    ):
        set_timer(installation, acme, after=-2 * HOUR, version=1)
        set_timer(installation, acme, after=-HOUR, version=2)
        installation.run_due()
        assert [args["version"] for args in fired] == [1, 2]

    def test_of_a_suspended_tenant_waits(
        self, installation: Installation, acme: Tenant, umbrella: Tenant, fired: list[dict[str, Any]]
    ):
        set_timer(installation, acme, after=-HOUR)
        subject = set_timer(installation, umbrella, after=-HOUR)
        installation.set_state(acme, "suspended")
        installation.run_due()
        assert [args["subject_id"] for args in fired] == [str(subject)]
        installation.set_state(acme, "active")
        installation.run_due()
        assert len(fired) == 2

    def test_fires_once_under_two_dispatchers_at_once(
        self, installation: Installation, acme: Tenant, fired: list[dict[str, Any]]
    ):
        with installation.work(acme) as work:
            for _ in range(250):
                work.set_timer("tests.act", subject_id=new_id(), due_at=work.now, version=1)
        with ThreadPoolExecutor(2) as threads:
            turns = threads.map(lambda _: sum(fire_timers(installation.databases, CELL) for _ in range(3)), range(2))
        assert sum(turns) == 250
        timers = [one["subject_id"] for job in installation.jobs() for one in job.args["timers"]]
        assert (len(timers), len(set(timers))) == (250, 250)
        assert fired == []

    def test_is_not_lost_when_the_business_clock_goes_back(
        self, installation: Installation, acme: Tenant, fired: list[dict[str, Any]]
    ):
        set_timer(installation, acme, after=HOUR)
        installation.move_clock(-2 * HOUR)
        assert installation.run_due() == []
        installation.move_clock(4 * HOUR)
        installation.run_due()
        assert len(fired) == 1
