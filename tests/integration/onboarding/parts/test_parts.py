"""Optional and repeated parts over the rows: what is written, taken away, shown, told, and who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
import pytest

from app.access.require import NotPermitted
from app.flow import events as flow
from app.flow.decide import Recorded, replay
from app.flow.parts.optional import DeclineRefused
from app.flow.parts.repeated import PartRefused
from app.flow.steps.work import NotYourTask
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from app.onboarding import operations
from app.onboarding.operations import StartRequest, start_onboarding
from app.onboarding.operations.operator.history import verify_history
from app.onboarding.parts import operations as parts
from app.onboarding.queries.customer import status_page, steps_page, task_page
from app.onboarding.queries.partner import partner_page
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.queries.waiting import list_waiting
from app.templates.operations import pin
from app.templates.overlay import apply_overlays
from tenants.tenant import Tenant
from tests.factories.installation import person
from tests.factories.main_job import MainJob
from tests.factories.walker import customer_of
from tests.unit.flow.parts.small import milestone, small, task
from tests.unit.flow.running import BERLIN

SITES = "- {id: sites, label: {en: Sites}, type: list}"
TOUR = task("tour", "optional: true", owner="client")
LOOK = task("look", "repeat: {for_each: inputs.sites, at_most: 3}, due: {business_days: 2}", owner="client")
Running = tuple[Tenant, UUID]


@pytest.fixture(scope="module")
def running(shop: MainJob) -> Running:
    """A customer's onboarding with an optional step, and one that happens at two sites."""
    deal = shop.sell(company="Parts", email="parts@contoso.example")
    shop.tell(deal)
    shop.run()
    tenant, first = shop.started(deal)
    effective = apply_overlays(small(milestone("base", task("build"), TOUR, LOOK), inputs=SITES))
    with shop.installation.work(tenant, shop.lead) as work:
        people = get_picture(work, first).onboarding.people
        lead, client = people["onboarding_lead"], people["customer_owner"]
        roles = {"lead": lead, "cs_leader": lead, "client": client}
        started = flow.Started(
            by=flow.By(actor=shop.lead.label),
            inputs={"sites": "Berlin\nOslo"},
            packet={"outcome": "Calm"},
            partner=BERLIN,
            customer=BERLIN,
            follows=True,
        )
        digest = pin(work, effective)
        request = StartRequest(new_id(), "With parts", digest, started, roles, {})
        made = start_onboarding(work, request).id
        operations.decide_gate(work, onboarding_id=made, gate="gate.ready", decision="accept")
    return tenant, made


def act(shop: MainJob, running: Running, actor: Actor | None, deed: Callable[..., Any], **said: str) -> None:
    with shop.installation.work(running[0], actor or shop.lead) as work:
        deed(work, onboarding_id=running[1], **said)


def keys(shop: MainJob, running: Running) -> list[str]:
    query = "SELECT key FROM {}.item WHERE onboarding_id = %s ORDER BY position"
    return [row.key for row in shop.installation.rows(running[0], query, running[1])]


class TestParts:
    def test_each_site_has_its_row_in_the_plan_s_order(self, shop: MainJob, running: Running):
        found = keys(shop, running)
        assert found[found.index("task.tour") :][:4] == ["task.tour", "task.look", "task.look#1", "task.look#2"]

    def test_one_is_added_and_taken_away_with_its_row_and_told(self, shop: MainJob, running: Running):
        act(shop, running, None, parts.add_part, item="task.look", name="Rome")
        assert "task.look#3" in keys(shop, running)
        with shop.installation.work(running[0], shop.lead) as work:
            assert "task.look#3" in {line["key"] for line in list_waiting(work)}
        with pytest.raises(PartRefused):
            act(shop, running, None, parts.add_part, item="task.look", name="Bonn")
        act(shop, running, None, parts.remove_part, item="task.look#3", reason="Closed")
        assert "task.look#3" not in keys(shop, running)
        query = "SELECT action, reason FROM {}.trail WHERE action LIKE 'onboarding.part.%%'"
        told = shop.installation.rows(running[0], query)
        assert {(row.action, row.reason) for row in told} == {
            ("onboarding.part.added", None),
            ("onboarding.part.removed", "Closed"),
        }

    def test_both_sides_see_them_and_what_they_may_do(self, shop: MainJob, running: Running):
        with shop.installation.work(running[0], shop.lead) as work:
            seen = get_picture(work, running[1])
            entries = [entry for stage in partner_page(work, seen, "plan")["stages"] for entry in stage["entries"]]
        shown = {entry["key"]: [form["id"] for form in entry["more"]] for entry in entries}
        assert shown["task.look"] == ["parts"]
        assert shown["task.tour"] == []
        titles = {entry["key"]: entry["title"]["en"] for entry in entries}
        assert titles["task.look#2"] == "Look: Oslo"
        with shop.installation.work(running[0], customer_of(shop, running[0])) as work:
            seen = get_picture(work, running[1])
            assert [form["id"] for form in task_page(work, seen, "task.tour")["more"]] == ["decline"]
            assert task_page(work, seen, "task.look#2")["action"].endswith(f"/tasks/{quote('task.look#2')}/completion")
            status, steps = status_page(work, seen), steps_page(seen)
        assert status["next_task"]["optional"] is False
        optional = {step["title"]["en"] for stage in steps["stages"] for step in stage["tasks"] if step["optional"]}
        assert optional == {"Tour"}

    def test_only_those_may_whose_it_is(self, shop: MainJob, running: Running):
        olga, why = customer_of(shop, running[0]), "They know it."
        for actor, deed, said, error in (
            (olga, parts.add_part, {"item": "task.look", "name": "Kiel"}, NotPermitted),
            (olga, parts.remove_part, {"item": "task.look#2"}, NotPermitted),
            (olga, parts.decline_item, {"item": "task.look#1", "reason": why}, DeclineRefused),
            (shop.lead, parts.decline_item, {"item": "task.tour", "reason": why}, NotYourTask),
            (person("Nobody"), parts.decline_item, {"item": "task.tour", "reason": why}, NotPermitted),
        ):
            with pytest.raises(error):
                act(shop, running, actor, deed, **said)
        with pytest.raises(OnboardingMissing):
            act(shop, (running[0], new_id()), None, parts.add_part, item="task.look", name="Kiel")

    def test_the_customer_declines_and_the_history_verifies(self, shop: MainJob, running: Running):
        olga = customer_of(shop, running[0])
        act(shop, running, olga, parts.decline_item, item="task.tour", reason="They know it.")
        act(shop, running, olga, operations.complete_task, task="task.look#1")
        with shop.installation.work(running[0], shop.lead) as work:
            assert verify_history(work, running[1]) == []
            picture = get_picture(work, running[1])
            assert picture.of("task.tour").state == "not_needed"
        rows = shop.installation.rows(
            running[0], "SELECT * FROM {}.journal WHERE onboarding_id = %s ORDER BY seq", running[1]
        )
        history = [msgspec.convert({"at": row.at, "event": row.event}, Recorded) for row in rows]
        assert replay(picture.definition, history) == picture.state
