"""What an operator does to many jobs at once: counted first, one result each, an entry in each tenant's trail."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest

from app.bootstrap.commands.engine.jobs import NoSuchJob, run_care
from app.kernel.actor import Actor
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.outcomes import Done, GiveUp, Outcome
from app.kernel.queue.care.found import ENDED, Wanted, count_groups, find_jobs
from app.kernel.queue.jobs import JobRun, job
from app.kernel.work import Work
from app.tenancy.care.bulk import STATES_FOR, carry_out
from app.tenancy.rules import ReasonMissing
from tenants.tenant import Tenant
from tests.factories.installation import CELL, Installation

OPERATOR = Actor(kind="job", id=UUID(int=0), name="operator")
told: list[tuple[str, str]] = []


class Stubborn(Conflict):
    """It cannot be let go."""


def let_go(work: Work, args: dict[str, object], reason: str) -> None:
    if args["name"] == "stubborn":
        work.enqueue("tests.care.trace")
        raise Stubborn("It cannot be let go.")
    told.append((str(args["name"]), reason))


@job("tests.care", given_up=let_go)
def care(_run: JobRun, *, name: str) -> Outcome:
    return GiveUp("no luck") if name == "fails" else Done()


def ask(installation: Installation, tenant: Tenant, *names: str, kind: str = "tests.care") -> list[UUID]:
    with installation.work(tenant) as work:
        return [work.enqueue(kind, args={"name": name}) for name in names]


def trail(installation: Installation, tenant: Tenant, action: str) -> list[tuple[str, int]]:
    rows = installation.rows(tenant, "SELECT reason, body FROM {}.trail WHERE action = %s", action)
    return [(row.reason, len(row.body["jobs"])) for row in rows]


class TestCancel:
    def test_ends_what_nobody_has_and_tells_what_it_was_for(
        self, installation: Installation, acme: Tenant, umbrella: Tenant
    ):
        told.clear()
        ask(installation, acme, "a", "b", "stubborn")
        ask(installation, umbrella, "c")
        running = installation.take(window=1)[0]
        installation.cell("UPDATE cell.job SET state = 'running', worker = 'w' WHERE id = %s", running.job_id)
        meant = Wanted(states=STATES_FOR["cancel"], kind="tests.care")
        outcome = carry_out(installation.runtime, "cancel", meant, OPERATOR, reason="A mistake of ours.")
        assert outcome.chosen == 3
        assert outcome.counts == {"cancelled": 2, "refused": 1}
        assert [(found.args["name"], why) for found, why in outcome.troubles] == [("stubborn", "It cannot be let go.")]
        assert {reason for _name, reason in told} == {"A mistake of ours."}
        assert Counter(row.state for row in installation.jobs()) == {"cancelled": 2, "ready": 1, "running": 1}
        entries = [*trail(installation, acme, "tenancy.jobs.cancelled")]
        entries += trail(installation, umbrella, "tenancy.jobs.cancelled")
        assert sum(number for _reason, number in entries) == 2
        assert {reason for reason, _number in entries} == {"A mistake of ours."}

    def test_changes_nothing_without_a_reason(self, installation: Installation, acme: Tenant):
        ask(installation, acme, "a")
        with pytest.raises(ReasonMissing):
            carry_out(installation.runtime, "cancel", Wanted(), OPERATOR, reason=" ")
        assert installation.jobs()[0].state == "ready"

    def test_refuses_a_kind_whose_end_it_cannot_tell(self, installation: Installation, acme: Tenant):
        ask(installation, acme, "a", kind="tests.from_the_future")
        outcome = carry_out(installation.runtime, "cancel", Wanted(), OPERATOR, reason="x")
        assert outcome.counts == {"refused": 1}
        assert installation.jobs()[0].state == "ready"


class TestRetry:
    def test_brings_back_what_had_ended_with_all_its_attempts(self, installation: Installation, acme: Tenant):
        ask(installation, acme, "fails", "fails", "fine")
        installation.run_due()
        installation.cell("UPDATE cell.job SET state = 'poisoned', deaths = 5 WHERE id IN (SELECT id FROM cell.job"
                          " WHERE state = 'failed' LIMIT 1)")  # fmt: skip
        outcome = carry_out(installation.runtime, "retry", Wanted(states=ENDED), OPERATOR, reason="Mended.")
        assert outcome.counts == {"retried": 2}
        assert [(row.attempts, row.deaths) for row in installation.jobs() if row.state == "ready"] == [(0, None)] * 2
        assert trail(installation, acme, "tenancy.jobs.retried") == [("Mended.", 2)]
        assert carry_out(installation.runtime, "retry", Wanted(states=ENDED), OPERATOR, reason="Again.").chosen == 0


class TestTheCommand:
    def test_counts_first_and_changes_nothing(
        self, installation: Installation, acme: Tenant, capsys: pytest.CaptureFixture[str]
    ):
        ids = ask(installation, acme, "a", "b")
        assert run_care(["cancel", "--kind", "tests.care", "--state", "ready"], installation.runtime) == 0
        said = capsys.readouterr().out
        assert "2 jobs are meant. Nothing was changed" in said
        assert f"ready  tests.care  default  {acme.id}  2" in said
        assert {row.state for row in installation.jobs()} == {"ready"}
        with pytest.raises(ReasonMissing):
            run_care(["cancel", "--apply"], installation.runtime)
        assert run_care(["cancel", "--job", str(ids[0]), "--apply", "--reason", "x"], installation.runtime) == 0
        assert "1 jobs: 1 cancelled" in capsys.readouterr().out
        assert run_care(["list", "--older", "1h"], installation.runtime) == 0
        assert capsys.readouterr().out.endswith("no jobs\n")

    def test_shows_one(self, installation: Installation, acme: Tenant, capsys: pytest.CaptureFixture[str]):
        (job_id,) = ask(installation, acme, "a")
        assert run_care(["show", str(job_id)], installation.runtime) == 0
        assert f"tests.care {job_id}: ready" in capsys.readouterr().out
        with pytest.raises(NoSuchJob):
            run_care(["show", str(new_id())], installation.runtime)


class TestFound:
    def test_goes_through_all_pages_and_by_every_word(self, installation: Installation, acme: Tenant, umbrella: Tenant):
        ask(installation, acme, *"abcde")
        ask(installation, umbrella, "f")
        databases = installation.databases
        first = find_jobs(databases, CELL, Wanted(), most=4)
        rest = find_jobs(databases, CELL, Wanted(), most=4, after=first[-1].id)
        assert len({found.id for found in [*first, *rest]}) == 6
        groups = count_groups(databases, CELL, Wanted(states=("ready",)))
        assert [(group.tenant_id, group.number) for group in groups] == [(acme.id, 5), (umbrella.id, 1)]
        assert count_groups(databases, CELL, Wanted(queue="bulk")) == []
        assert count_groups(databases, CELL, Wanted(tenant_id=umbrella.id))[0].number == 1
