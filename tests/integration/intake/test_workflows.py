"""Drawing up a lane: what cannot work is refused at once, not at the first deal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from app.access.require import NotPermitted
from app.intake.models import Workflow
from app.intake.operations.workflows import NewWorkflow, WorkflowUnusable, create_workflow
from app.kernel.actor import Actor
from tests.factories.installation import person
from tests.factories.main_job import MainJob


def wanted(shop: MainJob, **other: Any) -> NewWorkflow:
    """A lane like the one that runs, under another name."""
    with shop.installation.work(shop.home, shop.lead) as work:
        lane = work.session.scalars(select(Workflow).where(Workflow.name == "Managed services")).one()
        like = NewWorkflow(
            name="Another",
            segment=lane.segment,
            state="draft",
            contract=lane.contract,
            owners=lane.owners,
            template_digest=lane.template_digest,
            overlay_digest=lane.overlay_digest,
            connection_id=lane.connection_id,
        )
    return replace(like, **other)


@pytest.fixture
def admin(shop: MainJob) -> Actor:
    """Somebody who may draw up lanes."""
    return person("Ada", organisation_id=shop.organisation_id, roles=frozenset({"partner_admin"}))


class TestCreateWorkflow:
    def test_draws_up_a_lane(self, shop: MainJob, admin: Actor):
        calendar = {"zone": "Europe/Berlin", "country": "DE"}
        like = wanted(shop)
        with shop.installation.work(shop.home, admin) as work:
            made = create_workflow(work, replace(like, owners={**like.owners, "calendar": calendar}))
        [row] = shop.installation.rows(shop.home, "SELECT owners, state FROM {}.workflow WHERE id = %s", made)
        assert (row.owners["calendar"], row.state) == (calendar, "draft")

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            ({"name": "  "}, "needs a name"),
            ({"state": "dreamed"}, "no state of a workflow"),
            ({"segment": "somebody-else"}, "the workflow's own segment"),
            ({"contract": {}}, "cannot be read"),
            ({"owners": {"people": ["dana"]}}, "named by role"),
            ({"owners": {"calendar": {"zone": "Mars/Base"}}}, "Mars/Base"),
            ({"owners": {"calendar": {"country": "Germany"}}}, "Germany"),
        ],
    )
    def test_refuses_what_could_never_run(self, shop: MainJob, admin: Actor, other: dict[str, Any], said: str):
        before = shop.installation.rows(shop.home, "SELECT id FROM {}.workflow")
        with pytest.raises(WorkflowUnusable, match=said), shop.installation.work(shop.home, admin) as work:
            create_workflow(work, wanted(shop, **other))
        assert shop.installation.rows(shop.home, "SELECT id FROM {}.workflow") == before

    def test_is_for_those_who_may(self, shop: MainJob):
        auditor = person("Al", organisation_id=shop.organisation_id, roles=frozenset({"auditor"}))
        with pytest.raises(NotPermitted), shop.installation.work(shop.home, auditor) as work:
            create_workflow(work, wanted(shop))
