"""What other systems hold is compared with ours; writes wait where they differ, and go on as somebody decides."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest

from app.access.require import NotPermitted
from app.connectors.catalog.stand_in import Fault
from app.connectors.connecting.care import remove_connection
from app.connectors.drift import records
from app.connectors.drift.operations import (
    DriftUnknown,
    NothingOpen,
    SettlementUnexplained,
    ask_look,
    get_drift,
    note_look,
    read_drifts,
    settle_drift,
)
from app.connectors.drift.planning import plan_looks
from app.connectors.drift.records import Drift
from app.connectors.drift.sources import Ours, Theirs
from app.connectors.operations import RunRequest, request_run
from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.installation import person
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, customer_of

Place = tuple[Tenant, UUID]
_numbers = count(500)


@pytest.fixture(scope="module")
def place(shop: MainJob) -> Place:
    """A customer whose product is connected."""
    return started(shop, "Drifting")


def started(shop: MainJob, company: str) -> Place:
    deal = shop.sell(company=company, email=f"x@{company.lower()}.example")
    shop.tell(deal)
    shop.run()
    tenant, onboarding_id = shop.started(deal)
    connect_product(shop, tenant)
    shop.run()
    return tenant, onboarding_id


def ask(shop: MainJob, place: Place, action: str, **given: Any) -> UUID:
    with shop.installation.work(place[0], shop.staff["tom"]) as work:
        wanted = RunRequest(place[1], "task.create_workspace", "product_admin", action, given, next(_numbers))
        return request_run(work, wanted)


def write(shop: MainJob, place: Place, **more: Any) -> tuple[UUID, dict[str, Any]]:
    """A workspace that we have made in the product, and as the product has it: what a test changes there."""
    run_id = ask(
        shop, place, "create_workspace", external_id=f"{new_id()}", name="Contoso", plan="team", seats=40, **more
    )
    shop.finish()
    made = state_of(shop, place, run_id).result["id"]
    return run_id, next(a.workspaces[made] for a in shop.product.state.accounts.values() if made in a.workspaces)


def state_of(shop: MainJob, place: Place, run_id: UUID) -> Any:
    return shop.installation.rows(place[0], "SELECT * FROM {}.run WHERE id = %s", run_id)[0]


def look(shop: MainJob, tenant: Tenant) -> list[Drift]:
    """Everything compared once; what differs, the open ones."""
    with shop.installation.work(tenant, shop.staff["tom"]) as work:
        ask_look(work)
    shop.finish()
    return open_ones(shop, tenant)


def open_ones(shop: MainJob, tenant: Tenant) -> list[Drift]:
    with shop.installation.work(tenant, shop.staff["tom"]) as work:
        return [each for each in read_drifts(work)[0] if each.open]


def settle(shop: MainJob, tenant: Tenant, drift: Drift, answer: Any, **more: Any) -> None:
    with shop.installation.work(tenant, shop.staff["tom"]) as work:
        settle_drift(work, drift.id, answer=answer, reason="agreed by phone", **more)
    shop.finish()


def told(shop: MainJob, tenant: Tenant, subject: UUID) -> list[str]:
    query = "SELECT action FROM {}.trail WHERE subject_id = %s ORDER BY id"
    return [row.action.rpartition(".")[2] for row in shop.installation.rows(tenant, query, subject)]


class TestARecordThatDrifts:
    def test_holds_writes_about_it_and_no_others_until_it_is_settled(self, shop: MainJob, place: Place):
        _run, there = write(shop, place)
        _run, other = write(shop, place)
        assert look(shop, place[0]) == [], "what we wrote is what they have"
        there["seats"] = 60
        [drift] = look(shop, place[0])
        [one] = drift.differences
        assert (one.field, one.ours, one.theirs, one.state) == ("seats", "40", "60", "open")
        held = ask(shop, place, "send_welcome", workspace_id=there["id"])
        free = ask(shop, place, "send_welcome", workspace_id=other["id"])
        read = ask(shop, place, "find_workspace", external_id=there["external_id"])
        shop.finish()
        assert [state_of(shop, place, each).state for each in (held, free, read)] == [
            "waiting",
            "succeeded",
            "succeeded",
        ]
        assert state_of(shop, place, held).attempts == [], "it has made no attempt"
        assert look(shop, place[0])[0].differences[0].since == one.since, "looked at again, it is as old as it was"
        settle(shop, place[0], drift, "theirs")
        assert state_of(shop, place, held).state == "succeeded"
        assert told(shop, place[0], held) == ["held", "ended"]
        assert told(shop, place[0], drift.id) == ["found", "settled"]
        assert look(shop, place[0]) == [], "theirs holds from now on"
        there["seats"] = 40
        [again] = look(shop, place[0])
        assert (again.differences[0].ours, again.differences[0].theirs) == ("60", "40")
        settle(shop, place[0], again, "ours")

    def test_ends_for_a_person_what_is_given_up_or_carries_what_has_changed(self, shop: MainJob, place: Place):
        _run, there = write(shop, place)
        there["plan"] = "starter"
        [drift] = look(shop, place[0])
        given = {"external_id": there["external_id"], "name": "Contoso", "plan": "team"}
        stale, fine = (
            ask(shop, place, "create_workspace", **given),
            ask(shop, place, "send_welcome", workspace_id=there["id"]),
        )
        shop.finish()
        settle(shop, place[0], drift, "theirs")
        assert [state_of(shop, place, each).state for each in (stale, fine)] == ["failed", "succeeded"]
        there["plan"] = "enterprise"
        [drift] = look(shop, place[0])
        welcome = ask(shop, place, "send_welcome", workspace_id=there["id"])
        shop.finish()
        settle(shop, place[0], drift, "give_up")
        assert state_of(shop, place, welcome).state == "failed"
        ended = "SELECT reason FROM {}.trail WHERE action = 'connectors.run.ended' AND subject_id = %s"
        assert shop.installation.rows(place[0], ended, welcome)[0].reason == "agreed by phone"

    def test_that_they_correct_goes_on_by_itself(self, shop: MainJob, place: Place):
        _run, there = write(shop, place)
        there["seats"] = 1
        [drift] = look(shop, place[0])
        held = ask(shop, place, "send_welcome", workspace_id=there["id"])
        shop.finish()
        there["seats"] = 40
        assert look(shop, place[0]) == []
        assert state_of(shop, place, held).state == "succeeded"
        assert told(shop, place[0], drift.id) == ["found", "corrected"]
        with pytest.raises(NothingOpen), shop.installation.work(place[0], shop.staff["tom"]) as work:
            settle_drift(work, drift.id, answer="ours", reason="late")

    def test_is_not_one_whose_system_is_down(self, shop: MainJob, place: Place):
        _run, there = write(shop, place)
        there["seats"] = 2
        shop.product.break_next(Fault("status", "/v1", times=500, status=503))
        assert look(shop, place[0]) == []
        shop.product.faults.clear()
        shop.hurry()
        [drift] = look(shop, place[0])
        assert shop.installation.cell("SELECT kind FROM cell.job WHERE state IN ('failed', 'poisoned')") == []
        settle(shop, place[0], drift, "ours")
        there["seats"] = 40

    def test_is_one_that_is_gone(self, shop: MainJob, place: Place):
        _run, there = write(shop, place)
        account = next(a for a in shop.product.state.accounts.values() if there["id"] in a.workspaces)
        del account.workspaces[there["id"]]
        [drift] = look(shop, place[0])
        assert [(each.field, each.theirs) for each in drift.differences] == [("record", "gone")]
        settle(shop, place[0], drift, "ours")
        assert look(shop, place[0]) == []

    def test_is_noted_once_by_many_looks_at_once(self, shop: MainJob, place: Place):
        record = records.Place("written", place[1], "product_admin", "at once")
        ours, ready = Ours("acme", {"seats": 4}, names=(("id", "ws_at_once"),)), Barrier(2)

        def note() -> None:
            with shop.installation.work(place[0]) as work:
                work.session.connection()
                ready.wait(10)
                note_look(work, record, ours, Theirs({"seats": 5}))

        threads = [Thread(target=note) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        [drift] = open_ones(shop, place[0])
        assert told(shop, place[0], drift.id) == ["found"]
        settle(shop, place[0], drift, "ours")


class TestSettling:
    def test_is_for_those_who_may_connect_systems_and_needs_a_reason(self, shop: MainJob, place: Place):
        _run, there = write(shop, place)
        there["seats"] = 4
        [drift] = look(shop, place[0])
        stranger = person("Eve")
        for work_of in (lambda work: settle_drift(work, drift.id, answer="ours", reason="x"), ask_look, read_drifts):
            with pytest.raises(NotPermitted), shop.installation.work(place[0], stranger) as work:
                work_of(work)
        with pytest.raises(SettlementUnexplained), shop.installation.work(place[0], shop.staff["tom"]) as work:
            settle_drift(work, drift.id, answer="ours", reason="  ")
        with pytest.raises(DriftUnknown), shop.installation.work(shop.home, shop.staff["tom"]) as work:
            get_drift(work, drift.id)
        settle(shop, place[0], drift, "ours")


class TestASale:
    def test_that_its_crm_says_something_else_of_holds_its_whole_onboarding(self, shop: MainJob):
        mine, other = started(shop, "Resold"), started(shop, "Untouched")
        deal = next(row for row in shop.deals() if row.onboarding_id == mine[1])
        assert look(shop, shop.home) == []
        shop.change_deal(
            deal.external_id, amount="99000", sw_seats="60", hubspot_owner_id="78", dealstage="contractsent"
        )
        [drift] = look(shop, shop.home)
        assert [each.field for each in drift.differences] == ["amount", "seats"], (
            "who minds it, and its stage, are free"
        )
        given: dict[str, Any] = {"name": "Contoso", "plan": "team"}
        held, free = (ask(shop, each, "create_workspace", external_id=f"{new_id()}", **given) for each in (mine, other))
        shop.finish()
        assert (state_of(shop, mine, held).state, state_of(shop, other, free).state) == ("waiting", "succeeded")
        settle(shop, shop.home, drift, "theirs", fields=frozenset({"amount"}))
        assert state_of(shop, mine, held).state == "waiting", "the seats are still open"
        settle(shop, shop.home, drift, "theirs")
        assert state_of(shop, mine, held).state == "succeeded"
        assert shop.exceptions(mine[1], mine[0]) == []


class TestPlanning:
    def test_asks_each_workspace_once_a_period(self, shop: MainJob):
        shop.finish()
        asked = "SELECT tenant_id FROM cell.job WHERE dedupe_key LIKE 'drift:%%:3600'"
        shop.installation.cell("UPDATE cell.job SET run_at = run_at - %s", timedelta(hours=1))
        for _twice in range(2):
            plan_looks(shop.runtime, hours=1)
        found = [row.tenant_id for row in shop.installation.cell(asked)]
        assert len(found) == len(set(found))
        assert plan_looks(shop.runtime, hours=0) is False
        shop.finish()


class TestAConnectionThatIsRemoved:
    def test_leaves_nothing_waiting(self, shop: MainJob):
        place = started(shop, "Leaving")
        _run, there = write(shop, place)
        there["seats"] = 5
        [drift] = look(shop, place[0])
        held = ask(shop, place, "send_welcome", workspace_id=there["id"])
        shop.finish()
        with shop.installation.work(place[0], customer_of(shop, place[0])) as work:
            remove_connection(work, drift.place.connection_id)
        shop.finish()
        assert state_of(shop, place, held).state == "failed"
        assert open_ones(shop, place[0]) == []
