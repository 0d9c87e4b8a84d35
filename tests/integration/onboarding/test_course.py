"""Holding, resuming and steering a running onboarding: who may, what is refused, what is kept, what people see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.access.duties import SecondPersonNeeded
from app.access.require import NotPermitted
from app.flow.decide import OnboardingEnded, Recorded, replay
from app.flow.steps.holds import HoldRefused, NotHeld, OnHold
from app.flow.steps.resolving import ProposalRefused
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.operations.owning import NoRoleHere
from app.onboarding.operations.trouble import Route, Verdict
from app.onboarding.queries.customer import status_page
from app.onboarding.queries.partner import partner_page
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.stored import OnboardingMissing
from app.web.rendering import render
from app.web.translations import LOCALES
from tenants.tenant import Tenant
from tests.factories.installation import person
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, customer_of, do, picture_of, walk
from tests.look.brands import VIEWS

GATE = "gate.handoff_quality"
WHY = {"reason_code": "waiting_customer_admin", "reason": "Their administrator is away."}
Running = tuple[Tenant, UUID]


def begin(shop: MainJob, company: str) -> Running:
    deal = shop.sell(company=company, email=f"{company.lower().replace(' ', '')}@course.example")
    shop.tell(deal)
    shop.run()
    return shop.started(deal)


def hold(shop: MainJob, made: Running, actor: Actor | None = None, *, why: dict[str, str] = WHY) -> None:
    with shop.installation.work(made[0], actor or shop.lead) as work:
        operations.hold_onboarding(work, onboarding_id=made[1], **why)


def resume(shop: MainJob, made: Running, actor: Actor | None = None) -> None:
    with shop.installation.work(made[0], actor or shop.lead) as work:
        operations.resume_onboarding(work, onboarding_id=made[1], reason="They are back.")


def replays(shop: MainJob, made: Running) -> bool:
    """Whether the journal alone leads to the stored state."""
    rows = shop.installation.rows(made[0], "SELECT * FROM {}.journal ORDER BY seq")
    history = [msgspec.convert({"at": row.at, "event": row.event}, Recorded) for row in rows]
    seen = picture_of(shop, *made)
    return replay(seen.definition, history) == seen.state


def trail(shop: MainJob, made: Running, action: str) -> list[Any]:
    rows = shop.installation.rows(made[0], "SELECT * FROM {}.trail ORDER BY id")
    return [row for row in rows if row.action == action]


@pytest.fixture(scope="module")
def calm(shop: MainJob) -> Running:
    """An onboarding at its first gate, that refusals leave as it is."""
    return begin(shop, "Calm")


class TestHold:
    def test_stops_people_and_clocks_and_tells_both_sides(self, shop: MainJob):
        made = begin(shop, "Held")
        hold(shop, made)
        named = pytest.raises(OnHold, match=r"Their administrator is away\..*Put on hold by Dana Weber")
        with named, shop.installation.work(made[0], shop.lead) as work:
            operations.decide_gate(work, onboarding_id=made[1], gate=GATE, decision="no_go", reason="Stop.")
        with shop.installation.work(made[0], shop.lead) as work:
            page = partner_page(work, get_picture(work, made[1]), "plan")
        assert (page["hold"]["by"], page["hold"]["reason"]) == ("Dana Weber", WHY["reason"])
        assert (page["onboarding"]["state"], page["ball"]) == ("held", None)
        with shop.installation.work(made[0], customer_of(shop, made[0])) as work:
            theirs = status_page(work, get_picture(work, made[1]))
        assert (theirs["onboarding"]["state"], theirs["next_task"]) == ("held", None)
        assert theirs["onboarding"]["reason"] == "We are waiting for your administrator."
        [told] = trail(shop, made, "onboarding.held")
        assert (told.reason, told.body["reason_code"]) == (WHY["reason"], WHY["reason_code"])
        assert replays(shop, made)

    def test_keeps_the_time_of_every_clock_and_moves_the_dates(self, shop: MainJob):
        made = begin(shop, "Clocks")
        before = picture_of(shop, *made).state
        hold(shop, made)
        shop.installation.move_clock(timedelta(days=21))
        try:
            shop.run()
            assert trail(shop, made, "onboarding.sla.breached") == []
            resume(shop, made)
            shop.run()
            assert trail(shop, made, "onboarding.sla.breached") == []
            after = picture_of(shop, *made).state
        finally:
            shop.installation.cell("UPDATE cell.clock SET shift = '0'")
        assert {name for name, timer in before.timers.items() if timer.armed} == {
            name for name, timer in after.timers.items() if timer.armed
        }
        assert all(after.timers[name].due_at > timer.due_at for name, timer in before.timers.items())
        rows = shop.installation.rows(made[0], "SELECT key, due_at, due_cause FROM {}.item WHERE state = 'waiting'")
        assert {row.due_cause for row in rows} == {"held"}
        for row in rows:
            was = before.items[row.key].due_at
            assert was is not None
            assert row.due_at == after.items[row.key].due_at
            assert row.due_at > was
        assert len(trail(shop, made, "onboarding.resumed")) == 1
        assert replays(shop, made)

    def test_counts_for_nobody_in_the_court_clock(self, shop: MainJob):
        made = begin(shop, "Ball")
        hold(shop, made)
        running = "SELECT * FROM {}.clock WHERE ended_at IS NULL"
        assert shop.installation.rows(made[0], running) == []
        resume(shop, made)
        assert [row.holder for row in shop.installation.rows(made[0], running)] == ["partner"]

    def test_goes_on_to_the_end_afterwards(self, shop: MainJob):
        made = begin(shop, "Goes on")
        hold(shop, made)
        resume(shop, made)
        walk(shop, *made, until="task.create_workspace")
        assert picture_of(shop, *made).of("task.create_workspace").state != "waiting"

    @pytest.mark.parametrize("other", [{"reason": " "}, {"reason_code": "lunch"}])
    def test_is_refused_without_a_reason(self, shop: MainJob, calm: Running, other: dict[str, str]):
        with pytest.raises(HoldRefused):
            hold(shop, calm, why=WHY | other)
        with pytest.raises(NotHeld):
            resume(shop, calm)

    def test_is_not_for_strangers_small_roles_or_the_customer(self, shop: MainJob, calm: Running):
        eve = person("Eve", organisation_id=shop.installation.partner("Rival").id, roles=frozenset({"partner_owner"}))
        for actor in (eve, shop.staff["tom"], customer_of(shop, calm[0])):
            for attempt in (hold, resume):
                with pytest.raises(NotPermitted):
                    attempt(shop, calm, actor)

    def test_of_another_workspace_is_not_found(self, shop: MainJob, calm: Running):
        other = begin(shop, "Elsewhere")
        with pytest.raises(OnboardingMissing):
            hold(shop, (other[0], calm[1]))

    def test_is_not_possible_after_the_end(self, shop: MainJob):
        made = begin(shop, "Over")
        with shop.installation.work(made[0], shop.lead) as work:
            operations.decide_gate(work, onboarding_id=made[1], gate=GATE, decision="no_go", reason="Stop.")
        with pytest.raises(OnboardingEnded):
            hold(shop, made)


class TestSteering:
    def test_asks_for_the_right_of_whoever_leads(self, shop: MainJob, calm: Running):
        def attempts(work: Work) -> list[Callable[[], object]]:
            to: Any = {"onboarding_id": calm[1]}
            return [
                lambda: operations.skip_item(work, item="task.confirm_billing", reason="No.", **to),
                lambda: operations.roll_back(work, stage="stage.handoff", reason="No.", **to),
                lambda: operations.cancel_onboarding(work, reason="No.", **to),
            ]

        for actor in (shop.staff["tom"], customer_of(shop, calm[0])):
            with shop.installation.work(calm[0], actor) as work:
                for attempt in attempts(work):
                    with pytest.raises(NotPermitted):
                        attempt()
        assert picture_of(shop, *calm).state.seq == 1

    def test_leaves_out_gives_away_rolls_back_and_cancels(self, shop: MainJob):
        tenant, onboarding_id = made = begin(shop, "Steered")
        walk(shop, *made, until="task.assign_team")
        to: Any = {"onboarding_id": onboarding_id}
        customer = customer_of(shop, tenant)
        with shop.installation.work(tenant, shop.lead) as work:
            operations.skip_item(work, item="task.confirm_billing", reason="Paid already.", **to)
            operations.assign_item(work, item="task.assign_team", person=shop.lead.id, **to)
            for stranger in (customer.id, new_id()):
                with pytest.raises(NoRoleHere):
                    operations.assign_item(work, item="task.assign_team", person=stranger, **to)
        seen = picture_of(shop, *made)
        assert seen.of("task.confirm_billing").state == "skipped"
        assert seen.owner(seen.item("task.assign_team")) == "Dana Weber"
        with shop.installation.work(tenant, shop.lead) as work:
            operations.roll_back(work, stage="stage.handoff", reason="Sold again.", **to)
        assert picture_of(shop, *made).of(GATE).state == "open"
        with shop.installation.work(tenant, shop.lead) as work:
            operations.cancel_onboarding(work, reason="Withdrawn.", **to)
        assert picture_of(shop, *made).state.status == "cancelled"
        for action, reason in (
            ("onboarding.item.skipped", "Paid already."),
            ("onboarding.rolled_back", "Sold again."),
            ("onboarding.ended", "Withdrawn."),
        ):
            assert [row.reason for row in trail(shop, made, action)] == [reason]
        assert replays(shop, made)

    def test_takes_the_result_of_a_call_that_comes_after_the_end(self, shop: MainJob):
        """The job that told the engine of it was tried again and again, and given up."""
        made = begin(shop, "Late result")
        connect_product(shop, made[0])
        walk(shop, *made, until="task.describe_environment")
        seen = picture_of(shop, *made)
        assert do(shop, made[0], seen, seen.item("task.describe_environment"))
        assert picture_of(shop, *made).of("task.create_workspace").state == "running"
        with shop.installation.work(made[0], shop.lead) as work:
            operations.cancel_onboarding(work, onboarding_id=made[1], reason="Withdrawn.")
        shop.finish()
        assert (
            shop.installation.cell("SELECT kind FROM cell.job WHERE state = 'failed' AND tenant_id = %s", made[0].id)
            == []
        )

    def test_offers_a_form_for_each_way_that_there_is_now(self, shop: MainJob):
        made = begin(shop, "Offered")
        offered = ["hold", "assignments", "skips", "rollbacks", "cancellation"]
        assert self.forms(shop, made, shop.lead) == offered
        assert self.forms(shop, made, shop.staff["tom"]) == []
        hold(shop, made)
        assert self.forms(shop, made, shop.lead) == ["resumption", "assignments", "cancellation"]

    @staticmethod
    def forms(shop: MainJob, made: Running, actor: Actor) -> list[str]:
        with shop.installation.work(made[0], actor) as work:
            page = partner_page(work, get_picture(work, made[1]), "course")
        text = render("onboarding/plan/_course.html", page | {"command_key": str(new_id())}, locale=LOCALES["en"],
                      brand_view=VIEWS["northwind"])  # fmt: skip
        assert all(f'action="{form["action"]}"' in text for form in page["course"])
        return [form["id"] for form in page["course"]]


class TestTrouble:
    @pytest.fixture(scope="class")
    @staticmethod
    def stuck(shop: MainJob) -> Running:
        """Its call failed, because nobody connected the product."""
        made = begin(shop, "Troubled")
        walk(shop, *made)
        return made

    def test_of_high_impact_takes_two_people(self, shop: MainJob, stuck: Running):
        tenant, onboarding_id = stuck
        [record] = [row for row in shop.exceptions(onboarding_id, tenant) if row.state == "open"]
        to: Any = {"onboarding_id": onboarding_id, "exception": record.key}
        tom = shop.staff["tom"]
        with shop.installation.work(tenant, tom) as work:
            operations.answer_exception(work, note="I look at it.", **to)
            operations.route_exception(work, whose=Route("csm"), reason="Theirs.", **to)
            operations.resolve_exception(work, resolution="skip", reason="Made by hand.", **to)
        assert picture_of(shop, *stuck).of("task.create_workspace").state == "blocked"
        assert self.line(shop, stuck, tom)["proposal"]["own"]
        verdict = Verdict(agreed=True, proposal=self.line(shop, stuck, shop.lead)["proposal"]["form"]["digest"])
        own = pytest.raises(SecondPersonNeeded)
        with own, shop.installation.work(tenant, tom) as work:
            operations.decide_proposal(work, verdict=verdict, **to)
        with pytest.raises(NotPermitted), shop.installation.work(tenant, customer_of(shop, tenant)) as work:
            operations.decide_proposal(work, verdict=verdict, **to)
        line = self.line(shop, stuck, shop.lead)
        assert line["proposal"]["form"]["action"].endswith(f"/exceptions/{record.id}/agreement")
        assert line["response"]["in_time"]
        for digest in ("", "5f2c"):
            with pytest.raises(ProposalRefused), shop.installation.work(tenant, shop.lead) as work:
                operations.decide_proposal(work, verdict=Verdict(agreed=True, proposal=digest), **to)
        with shop.installation.work(tenant, shop.lead) as work:
            operations.decide_proposal(work, verdict=verdict, **to)
        assert picture_of(shop, *stuck).of("task.create_workspace").state == "skipped"
        told = Counter({"answered": 1, "reassigned": 1, "proposed": 1, "decided": 1})
        assert Counter({word: len(trail(shop, stuck, f"onboarding.exception.{word}")) for word in told}) == told
        assert replays(shop, stuck)

    def test_is_tried_again_once_at_the_moment_that_was_set(self, shop: MainJob):
        tenant, onboarding_id = made = begin(shop, "Later")
        walk(shop, *made)
        connect_product(shop, tenant)
        [record] = [row for row in shop.exceptions(onboarding_id, tenant) if row.state == "open"]
        with shop.installation.work(tenant, shop.staff["tom"]) as work:
            at, reason = work.now + timedelta(hours=3), "They mend it."
            operations.schedule_retry(work, onboarding_id=onboarding_id, exception=record.key, at=at, reason=reason)
        shop.run()
        assert picture_of(shop, *made).of("task.create_workspace").state == "blocked"
        shop.installation.move_clock(timedelta(hours=4))
        try:
            shop.run()
            shop.run()
        finally:
            shop.installation.cell("UPDATE cell.clock SET shift = '0'")
        task = picture_of(shop, *made).of("task.create_workspace")
        assert (task.state, task.request) == ("done", 2)
        assert replays(shop, made)

    @staticmethod
    def line(shop: MainJob, made: Running, actor: Actor) -> dict[str, Any]:
        with shop.installation.work(made[0], actor) as work:
            page = partner_page(work, get_picture(work, made[1]), "exceptions")
        render("onboarding/plan/_exceptions.html", page | {"command_key": str(new_id())}, locale=LOCALES["de"],
               brand_view=VIEWS["northwind"])  # fmt: skip
        return next(line for line in page["exceptions"] if line["state"] == "open")
