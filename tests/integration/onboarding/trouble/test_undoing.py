"""What a cancelled onboarding did elsewhere is undone by the page's form: once, with a reason, by who may."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from app.connectors.models import Run
from app.kernel.ids import new_id
from tests.factories.doors import Answer, Browser
from tests.integration.onboarding.house import House, Place
from tests.integration.onboarding.trouble.test_forms import page_of, send

WHY = "They have withdrawn <quietly>"
POSTED = {"ok": True, "channel": "C0123456789", "ts": "1712345678.000100"}


@pytest.fixture(scope="module")
def place(house: House) -> Place:
    return house.customer("Withdrawn")


@pytest.fixture(scope="module")
def posted(house: House, place: Place) -> UUID:
    """A message that a step of the onboarding has posted."""
    with house.installation.work(place.tenant, house.ada) as work:
        fields: dict[str, Any] = {"id": new_id(), "onboarding_id": place.onboarding_id, "item_key": "task.kickoff"}
        fields |= {"number": 1, "connector": "slack", "action": "post_message", "state": "succeeded", "attempts": []}
        fields |= {"input": {"channel": "C0123456789", "text": "Welcome"}, "result": POSTED, "idempotency_key": "k"}
        work.session.add(Run(**fields, requested_at=work.now))
    made: UUID = fields["id"]
    return made


@pytest.fixture(scope="module")
def cancelled(house: House, place: Place, posted: UUID) -> Place:
    assert f"undo-{posted}" not in course(house.lead.browser, place).text, "it is offered only where all is over"
    assert send(house.lead.browser, f"{page_of(place)}/cancellation", reason="They have withdrawn").status == 303
    return place


def course(who: Browser, place: Place) -> Answer:
    return who.get(f"{page_of(place)}?view=course")


def undo(who: Browser, place: Place, run: UUID, **fields: str) -> Answer:
    return send(who, f"{page_of(place)}/runs/{run}/compensation", **fields)


def runs(house: House, place: Place) -> list[tuple[str, str, Any]]:
    rows = house.installation.rows(place.tenant, "SELECT * FROM {}.run WHERE action = 'delete_message'")
    return [(row.connector, row.state, row.input) for row in rows]


class TestUndoing:
    def test_is_for_those_who_may_connect_systems(self, house: House, cancelled: Place, posted: UUID):
        assert f"undo-{posted}" not in course(house.cleo.browser, cancelled).text
        assert undo(house.cleo.browser, cancelled, posted, reason=WHY).status == 403
        assert runs(house, cancelled) == []

    def test_is_of_one_s_own_onboarding_only(self, house: House, cancelled: Place, posted: UUID):
        assert undo(house.lead.browser, house.acme, posted, reason=WHY).status == 404
        assert undo(house.lead.browser, cancelled, new_id(), reason=WHY).status == 404

    def test_without_a_reason_says_so_beside_the_field(self, house: House, cancelled: Place, posted: UUID):
        said = undo(house.lead.browser, cancelled, posted, reason=" ")
        assert said.status == 422
        assert "Say why it is undone." in said.text
        assert f'id="undo-{posted}-reason"' in said.text
        assert runs(house, cancelled) == []

    def test_asks_for_one_call_however_often_it_is_sent_and_is_then_offered_no_more(
        self, house: House, cancelled: Place, posted: UUID
    ):
        assert f"undo-{posted}" in course(house.lead.browser, cancelled).text
        assert [undo(house.lead.browser, cancelled, posted, reason=WHY).status for _twice in range(2)] == [303, 303]
        given = {"channel": "C0123456789", "ts": "1712345678.000100"}
        assert runs(house, cancelled) == [("slack", "requested", given)]
        told = "SELECT reason FROM {}.trail WHERE action = 'connectors.run.compensation_asked'"
        assert [row.reason for row in house.installation.rows(cancelled.tenant, told)] == [WHY]
        assert f"undo-{posted}" not in course(house.lead.browser, cancelled).text
