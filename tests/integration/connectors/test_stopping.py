"""An onboarding that is cancelled while it calls another system: nothing more is sent, nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from app.connectors.catalog.stand_in import Fault
from app.kernel.actor import Actor
from app.onboarding.operations import cancel_onboarding, roll_back
from app.onboarding.queries.partner import partner_page
from app.onboarding.queries.picture import get_picture
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, do, picture_of, walk

SPACES = "/v1/workspaces"
STEP = "task.create_workspace"
_names = count(1)


class Place:
    """A customer whose workspace has just been asked of the product, and what a test does to it."""

    def __init__(self, shop: MainJob) -> None:
        self.shop, number = shop, next(_names)
        deal = shop.sell(company=f"Stopped {number}", email=f"s{number}@stopped.example")
        shop.tell(deal)
        shop.run()
        self.tenant, self.id = shop.started(deal)
        connect_product(shop, self.tenant)
        walk(shop, self.tenant, self.id, until="task.describe_environment")
        seen = picture_of(shop, self.tenant, self.id)
        do(shop, self.tenant, seen, seen.item("task.describe_environment"))
        self.effects, self.asked = len(shop.product.effects), len(shop.product.requests)

    def cancel(self) -> None:
        with self.shop.installation.work(self.tenant, self.shop.lead) as work:
            cancel_onboarding(work, onboarding_id=self.id, reason="They have withdrawn")

    @property
    def run(self) -> Any:
        return self.shop.installation.rows(self.tenant, "SELECT * FROM {}.run ORDER BY requested_at")[0]

    def ends(self) -> list[Any]:
        of = "SELECT body ->> 'outcome' AS outcome, reason FROM {}.trail WHERE action = 'connectors.run.ended'"
        return self.shop.installation.rows(self.tenant, of)

    def sent(self) -> tuple[int, int]:
        """Requests and effects since the step began."""
        return len(self.shop.product.requests) - self.asked, len(self.shop.product.effects) - self.effects

    def over(self) -> tuple[str, int, int]:
        """How the run has ended when nothing is left to do, with its requests and effects; it has ended once."""
        self.shop.run()
        self.shop.product.faults.clear()
        self.shop.finish()
        assert [each.outcome for each in self.ends()] == [self.run.state]
        assert picture_of(self.shop, self.tenant, self.id).state.status == "cancelled"
        assert self.shop.installation.cell("SELECT kind FROM cell.job WHERE state IN ('failed', 'poisoned')") == []
        return (self.run.state, *self.sent())


@pytest.fixture
def place(shop: MainJob) -> Place:
    return Place(shop)


def in_the_call(place: Place, then: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let something happen while the product answers the next request."""
    wire = place.shop.product.wire

    def answer(call: Any) -> Any:
        monkeypatch.setattr(place.shop.product, "wire", wire)
        answered = wire(call)
        then()
        return answered

    monkeypatch.setattr(place.shop.product, "wire", answer)


class TestACancelledOnboarding:
    def test_sends_nothing_of_what_has_not_begun(self, place: Place):
        place.cancel()
        assert place.run.state == "cancelled"  # at once, not when a worker comes by
        assert place.over() == ("cancelled", 0, 0)
        assert place.ends()[0].reason

    def test_ends_what_waits_for_its_next_try(self, place: Place):
        place.shop.product.break_next(Fault("status", SPACES, status=429, headers={"Retry-After": "120"}))
        place.shop.run()
        place.cancel()
        assert place.over() == ("cancelled", 0, 0)
        assert len(place.run.attempts) == 1

    def test_says_what_nobody_knows(self, place: Place):
        place.shop.product.break_next(Fault("status", SPACES, times=2, status=500))
        place.shop.run()
        place.cancel()
        assert place.over()[0] == "unknown"

    def test_keeps_the_outcome_of_the_call_it_is_in(self, place: Place, monkeypatch: pytest.MonkeyPatch):
        states: list[str] = []

        def meanwhile() -> None:
            place.cancel()
            states.append(place.run.state)

        in_the_call(place, meanwhile, monkeypatch)
        assert place.over() == ("succeeded", 1, 1)
        assert states == ["stopping"]
        assert place.run.result["id"]

    def test_makes_no_other_try_of_the_call_it_is_in(self, place: Place, monkeypatch: pytest.MonkeyPatch):
        place.shop.product.break_next(Fault("silent_after_effect", SPACES, seconds=5))
        in_the_call(place, place.cancel, monkeypatch)
        assert place.over() == ("unknown", 1, 1)  # not even a look-up

    def test_is_not_called_for_by_whoever_takes_over_from_a_worker_that_died(self, place: Place):
        began = '[{"number": 1, "began_at": "2026-01-01T00:00:00+00:00", "config": 0}]'
        change = "UPDATE {}.run SET state = 'running', attempts = %s::jsonb"
        place.shop.installation.rows(place.tenant, change, began)
        place.cancel()
        assert place.run.state == "stopping"
        assert place.over() == ("unknown", 0, 0)

    def test_is_cancelled_once(self, place: Place):
        place.cancel()
        with pytest.raises(Exception, match="cancelled"):
            place.cancel()
        assert place.over() == ("cancelled", 0, 0)


class TestAStageThatBeginsAnew:
    def test_stops_the_call_that_nobody_waits_for_any_more(self, place: Place):
        stage = next(
            item.key
            for item in picture_of(place.shop, place.tenant, place.id).definition.of_kind("stage")
            if STEP in below(place, item.key)
        )
        with place.shop.installation.work(place.tenant, place.shop.lead) as work:
            roll_back(work, onboarding_id=place.id, stage=stage, reason="Sold again with other numbers")
        assert place.run.state == "cancelled"


def below(place: Place, key: str) -> set[str]:
    items = picture_of(place.shop, place.tenant, place.id).definition.items
    found = {key}
    for child in items[key].children:
        found |= below(place, child)
    return found


class TestThePage:
    def test_says_before_what_is_stopped_and_offers_after_to_undo_what_was_done(self, place: Place):
        shop = place.shop
        [line] = shown(place, shop.lead, "cancellation")["outside"]
        assert line["said"] == "Not called yet: it will not be."
        shop.installation.rows(place.tenant, "UPDATE {}.run SET state = 'succeeded', connector = 'gone'")
        place.cancel()
        with shop.installation.work(place.tenant, shop.lead) as work:
            page = partner_page(work, get_picture(work, place.id), "course")
        assert [each["said"] for each in page["outside"]] == ["Done, and it stays there."]
        assert page["tabs"]["course"]


def shown(place: Place, actor: Actor, word: str) -> dict[str, Any]:
    """The form of the course that is called so."""
    with place.shop.installation.work(place.tenant, actor) as work:
        page = partner_page(work, get_picture(work, place.id), "course")
    return next(form for form in page["course"] if form["id"] == word)
