"""What an operator types about running work: inspect, retry, verify. Over a real onboarding with a real failure."""

# ruff: noqa: S608 - names of our own tables

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from app.bootstrap.commands.engine.onboardings import NoSuchOnboarding, run_history, run_onboardings
from app.kernel.ids import new_id
from app.onboarding.operations.operator.again import RetryReasonMissing
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, walk

TASK = "task.describe_environment"
# What somebody does to the rows, and what is said of it.
DAMAGES = {
    f"UPDATE {{}}.item SET state = 'done' WHERE key = '{TASK}'": f"{TASK} state: stored 'done', replayed 'open'",
    """UPDATE {}.onboarding SET snapshot = snapshot || '{"reference": "x"}'""": "snapshot reference: stored 'x'",
    "UPDATE {}.onboarding SET state = 'finished'": "onboarding state: stored 'finished', replayed 'running'",
    "DELETE FROM {}.journal WHERE seq = 2": "entry 2 of the journal is missing",
    """UPDATE {}.journal SET event = jsonb_set(event, '{gate}', '"gate.none"') WHERE event ? 'gate'""": "is refused",
    f"DELETE FROM {{}}.item WHERE key = '{TASK}'": f"item {TASK}: has no row",
}


@dataclass
class Stage:
    """An onboarding in the middle, and its shop."""

    shop: MainJob
    tenant: Tenant
    id: UUID


@pytest.fixture(scope="module")
def stage(shop: MainJob) -> Stage:
    deal = shop.sell(company="Operated", email="o@operated.example")
    shop.tell(deal)
    shop.run()
    tenant, onboarding_id = shop.started(deal)
    connect_product(shop, tenant)
    walk(shop, tenant, onboarding_id, until="task.describe_environment")
    return Stage(shop, tenant, onboarding_id)


def fail(stage: Stage, *, kind: str) -> UUID:
    """The newest job of this kind has been given up."""
    [row] = stage.shop.installation.cell(
        "UPDATE cell.job SET state = 'failed', attempts = 8, epoch = 8, finished_at = now(), last_error = 'no luck'"
        " WHERE id = (SELECT id FROM cell.job WHERE kind = %s AND tenant_id = %s ORDER BY created_at DESC, id DESC"
        " LIMIT 1) RETURNING id",
        *(kind, stage.tenant.id),
    )
    job_id: UUID = row.id
    return job_id


def jobs(stage: Stage, job_id: UUID) -> tuple[str, int, int]:
    row = stage.shop.installation.job(job_id)
    return row.state, row.attempts, row.epoch


@contextmanager
def kept(stage: Stage) -> Iterator[None]:
    """The rows are as they were afterwards."""
    run = partial(stage.shop.installation.rows, stage.tenant)
    for name in ("item", "journal", "onboarding"):
        run(f"CREATE TEMP TABLE was_{name} AS SELECT * FROM {{}}.{name}")
    try:
        yield
    finally:
        for name in ("item", "journal"):
            run(f"DELETE FROM {{}}.{name}")
            run(f"INSERT INTO {{}}.{name} SELECT * FROM was_{name}")
        run("UPDATE {}.onboarding o SET snapshot = k.snapshot, state = k.state FROM was_onboarding k WHERE k.id = o.id")
        run("DROP TABLE was_item, was_journal, was_onboarding")


class TestInspect:
    def test_says_who_has_to_act_what_went_wrong_and_how_it_came_to_this(
        self, stage: Stage, capsys: pytest.CaptureFixture[str]
    ):
        failed = fail(stage, kind="onboarding.project_card")
        assert run_onboardings(["inspect", str(stage.id)], stage.shop.runtime) == 0
        said = capsys.readouterr().out
        assert f"in {stage.tenant.name} ({stage.tenant.id})" in said
        assert "the ball is with " in said
        assert "task.describe_environment: open; customer " in said
        assert f"onboarding.project_card {failed}: failed, attempt 8, epoch 8; no luck" in said
        assert ", due " in said
        story = said[said.index("JOURNAL") :].splitlines()
        assert story[1].startswith("  #1 ")
        assert story[1].partition(": ")[2].startswith("started")
        assert any("Dana Weber: gate decided · gate " in line for line in story)

    def test_says_when_there_is_none_of_that_id(self, stage: Stage):
        with pytest.raises(NoSuchOnboarding):
            run_onboardings(["inspect", str(new_id())], stage.shop.runtime)
        with pytest.raises(NoSuchOnboarding):
            run_onboardings(["inspect", str(stage.id), "--tenant", str(stage.shop.home.id)], stage.shop.runtime)


class TestRetry:
    def test_does_given_up_work_again_for_a_reason_that_is_in_the_trail(
        self, stage: Stage, capsys: pytest.CaptureFixture[str]
    ):
        failed = fail(stage, kind="onboarding.project_card")
        command = ["retry", str(stage.id), "--reason"]
        with pytest.raises(RetryReasonMissing):
            run_onboardings([*command, "  "], stage.shop.runtime)
        assert jobs(stage, failed) == ("failed", 8, 8)
        assert run_onboardings([*command, "control was away"], stage.shop.runtime) == 0
        assert capsys.readouterr().out.endswith("1 failed jobs are ready again.\n")
        assert jobs(stage, failed) == ("ready", 0, 8)
        query = "SELECT * FROM {}.trail WHERE action = 'onboarding.jobs.retried' AND subject_id = %s"
        [entry] = stage.shop.installation.rows(stage.tenant, query, stage.id)
        assert (entry.reason, entry.actor_kind) == ("control was away", "job")
        assert entry.body["jobs"] == [str(failed)]
        stage.shop.run()
        assert jobs(stage, failed) == ("done", 1, 9)
        assert run_onboardings([*command, "once more"], stage.shop.runtime) == 0
        assert capsys.readouterr().out.endswith("0 failed jobs are ready again.\n")
        assert len(stage.shop.installation.rows(stage.tenant, query, stage.id)) == 1

    def test_of_one_item_leaves_the_others(self, stage: Stage, capsys: pytest.CaptureFixture[str]):
        failed = fail(stage, kind="onboarding.project_card")
        command = ["retry", str(stage.id), "--item", "task.create_workspace", "--reason", "x"]
        assert run_onboardings(command, stage.shop.runtime) == 0
        assert capsys.readouterr().out.endswith("0 failed jobs are ready again.\n")
        assert jobs(stage, failed)[0] == "failed"

    def test_never_touches_another_tenants_job(self, stage: Stage):
        failed = fail(stage, kind="onboarding.project_card")
        with stage.shop.installation.work(stage.shop.home) as work:
            assert not work.session.execute(text("SELECT cell.retry_job(:id)"), {"id": failed}).scalar()
        assert jobs(stage, failed)[0] == "failed"


class TestVerify:
    def test_finds_every_history_true(self, stage: Stage, capsys: pytest.CaptureFixture[str]):
        assert run_history(["verify"], stage.shop.runtime) == 0
        assert capsys.readouterr().out.endswith("0 differ from what is stored.\n")

    @pytest.mark.parametrize("damage", DAMAGES)
    def test_names_the_onboarding_and_the_place_that_differ(
        self, stage: Stage, capsys: pytest.CaptureFixture[str], damage: str
    ):
        with kept(stage):
            stage.shop.installation.rows(stage.tenant, damage)
            assert run_history(["verify", "--tenant", str(stage.tenant.id)], stage.shop.runtime) == 1
        lines = [line for line in capsys.readouterr().out.splitlines() if "[info" not in line]
        assert lines[0].startswith(f"{stage.tenant.id} {stage.id} ")
        assert any(DAMAGES[damage] in line for line in lines)
        assert lines[-1] == "1 histories replayed; 1 differ from what is stored."
        assert run_history(["verify", "--tenant", str(stage.tenant.id)], stage.shop.runtime) == 0
