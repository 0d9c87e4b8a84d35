"""The main job, from a sold deal to first value, on real parts in one thread."""

from __future__ import annotations

from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, walk


class TestMainJob:
    def test_leads_from_a_sold_deal_to_first_value(self, main_job: MainJob):
        deal = main_job.sell()
        main_job.tell(deal)
        main_job.run()
        tenant, onboarding = main_job.started(deal)
        connect_product(main_job, tenant)
        state = walk(main_job, tenant, onboarding)
        left = {key: item.state for key, item in state.items.items() if item.state not in {"done", "skipped"}}
        assert (state.status, left) == ("finished", {})
        assert state.first_value_at is not None
        effects = [effect["kind"] for effect in main_job.product.effects]
        assert effects == ["workspace_created"]
