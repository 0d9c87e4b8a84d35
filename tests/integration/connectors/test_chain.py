"""Calls in a row cost one commit each: the end of one, the engine's next command, and the next one's attempt."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.flow import events
from app.flow.events import By
from app.kernel.ids import new_id
from app.kernel.queue import execution
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.operations.running import StartRequest, start_onboarding
from app.templates.operations import pin
from tenants.line import Line
from tenants.tenant import Tenant
from tests.benchmarks.peers.chain import STEPS, chain_of_calls
from tests.benchmarks.straight import straight_start
from tests.factories.installation import CELL
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product


@pytest.fixture
def tenant(shop: MainJob) -> Tenant:
    """A customer whose product is connected."""
    deal = shop.sell(company="Chained", email="a@chained.example")
    shop.tell(deal)
    shop.run()
    tenant, _onboarding_id = shop.started(deal)
    connect_product(shop, tenant)
    shop.finish()
    return tenant


def begin(shop: MainJob, tenant: Tenant) -> UUID:
    """An onboarding of twelve actions, past its gate: the first run is asked for."""
    effective, onboarding_id = chain_of_calls(), new_id()
    definition = effective.compile()
    started = straight_start(definition, reference="chained")
    request = StartRequest(onboarding_id, "Chained", definition.digest, started, people={}, deal={})
    passed = events.GateDecided(by=By(actor="x", roles=("lead",)), gate="gate.quality", decision="pass")
    with shop.installation.work(tenant, shop.lead) as work:
        pin(work, effective)
        start_onboarding(work, request)
        advance(work, lock_onboarding(work, onboarding_id), passed)
    return onboarding_id


def test_each_call_of_a_chain_is_one_commit(shop: MainJob, tenant: Tenant, monkeypatch: pytest.MonkeyPatch):
    onboarding_id = begin(shop, tenant)
    [first] = [
        one for one in shop.installation.take() if shop.installation.job(one.job_id).kind.endswith("execute_run")
    ]
    commits: list[object] = []
    commit = Line.commit

    def counted(line: Line) -> None:
        commits.append(line)
        commit(line)

    monkeypatch.setattr(Line, "commit", counted)
    monkeypatch.setattr(execution, "_AT_MOST", 60.0)
    execution._found.clear()
    execution.run_jobs(shop.runtime, cell=CELL, tenant_id=tenant.id, job_id=first.job_id, worker="worker-1")
    query = "SELECT state, attempts FROM {}.run WHERE onboarding_id = %s"
    runs = shop.installation.rows(tenant, query, onboarding_id)
    assert [(run.state, len(run.attempts)) for run in runs] == [("succeeded", 1)] * STEPS
    # The claim, the look for the tenant and the first attempt, then one for each call.
    assert len(commits) == 3 + STEPS
