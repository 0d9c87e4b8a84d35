"""The limits of a plan are obeyed where something new would begin, also by two who begin at the same moment."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.access.limits import LimitReached
from app.flow import events as flow
from app.flow.calendar import read_calendar
from app.identity.operations import NewMember, add_member
from app.kernel.ids import new_id
from app.onboarding.operations.running import StartRequest, start_onboarding
from tenants.tenant import Tenant
from tests.factories.installation import Installation
from tests.factories.main_job import MainJob

OFFICE = read_calendar({}, first_year=2026)


def allow(installation: Installation, tenant: Tenant, limits: str | None) -> None:
    installation.cell("UPDATE cell.tenant SET limits = %s::jsonb WHERE id = %s", limits, tenant.id)


def join(installation: Installation, tenant: Tenant, name: str) -> str:
    """What became of the wish to add one more person."""
    try:
        with installation.work(tenant) as work:
            add_member(work, NewMember(new_id(), f"{name}@acme.example", name, "viewer", "en"))
    except LimitReached as refused:
        return refused.message
    return ""


class TestMembers:
    @pytest.mark.parametrize("limits", [None, "{}", '{"onboardings": 0}'])
    def test_are_as_many_as_one_likes_without_a_limit(self, installation: Installation, limits: str | None):
        acme = installation.customer(installation.partner())
        allow(installation, acme, limits)
        assert [join(installation, acme, f"p{n}") for n in range(3)] == ["", "", ""]

    def test_are_counted_one_after_the_other(self, installation: Installation):
        acme, umbrella = installation.two_customers()
        allow(installation, acme, '{"members": 3}')
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda n: join(installation, acme, f"p{n}"), range(8)))
        assert sorted(map(bool, said)) == [False] * 3 + [True] * 5
        assert set(said) == {"", "This workspace's plan allows 3 people; 3 belong to it."}
        assert len(installation.rows(acme, "SELECT 1 FROM {}.member")) == 3
        assert join(installation, umbrella, "zoe") == ""  # another tenant's limit is none of its business

    def test_that_are_in_already_stay_when_it_is_lowered(self, installation: Installation):
        acme = installation.customer(installation.partner())
        member = NewMember(new_id(), "ann@acme.example", "Ann", "viewer", "en")
        for limits in (None, '{"members": 0}'):
            allow(installation, acme, limits)
            with installation.work(acme) as work:
                add_member(work, member)
        assert join(installation, acme, "bea") == "This workspace's plan allows 0 people; 1 belong to it."


class TestOnboardings:
    def test_are_refused_beyond_those_that_run(self, shop: MainJob):
        deal = shop.sell()
        shop.tell(deal)
        shop.run()
        tenant, onboarding_id = shop.started(deal)
        allow(shop.installation, tenant, '{"onboardings": 1}')
        request: dict[str, Any] = {"name": "Second", "people": {}, "deal": {}}
        started = flow.Started(
            by=flow.By(actor="test"), reference="2", inputs={}, packet={}, partner=OFFICE, customer=OFFICE
        )
        second = StartRequest(id=new_id(), definition_digest="none", started=started, **request)
        refused = pytest.raises(LimitReached, match="allows 1 onboardings at once; 1 are running")
        with refused, shop.installation.work(tenant) as work:
            start_onboarding(work, second)
        first = StartRequest(id=onboarding_id, definition_digest="none", started=started, **request)
        with shop.installation.work(tenant) as work:
            assert start_onboarding(work, first).id == onboarding_id  # repeated: it counts itself only once
