"""State and its marks commit together or not at all, whatever happens in between."""

# ruff: noqa: S608, PT012 - names of our own tables; a unit of work needs a body to be broken in
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from psycopg.errors import UniqueViolation
from sqlalchemy import event, text

from app.kernel.ids import new_id
from app.kernel.queue.jobs import job_kind
from app.kernel.work import TenantNotActive, Work
from tenants.sessions import DatabaseAway
from tenants.tenant import Tenant
from tests.factories.installation import Installation, person
from tests.integration.kernel.conftest import terminate
from tests.integration.kernel.work_to_do import GuestArrived, add_guest, arrive

Guests = Callable[[Tenant], list[str]]


def leave_every_mark(work: Work) -> None:
    arrive(work, "ghost")
    work.enqueue("tests.greet", args={"name": "late"})
    work.set_timer("tests.act", subject_id=new_id(), due_at=work.now, version=1)
    work.remember_command("k", fingerprint="f", result={})
    assert work.admit_once("hubspot", "1")


def counts(installation: Installation, tenant: Tenant) -> dict[str, int]:
    """How many rows of every kind are really there."""
    marks = {
        t: installation.cell(f"SELECT count(*) AS n FROM cell.{t}")[0].n for t in ("outbox", "job", "timer", "inbox")
    }
    own = ("trail", "command", "member")
    return marks | {t: installation.rows(tenant, f"SELECT count(*) AS n FROM {{}}.{t}")[0].n for t in own}


NOTHING = dict.fromkeys(("outbox", "job", "timer", "inbox", "trail", "command", "member"), 0)


class TestWork:
    def test_commits_the_state_with_all_its_marks(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            leave_every_mark(work)
        assert counts(installation, acme) == dict.fromkeys(NOTHING, 1)
        assert installation.wake.topics.count("jobs") == 1

    def test_leaves_nothing_when_the_operation_fails(self, installation: Installation, acme: Tenant):
        with pytest.raises(ZeroDivisionError), installation.work(acme) as work:
            leave_every_mark(work)
            raise ZeroDivisionError
        assert counts(installation, acme) == NOTHING
        assert installation.wake.topics == []

    @pytest.mark.parametrize("moment", ["after_flush", "commit"])
    def test_leaves_nothing_when_the_server_process_dies(self, installation: Installation, acme: Tenant, moment: str):
        with pytest.raises(DatabaseAway), installation.work(acme) as work:
            backend = work.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            leave_every_mark(work)
            place = work.session.connection() if moment == "commit" else work.session  # each tells of it beforehand
            event.listen(place, moment, lambda *_: terminate(backend), once=True)
        assert counts(installation, acme) == NOTHING
        assert installation.wake.topics == []
        with installation.work(acme) as work:
            leave_every_mark(work)
        assert counts(installation, acme) == dict.fromkeys(NOTHING, 1)

    def test_leaves_nothing_when_one_mark_is_refused(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            work.remember_command("taken", fingerprint="f", result={})
        with pytest.raises(UniqueViolation), installation.work(acme) as work:
            leave_every_mark(work)
            work.remember_command("taken", fingerprint="f", result={})
        assert counts(installation, acme) == NOTHING | {"command": 1}

    def test_promises_nothing_about_a_commit_that_was_cut_off(self, installation: Installation, acme: Tenant):
        with pytest.raises(DatabaseAway) as early, installation.work(acme) as work:
            terminate(work.session.execute(text("SELECT pg_backend_pid()")).scalar_one())
            work.session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseAway) as late, installation.work(acme) as work:
            backend = work.session.execute(text("SELECT pg_backend_pid()")).scalar_one()
            event.listen(work.session.connection(), "commit", lambda *_: terminate(backend), once=True)
        assert "Nothing was changed" in str(early.value)
        assert "Nothing was changed" not in str(late.value)

    @pytest.mark.parametrize("state", ["seeding", "suspended", "exporting", "shredded", "dropped"])
    def test_is_refused_in_a_tenant_that_is_not_active(self, installation: Installation, acme: Tenant, state: str):
        installation.set_state(acme, state)  # and `acme` still says active, as a stale directory would
        with pytest.raises(TenantNotActive, match=state), installation.work(acme) as work:
            arrive(work, "ghost")
        assert counts(installation, acme) == NOTHING

    def test_admits_a_message_from_outside_once_for_each_tenant(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        for tenant in (acme, umbrella):
            with installation.work(tenant) as work:
                assert work.admit_once("hubspot", "42")
                assert not work.admit_once("hubspot", "42")
                assert work.admit_once("salesforce", "42")

    def test_writes_under_the_actor_and_the_trace(self, installation: Installation, acme: Tenant):
        ann = person("Ann")
        with installation.work(acme, ann, trace_id="t-1") as work:
            entry = arrive(work, "née \u202e 日本 'quoted' \"x\" \\ {}")
            job_id = work.enqueue("tests.greet", args={"name": "x"})
        row = installation.rows(acme, "SELECT * FROM {}.trail WHERE id = %s", entry)[0]
        assert (row.actor_kind, row.actor_id, row.actor_name, row.trace_id) == ("person", ann.id, "Ann", "t-1")
        assert row.body == {"note": "née \u202e 日本 'quoted' \"x\" \\ {}"}
        assert installation.job(job_id).trace_id == "t-1"
        assert installation.cell("SELECT id, trace_id FROM cell.outbox") == [(entry, "t-1")]

    def test_carries_a_thousand_events_in_one_commit(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            for number in range(1000):
                work.announce(GuestArrived(subject_id=new_id(), note=f"{number:0200}"))
        assert counts(installation, acme)["trail"] == 1000

    def test_asks_once_for_a_job_of_the_same_key(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        for tenant in (acme, acme, umbrella):
            with installation.work(tenant) as work:
                work.enqueue("tests.greet", args={"name": "once"}, dedupe_key="same")
                work.enqueue("tests.greet", args={"name": "once"}, dedupe_key="same")
        assert [job.tenant_id for job in installation.jobs()] == [acme.id, umbrella.id]

    def test_runs_what_it_asked_for_in_the_asking_tenant_only(
        self, installation: Installation, acme: Tenant, umbrella: Tenant, guests: Guests
    ):
        with installation.work(acme) as work:
            work.enqueue("tests.greet", args={"name": "Bo"})
        assert [job.state for job in installation.run_due()] == ["done"]
        assert (guests(acme), guests(umbrella)) == (["Bo"], [])

    def test_keeps_a_job_that_is_not_due_on_the_databases_clock(self, installation: Installation, acme: Tenant):
        with installation.work(acme) as work:
            work.enqueue("tests.greet", args={"name": "later"}, run_at=work.database_now + timedelta(hours=1))
        installation.move_clock(timedelta(days=2))
        assert installation.run_due() == []

    def test_rights_are_those_at_the_moment_of_the_transaction(self, installation: Installation, acme: Tenant):
        ann = person("Ann")
        with installation.work(acme, ann) as work:
            add_guest(work, "somebody else")
            assert work.rights == frozenset()

    def test_knows_its_test_jobs(self):
        assert job_kind("tests.greet") is not None
