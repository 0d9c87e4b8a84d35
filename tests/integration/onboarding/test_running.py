"""A running onboarding under attack: strangers, two at once, gates, timers, and the journal as the only truth."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.access.require import NotPermitted
from app.flow.calendar import BusinessTime
from app.flow.decide import Recorded, replay
from app.flow.steps.draft import NotOpen
from app.flow.steps.gates import GateIncomplete, NotTheReviewer, ReasonMissing
from app.kernel.actor import Actor
from app.kernel.commands import fingerprint, run_command
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.queries.customer import status_page
from app.onboarding.queries.gate import gate_page
from app.onboarding.queries.home import Wanted, get_home, home_page
from app.onboarding.queries.partner import partner_page, trace_page
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.stored import find_onboarding
from tenants.tenant import Tenant
from tests.factories.installation import person
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, customer_of, picture_of, walk

GATE = "gate.handoff_quality"
OUTCOME = "business_outcome"
TEAM = {"engineer": "Tom", "fallback": "Ann"}
Running = tuple[Tenant, UUID]


@pytest.fixture(scope="module")
def running(shop: MainJob) -> Running:
    """An onboarding whose packet lacks a hard field."""
    return begin(shop, "Contoso", sw_business_outcome=None)


@pytest.fixture(scope="module")
def neighbour(shop: MainJob) -> Running:
    """Another customer of the same partner."""
    return begin(shop, "Umbrella", email="zoe@umbrella.example")


def begin(shop: MainJob, company: str, **more: Any) -> Running:
    deal = shop.sell(company=company, **more)
    shop.tell(deal)
    shop.run()
    return shop.started(deal)


def decide(shop: MainJob, running: Running, actor: Actor, *, decision: str, reason: str = "") -> None:
    tenant, onboarding_id = running
    with shop.installation.work(tenant, actor) as work:
        operations.decide_gate(work, onboarding_id=onboarding_id, gate=GATE, decision=decision, reason=reason)


def journal(shop: MainJob, running: Running) -> list[Any]:
    return shop.installation.rows(running[0], "SELECT * FROM {}.journal ORDER BY seq")


class TestGate:
    def test_shows_what_stands_in_the_way_and_whose_exception_it_is(self, shop: MainJob, running: Running):
        with shop.installation.work(running[0], shop.lead) as work:
            page = gate_page(work, get_picture(work, running[1]), GATE)
        assert [line["place"] for line in page["blocking"]] == [f"packet-{OUTCOME}"]
        assert {button["id"]: button["allowed"] for button in page["decisions"]} == {
            "accept": False,
            "proceed": False,
            "ask_sales": True,
            "override": True,
            "no_go": True,
        }
        [opened] = shop.exceptions(running[1], running[0])
        assert (opened.type, opened.state, opened.route) == ("missing_outcome", "open", ["sales_owner", "csm"])

    @pytest.mark.parametrize("decision", ["accept", "proceed"])
    def test_refuses_to_pass_and_names_the_places(self, shop: MainJob, running: Running, decision: str):
        with pytest.raises(GateIncomplete) as caught:
            decide(shop, running, shop.lead, decision=decision, reason="Let us begin")
        assert f"/packet/{OUTCOME}" in [place for place, _said in caught.value.errors]

    @pytest.mark.parametrize("reason", ["", "   "])
    def test_refuses_an_override_without_a_reason(self, shop: MainJob, running: Running, reason: str):
        with pytest.raises(ReasonMissing):
            decide(shop, running, shop.lead, decision="override", reason=reason)

    def test_is_not_decided_by_another_role_nor_by_the_customer(self, shop: MainJob, running: Running):
        with pytest.raises(NotPermitted):
            decide(shop, running, shop.staff["tom"], decision="override", reason="I want to")
        with pytest.raises(NotTheReviewer):
            decide(shop, running, customer_of(shop, running[0]), decision="override", reason="We want to")

    def test_leaves_nothing_behind_when_it_refuses(self, shop: MainJob, running: Running):
        assert [row.seq for row in journal(shop, running)] == [1]
        assert shop.installation.rows(running[0], "SELECT id FROM {}.verdict") == []

    def test_keeps_an_override_with_its_reason_and_what_was_missing(self, shop: MainJob):
        made = begin(shop, "Override", email="o@override.example", sw_business_outcome=None)
        decide(shop, made, shop.lead, decision="override", reason="Sales will write it tonight")
        [verdict] = shop.installation.rows(made[0], "SELECT * FROM {}.verdict")
        assert (verdict.override, verdict.result, verdict.reason) == (True, "override", "Sales will write it tonight")
        assert OUTCOME in verdict.inputs["missing"]
        assert verdict.decided_by == shop.lead.id
        with pytest.raises(NotOpen):
            decide(shop, made, shop.lead, decision="no_go")

    def test_lets_a_correction_close_its_exception_and_keeps_who_made_it(self, shop: MainJob, running: Running):
        with shop.installation.work(running[0], shop.lead) as work:
            operations.change_packet(work, onboarding_id=running[1], facts={OUTCOME: "Answers within a day"})
        [opened] = shop.exceptions(running[1], running[0])
        assert opened.state == "resolved"
        with shop.installation.work(running[0], shop.lead) as work:
            page = gate_page(work, get_picture(work, running[1]), GATE)
        fact = next(fact for fact in page["packet"] if fact["id"] == OUTCOME)
        assert (fact["value"], fact["corrected_by"]) == ("Answers within a day", shop.lead.name)
        assert page["blocking"] == []


class TestStrangers:
    @pytest.fixture(scope="class")
    @staticmethod
    def contoso(shop: MainJob) -> Actor:
        """Staff of another partner, with every role there."""
        other = shop.installation.partner("Contoso")
        return person("Eve", organisation_id=other.id, roles=frozenset({"partner_owner"}))

    def refuse_everything(self, shop: MainJob, running: Running, actor: Actor) -> None:
        tenant, onboarding_id = running
        before = journal(shop, running)
        attempts: list[Any] = [
            lambda work: get_picture(work, onboarding_id),
            lambda work: operations.complete_task(work, onboarding_id=onboarding_id, task="task.assign_team"),
            lambda work: operations.change_packet(work, onboarding_id=onboarding_id, facts={OUTCOME: "Mine"}),
            lambda work: operations.decide_gate(work, onboarding_id=onboarding_id, gate=GATE, decision="no_go"),
            lambda work: operations.resolve_exception(
                work, onboarding_id=onboarding_id, exception="x#1", resolution="close", reason="gone"
            ),
        ]
        for attempt in attempts:
            with pytest.raises(NotPermitted), shop.installation.work(tenant, actor) as work:
                attempt(work)
        assert journal(shop, running) == before

    def test_from_another_partner_may_do_nothing(self, shop: MainJob, neighbour: Running, contoso: Actor):
        self.refuse_everything(shop, neighbour, contoso)

    def test_a_customer_may_do_nothing_at_another_customers(self, shop: MainJob, running: Running, neighbour: Running):
        self.refuse_everything(shop, neighbour, customer_of(shop, running[0]))

    def test_do_not_find_an_onboarding_through_a_workspace_of_their_own(
        self, shop: MainJob, running: Running, neighbour: Running
    ):
        with pytest.raises(SlipwayError, match="not here"), shop.installation.work(running[0], shop.lead) as work:
            get_picture(work, neighbour[1])

    def test_lose_their_rights_with_the_delegation_at_once(self, shop: MainJob):
        made = begin(shop, "Revoked", email="r@revoked.example")
        picture_of(shop, *made)
        shop.installation.rows(made[0], "UPDATE {}.delegation SET state = 'revoked'")
        self.refuse_everything(shop, made, shop.lead)

    def test_lose_their_rights_with_the_membership_at_once(self, shop: MainJob):
        made = begin(shop, "Removed", email="m@removed.example")
        customer = customer_of(shop, made[0])
        with shop.installation.work(made[0], customer) as work:
            get_picture(work, made[1])
        shop.installation.rows(made[0], "UPDATE {}.member SET state = 'removed'")
        self.refuse_everything(shop, made, customer)


class TestPages:
    def test_are_plain_and_tell_nothing_of_a_neighbour(self, shop: MainJob, running: Running, neighbour: Running):
        shop.run()
        with shop.installation.work(running[0], shop.lead) as work:
            picture = get_picture(work, running[1])
            views = [partner_page(work, picture, view) for view in ("plan", "gates", "exceptions", "trail")]
            views += [gate_page(work, picture, GATE), trace_page(work, picture)]
        with shop.installation.work(running[0], customer_of(shop, running[0])) as work:
            views.append(status_page(work, get_picture(work, running[1])))
        told = msgspec.json.encode(views, enc_hook=str).decode()
        assert "Contoso" in told
        for foreign in ("Umbrella", "zoe@umbrella", str(neighbour[0].id), str(neighbour[1])):
            assert foreign not in told

    def test_of_a_gate_offer_to_pass_over_what_is_missing_only_where_something_is(self, shop: MainJob):
        gap = begin(shop, "Gap", email="gil@gap.example", sw_business_outcome=None)
        whole = begin(shop, "Whole", email="wanda@whole.example")
        offered = []
        for tenant, onboarding_id in (gap, whole):
            with shop.installation.work(tenant, shop.lead) as work:
                page = gate_page(work, get_picture(work, onboarding_id), GATE)
            offered.append({decision["effect"] for decision in page["decisions"]})
        assert "override" in offered[0]
        assert offered[1] == offered[0] - {"override"}

    def test_of_the_home_show_its_own_customers_only(self, shop: MainJob, running: Running):
        shop.run()
        view = get_home(shop.runtime, shop.lead, shop.organisation_id, Wanted())
        page = home_page(view, Wanted())
        assert str(running[0].id) in msgspec.json.encode(page, enc_hook=str).decode()
        assert [
            line["tenant"] for line in page["onboardings"] if line["state"] != "finished" and not line["next_step"]
        ] == []
        other = shop.installation.partner("Fabrikam")
        owner = person("Eve", organisation_id=other.id, roles=frozenset({"partner_owner"}))
        assert get_home(shop.runtime, owner, other.id, Wanted()).cards.cards == []


class TestTwice:
    def test_lets_one_of_two_win_who_complete_a_task_at_once(self, shop: MainJob):
        tenant, onboarding_id = made = begin(shop, "At once", email="a@once.example")
        decide(shop, made, shop.lead, decision="override", reason="So that work begins")
        before, ready, told = len(journal(shop, made)), threading.Barrier(2), []

        def complete() -> None:
            try:
                with shop.installation.work(tenant, shop.lead) as work:
                    ready.wait(10)
                    operations.complete_task(work, onboarding_id=onboarding_id, task="task.assign_team", answers=TEAM)
                told.append("done")
            except NotOpen as error:
                told.append(str(error))

        threads = [threading.Thread(target=complete) for _each in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert min(told, key=len) == "done"
        assert len(told[0]) != len(told[1])
        assert len(journal(shop, made)) == before + 1

    def test_sees_what_happened_between_the_reading_and_the_lock(self, shop: MainJob):
        tenant, onboarding_id = begin(shop, "Read", email="r@ead.example")
        with shop.installation.work(tenant, shop.lead) as work:
            read = find_onboarding(work.session, onboarding_id)
            before = read.seq
            with shop.installation.work(tenant, shop.lead) as other:
                operations.change_packet(other, onboarding_id=onboarding_id, facts={OUTCOME: "Meanwhile"})
            locked = lock_onboarding(work, onboarding_id)
            assert locked is read
            assert (locked.seq, locked.snapshot["packet"][OUTCOME]) == (before + 1, "Meanwhile")
            operations.change_packet(work, onboarding_id=onboarding_id, facts={OUTCOME: "Afterwards"})
        assert [row.seq for row in journal(shop, (tenant, onboarding_id))] == [1, 2, 3]

    def test_answers_a_repeated_command_as_before_and_writes_one_entry(self, shop: MainJob):
        tenant, onboarding_id = made = begin(shop, "Repeated", email="r@peated.example")

        def operation(work: Work) -> dict[str, object]:
            facts = {OUTCOME: "Once"}
            return {"seq": operations.change_packet(work, onboarding_id=onboarding_id, facts=facts).state.seq}

        mark, ready, answers = fingerprint("packet", {OUTCOME: "Once"}), threading.Barrier(3), []

        def send() -> None:
            ready.wait(10)
            sent: dict[str, Any] = {"key": "k1", "mark": mark, "trace_id": "t", "operation": operation}
            answers.append(run_command(shop.runtime, tenant, shop.lead, **sent))

        threads = [threading.Thread(target=send) for _each in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert [answer for answer, _again in answers] == [{"seq": 2}] * 3
        assert sorted(again for _answer, again in answers) == [False, True, True]
        assert [row.seq for row in journal(shop, made)] == [1, 2]


class TestTimer:
    @pytest.fixture
    @staticmethod
    def clock(shop: MainJob) -> Iterator[Any]:
        """Moves business time, and puts it back afterwards."""
        yield shop.installation.move_clock
        shop.installation.cell("UPDATE cell.clock SET shift = '0'")

    def test_fires_once_when_its_time_has_come_and_writes_to_the_ladders_role(self, shop: MainJob, clock: Any):
        tenant, onboarding_id = begin(shop, "Late", email="l@late.example")
        [timer] = self.timers(shop, tenant)
        with shop.installation.work(tenant, shop.lead) as work:
            left = timer.due_at - work.now
        clock(left - timedelta(minutes=1))
        shop.run()
        assert self.breaches(shop, tenant) == []
        clock(timedelta(minutes=2))
        for _again in range(2):
            shop.run()
        assert len(self.breaches(shop, tenant)) == 1
        with shop.installation.work(tenant, shop.lead) as work:  # what ends with the day is told in the morning
            now, party = work.now, picture_of(shop, tenant, onboarding_id).state.partner
        clock(BusinessTime(party).add_business(now, timedelta(0)) - now + timedelta(minutes=1))
        shop.run()
        letters = "SELECT email, state FROM {}.message WHERE kind = 'sla_breached'"
        assert [tuple(row) for row in shop.installation.rows(tenant, letters)] == [("dana@northwind.example", "sent")]
        assert picture_of(shop, tenant, onboarding_id).health() == "behind"

    def test_does_nothing_once_its_item_is_settled(self, shop: MainJob, clock: Any):
        tenant, onboarding_id = made = begin(shop, "Settled", email="s@settled.example")
        decide(shop, made, shop.lead, decision="override", reason="So that work begins")
        done = {
            "task.assign_team": TEAM,
            "task.schedule_kickoff": {"kickoff_on": "2026-12-07"},
        }
        for task, answers in done.items():
            with shop.installation.work(tenant, shop.lead) as work:
                operations.complete_task(work, onboarding_id=onboarding_id, task=task, answers=answers)
        before = len(journal(shop, made))
        clock(timedelta(days=30))
        shop.run()
        assert self.breaches(shop, tenant) == []
        assert {row.event["event"] for row in journal(shop, made)[before:]} <= {"reminder_due"}  # of other steps

    @staticmethod
    def timers(shop: MainJob, tenant: Tenant) -> list[Any]:
        query = "SELECT * FROM cell.timer WHERE tenant_id = %s AND kind = 'onboarding.fire_timer' AND state = 'waiting'"
        return shop.installation.cell(query, tenant.id)

    @staticmethod
    def breaches(shop: MainJob, tenant: Tenant) -> list[Any]:
        return shop.installation.rows(tenant, "SELECT id FROM {}.trail WHERE action = 'onboarding.sla.breached'")


class TestWholeWay:
    def test_without_a_connection_stops_at_an_exception_and_goes_on_after_a_retry(self, shop: MainJob):
        """Also: the journal alone leads to the stored state, and no secret is anywhere but sealed."""
        tenant, onboarding_id = made = begin(shop, "Whole way", email=f"{new_id().hex[-8:]}@whole.example")
        walk(shop, tenant, onboarding_id)
        [opened] = [row for row in shop.exceptions(onboarding_id, tenant) if row.state == "open"]
        assert opened.item_key == "task.create_workspace"
        assert opened.route
        connect_product(shop, tenant)
        with shop.installation.work(tenant, shop.lead) as work:
            operations.resolve_exception(
                work,
                onboarding_id=onboarding_id,
                exception=opened.key,
                resolution="retry",
                reason="The connection is set up now.",
            )
        shop.run()
        state = walk(shop, tenant, onboarding_id)
        assert (state.status, len(shop.product.effects)) == ("finished", 1)
        assert [row.state for row in shop.exceptions(onboarding_id, tenant)] == ["resolved"]
        picture = picture_of(shop, tenant, onboarding_id)
        history = [msgspec.convert({"at": row.at, "event": row.event}, Recorded) for row in journal(shop, made)]
        assert replay(picture.definition, history) == picture.state
        last = shop.installation.rows(tenant, "SELECT action FROM {}.trail ORDER BY id")
        assert [row.action for row in last].count("onboarding.first_value.reached") == 1
