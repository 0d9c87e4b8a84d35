"""The start of an onboarding, killed between its commits: the next run of the job finds what is there already."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.intake.models import Workflow
from app.kernel.ids import new_id
from app.onboarding.operations import admitted
from app.onboarding.queries.stored import find_onboarding, state_of
from tests.factories.main_job import MainJob

STEPS = ("create_tenant", "effective_document", "ensure_person", "start_onboarding", "index_membership", "mark_started")


class Killed(Exception):
    """The process died here."""


class TestStart:
    @pytest.mark.parametrize("step", STEPS)
    def test_ends_in_one_of_everything_when_it_was_killed_after(
        self, shop: MainJob, monkeypatch: pytest.MonkeyPatch, step: str
    ):
        """What dies inside a transaction is rolled back; what dies behind one finds its commit again."""
        original = getattr(admitted, step)
        died: list[str] = []

        def die_once(*args: Any, **named: Any) -> Any:
            answer = original(*args, **named)
            if not died:
                died.append(step)
                raise Killed
            return answer

        monkeypatch.setattr(admitted, step, die_once)
        deal = shop.sell(company=f"Killed after {step}", email=f"{new_id().hex[-8:]}@contoso.example")
        shop.tell(deal)
        shop.finish()
        assert died == [step]
        self.check_whole(shop, deal)

    def test_changes_nothing_when_the_job_runs_once_more(self, shop: MainJob):
        deal = shop.sell(company="Twice", email="twice@contoso.example")
        shop.tell(deal)
        shop.run()
        before = self.check_whole(shop, deal)
        shop.installation.cell(
            "UPDATE cell.job SET state = 'ready', finished_at = NULL, attempts = 0, run_at = now()"
            " WHERE kind = 'onboarding.start' AND tenant_id = %s",
            shop.home.id,
        )
        shop.finish()
        assert self.check_whole(shop, deal) == before

    def test_plans_with_the_public_holidays_of_the_lane(self, shop: MainJob):
        with shop.installation.work(shop.home, shop.lead) as work:
            lane = work.session.scalars(select(Workflow)).one()
            before = lane.owners
            lane.owners = before | {"calendar": {"zone": "Europe/Berlin", "country": "DE", "subdivision": "BY"}}
            year = work.now.year
        deal = shop.sell(company="Holidays", email="holidays@contoso.example")
        shop.tell(deal)
        shop.finish()
        tenant, onboarding_id = shop.started(deal)
        with shop.installation.work(shop.home, shop.lead) as work:
            work.session.scalars(select(Workflow)).one().owners = before
        with shop.installation.work(tenant, shop.lead) as work:
            state = state_of(find_onboarding(work.session, onboarding_id))
        for calendar in (state.partner, state.customer):
            assert calendar.zone == "Europe/Berlin"
            assert not calendar.works_on(date(year + 1, 1, 6))  # Epiphany is free in Bavaria, not in all of Germany

    def test_tells_each_person_once_of_everything_that_is_missing(self, shop: MainJob):
        blank = {"sw_business_outcome": None, "sw_first_value_milestone": None, "sw_nonstandard_terms": None}
        deal = shop.sell(company="Sparse", email="sparse@contoso.example", **blank)
        shop.tell(deal)
        shop.finish()
        tenant, onboarding_id = shop.started(deal)
        assert len(shop.exceptions(onboarding_id, tenant)) > 1
        told = "SELECT recipient_id, facts->>'item' AS item, facts->>'text' AS text FROM {}.message"
        query = f"{told} WHERE kind = 'exception_opened'"
        letters = [tuple(row) for row in shop.installation.rows(tenant, query)]
        assert letters
        assert len(letters) == len(set(letters))

    @staticmethod
    def check_whole(shop: MainJob, deal: str) -> Any:
        """One tenant, one onboarding, one set of items, one member, one start: what there is of them."""
        installation, row = shop.installation, shop.deal(deal)
        assert row.state == "started"
        entries = installation.control("SELECT id FROM control.tenant WHERE request_key = %s", f"deal:{row.id}")
        tenant, onboarding_id = shop.started(deal)
        assert [entry.id for entry in entries] == [tenant.id]
        onboardings = installation.rows(tenant, "SELECT id, trace_id, state FROM {}.onboarding")
        assert [(each.id, each.trace_id, each.state) for each in onboardings] == [(onboarding_id, "sold", "running")]
        keys = [each.key for each in installation.rows(tenant, "SELECT key FROM {}.item")]
        assert len(keys) == len(set(keys)) > 20
        [member] = installation.rows(tenant, "SELECT person_id, role FROM {}.member")
        index = installation.control("SELECT person_id FROM control.membership WHERE tenant_id = %s", tenant.id)
        assert [each.person_id for each in index] == [member.person_id]
        journal = installation.rows(tenant, "SELECT seq FROM {}.journal ORDER BY seq")
        assert [each.seq for each in journal] == [1]
        started = "SELECT id FROM {}.trail WHERE action = 'intake.deal.started' AND subject_id = %s"
        assert len(installation.rows(shop.home, started, row.id)) == 1
        mails = installation.rows(tenant, "SELECT id, state FROM {}.message ORDER BY id")
        return (onboarding_id, member.person_id, sorted(keys), [mail.id for mail in mails])
