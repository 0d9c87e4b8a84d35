"""What follows an onboarding: begins by its timer or because a person asks, once, with what is known."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.access.require import NotPermitted
from app.flow import events as flow
from app.flow.events import Evidenced
from app.kernel.ids import new_id
from app.onboarding import operations
from app.onboarding.lifecycle.operations import NextExists, NothingToFollow, ask_for_next
from app.onboarding.lifecycle.queries import chain_of, may_follow
from app.onboarding.lifecycle.rules import NothingFollows, successor_id
from app.onboarding.models import Onboarding
from app.onboarding.operations import StartRequest, start_onboarding
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.steering.course import course_of
from app.onboarding.queries.stored import OnboardingMissing
from app.templates.language import read_template
from app.templates.operations import pin, publish
from app.templates.overlay import apply_overlays
from tenants.tenant import Tenant
from tests.factories.main_job import MainJob
from tests.factories.walker import customer_of
from tests.unit.flow.parts.small import FILE, NEEDED, small_text
from tests.unit.flow.running import BERLIN

WHY = "Their term ends."
THEN = (
    "audience: msp\nthen:\n  - {lifecycle: renewal, template: small-renewal, after: {business_days: 2}}\n"
    "  - {lifecycle: expansion, template: small-renewal, when: inputs.seats > 100}\n"
    "  - {lifecycle: escalation, template: not-published}\n  - {lifecycle: offboarding, template: small-renewal}\n"
)
RENEWAL = small_text(NEEDED).replace("id: small\n", "id: small-renewal\nlifecycle: renewal\n", 1)


@pytest.fixture(scope="module")
def place(shop: MainJob) -> Tenant:
    """A customer's workspace, and what may follow published by its partner."""
    deal = shop.sell(company="Chain", email="chain@contoso.example")
    shop.tell(deal)
    with shop.installation.work(shop.home, shop.lead) as work:
        publish(work, read_template(RENEWAL, FILE))
    shop.run()
    return shop.started(deal)[0]


@pytest.fixture
def first(shop: MainJob, place: Tenant) -> UUID:
    """A run with everything in place, about to be worked on."""
    effective = apply_overlays(read_template(small_text(NEEDED).replace("audience: msp\n", THEN), FILE))
    with shop.installation.work(place, shop.lead) as work:
        people = work.session.scalars(select(Onboarding.people).order_by(Onboarding.started_at).limit(1)).one()
        roles = {"lead": people["onboarding_lead"], "client": people["customer_owner"]}
        started = flow.Started(
            by=flow.By(actor=shop.lead.label),
            inputs={"seats": 7},
            packet={"outcome": "Calm"},
            partner=BERLIN,
            customer=BERLIN,
            follows=True,
        )
        return start_onboarding(work, StartRequest(new_id(), "First", pin(work, effective), started, roles, {})).id


def finish(shop: MainJob, place: Tenant, made: UUID) -> None:
    with shop.installation.work(place, shop.lead) as work:
        operations.decide_gate(work, onboarding_id=made, gate="gate.ready", decision="accept")
        operations.complete_task(work, onboarding_id=made, task="task.build")
        proof = Evidenced(statement="Signed")
        operations.prove_milestone(work, onboarding_id=made, milestone="milestone.value", evidence=proof)


def ask(shop: MainJob, place: Tenant, made: UUID, lifecycle: str = "renewal", reason: str = WHY, actor=None) -> UUID:
    with shop.installation.work(place, actor or shop.lead) as work:
        return ask_for_next(work, onboarding_id=made, lifecycle=lifecycle, reason=reason)


def told(shop: MainJob, place: Tenant, made: UUID) -> list[str]:
    query = "SELECT action FROM {}.trail WHERE onboarding_id = %s AND action LIKE 'onboarding.next%%' ORDER BY at"
    return [row.action for row in shop.installation.rows(place, query, made)]


class TestByItself:
    def test_finishing_sets_a_timer_for_each_that_follows(self, shop: MainJob, place: Tenant, first: UUID):
        finish(shop, place, first)
        rows = shop.installation.cell(
            "SELECT args, due_at - created_at AS later FROM cell.timer WHERE subject_id = %s ORDER BY version", first
        )
        wanted = {row.args["lifecycle"]: row.later for row in rows if "lifecycle" in row.args}
        assert wanted.keys() == {"renewal", "escalation", "offboarding"}  # 7 seats are no expansion
        assert wanted["renewal"] > timedelta(days=1) > wanted["offboarding"]
        shop.installation.cell("UPDATE cell.timer SET due_at = now() WHERE subject_id = %s", first)
        shop.run()
        with shop.installation.work(place, shop.lead) as work:
            assert work.session.get(Onboarding, successor_id(first, "renewal")) is not None
        assert sorted(told(shop, place, first)) == ["onboarding.next.not_started", *["onboarding.next.started"] * 2]


class TestByAPerson:
    def test_begins_with_people_calendars_and_what_is_known(self, shop: MainJob, place: Tenant, first: UUID):
        made = ask(shop, place, first)
        shop.run()
        with shop.installation.work(place, shop.lead) as work:
            after, before = get_picture(work, made), get_picture(work, first)
            assert after.definition.lifecycle == "renewal"
            assert after.onboarding.people == before.onboarding.people
            assert (after.state.inputs, after.state.packet) == ({"seats": 7}, {"outcome": "Calm"})
            assert after.state.partner == before.state.partner
            links = chain_of(work, after), chain_of(work, before)
        assert links[0]["before"]["path"].endswith(str(first))
        assert [one["path"].rpartition("/")[2] for one in links[1]["after"]] == [str(made)]
        assert told(shop, place, first) == ["onboarding.next.asked", "onboarding.next.started"]

    def test_there_is_one_however_often_it_is_started(self, shop: MainJob, place: Tenant, first: UUID):
        assert ask(shop, place, first) == ask(shop, place, first)  # asked twice before the job ran
        shop.run()
        assert told(shop, place, first).count("onboarding.next.started") == 1
        with pytest.raises(NextExists):
            ask(shop, place, first)
        with shop.installation.work(place, shop.lead) as work:
            assert work.session.get(Onboarding, successor_id(first, "renewal")) is not None
            assert "renewal" not in may_follow(work, get_picture(work, first))

    def test_what_is_not_published_says_so_in_the_trail(self, shop: MainJob, place: Tenant, first: UUID):
        ask(shop, place, first, "escalation")
        shop.run()
        assert told(shop, place, first) == ["onboarding.next.asked", "onboarding.next.not_started"]

    def test_a_cancelled_run_is_followed_by_an_offboarding_only(self, shop: MainJob, place: Tenant, first: UUID):
        with shop.installation.work(place, shop.lead) as work:
            operations.cancel_onboarding(work, onboarding_id=first, reason="Over")
        with pytest.raises(NothingToFollow):
            ask(shop, place, first)
        with shop.installation.work(place, shop.lead) as work:
            [form] = course_of(work, get_picture(work, first))
        assert [one["id"] for one in form["fields"][0]["options"]] == ["offboarding"]
        ask(shop, place, first, "offboarding")

    def test_refuses_strangers_and_what_the_template_does_not_name(self, shop: MainJob, place: Tenant, first: UUID):
        with pytest.raises(NotPermitted):
            ask(shop, place, first, actor=customer_of(shop, place))
        with pytest.raises(NothingFollows):
            ask(shop, place, first, "onboarding")
        with pytest.raises(OnboardingMissing):
            ask(shop, place, new_id())
