"""From a deal that was sold with a package to what runs: add-ons, limits, and another version of the template."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.kernel.ids import new_id
from app.onboarding.migration.versions import find_target, list_versions
from app.onboarding.queries.stored import definition_of, find_onboarding
from app.onboarding.sold import sold_of
from app.templates.document import Source
from app.templates.language import Template, address
from app.templates.library import open_shelf
from app.templates.operations import publish
from app.templates.packages.operations import publish_package, retire_package
from app.templates.queries import get_pinned
from app.templates.rules import TemplateRefused
from tests.factories.main_job import MainJob
from tests.unit.templates.packages.samples import package as sample

TRAINED = "task.courses_training_plan"


@pytest.fixture(scope="module")
def gold(shop: MainJob) -> Iterator[str]:
    """Its address. It is sold no more when these tests are over: other deals here speak of another product."""
    with shop.installation.work(shop.home, shop.lead) as work:
        digest = publish_package(work, sample())
        assert publish_package(work, sample()) == digest
    shop.run()
    yield digest
    with shop.installation.work(shop.home, shop.lead) as work:
        retire_package(work, "managed-gold")


def sell(shop: MainJob, **sold: str) -> str:
    name = f"Customer {new_id().hex[-6:]}"
    deal = shop.sell(company=name, email=f"{new_id().hex[-8:]}@contoso.example", **sold)
    shop.tell(deal)
    shop.finish()
    return deal


def publish_version(shop: MainJob, number: str, *, rollout: bool = True) -> str:
    document: dict[str, Any] = copy.deepcopy(dict(open_shelf("msp/managed-services").template.document))
    document |= {"version": number}
    if not rollout:
        for stage in document["stages"]:
            stage["id"] = "introduction" if stage["id"] == "rollout" else stage["id"]
    template = Template(document, address(document), Source("published", document, {}, {}))
    with shop.installation.work(shop.home, shop.lead) as work:
        publish(work, template)
    shop.run()
    return template.digest


class TestSold:
    def test_runs_with_the_tasks_of_what_was_sold_and_says_so(self, shop: MainJob, gold: str):
        tenant, onboarding_id = shop.started(sell(shop, sw_product="GOLD-24", sw_add_ons="Kurse;BKP"))
        items = shop.installation.rows(tenant, "SELECT key FROM {}.item")
        assert {"task.backup_restore", TRAINED} <= {row.key for row in items}
        with shop.installation.work(tenant, shop.lead) as work:
            onboarding = find_onboarding(work.session, onboarding_id)
            origins = get_pinned(work.session, onboarding.definition_digest).origins
            sold = sold_of(onboarding.deal)
        assert sold is not None
        assert (sold["digest"], [each["id"] for each in sold["add_ons"]]) == (gold, ["backup", "courses"])
        assert {"package-managed-gold", "managed-gold-with-backup", "northwind-managed-services"} <= {*origins.values()}
        began = "SELECT body FROM {}.trail WHERE action = %s"
        [told] = shop.installation.rows(tenant, began, "onboarding.started")
        assert told.body["package"]["digest"] == gold
        [entry] = shop.installation.control(
            "SELECT service_package, limits FROM control.tenant WHERE id = %s", tenant.id
        )
        assert tuple(entry) == ("managed-gold", {"members": 25})

    def test_runs_without_what_was_not_sold(self, shop: MainJob, gold: str):
        tenant, _ = shop.started(sell(shop, sw_package=" managed  gold "))
        items = {row.key for row in shop.installation.rows(tenant, "SELECT key FROM {}.item")}
        assert gold
        assert not items & {"task.backup_restore", TRAINED}

    def test_waits_for_a_person_where_it_is_not_clear_and_starts_when_it_is(self, shop: MainJob, gold: str):
        deal = sell(shop, sw_product="Manged Gold")
        held = shop.deal(deal)
        [found] = shop.exceptions(held.id)
        assert gold
        assert (held.state, found.type, found.route) == ("held", "package_unclear", ["onboarding_lead"])
        assert "“Manged Gold” is no package that is sold" in found.summary
        verdicts = "SELECT result, reason FROM {}.verdict WHERE kind = 'package_choice' AND subject_id = %s"
        assert [row.result for row in shop.installation.rows(shop.home, verdicts, held.id)] == ["held"]
        shop.change_deal(deal, sw_product="Managed Gold")
        shop.tell(deal)
        shop.finish()
        assert shop.deal(deal).state == "started"

    def test_holds_a_deal_whose_package_does_not_fit_the_lane_and_makes_no_workspace(self, shop: MainJob, gold: str):
        task = {"title": {"en": "Ring"}, "kind": "meeting", "owner": "csm"}
        adds = [{"id": "ring", "place": "stage.nowhere", "task": task}]
        unfit = sample(package="unfit", title={"en": "Unfit"}, called=[], add_ons=[], adds=adds)
        with shop.installation.work(shop.home, shop.lead) as work:
            publish_package(work, unfit)  # the page checks it against the newest version; a lane may run another
        held = shop.deal(sell(shop, sw_package="unfit"))
        with shop.installation.work(shop.home, shop.lead) as work:
            retire_package(work, "unfit")
        [found] = shop.exceptions(held.id)
        assert gold
        assert (held.state, held.tenant_id, found.type) == ("held", None, "start_refused")
        assert "There is no “stage.nowhere”" in found.summary

    def test_holds_a_deal_with_more_contacts_than_its_package_lets_in_until_one_with_room_is_sold(
        self, shop: MainJob, gold: str
    ):
        small: dict[str, Any] = {"package": "small", "title": {"en": "Small"}, "called": [], "add_ons": []}
        with shop.installation.work(shop.home, shop.lead) as work:
            publish_package(work, sample(**small, quotas={"members": 1}))
        contacts = [shop.create("contacts", {"email": f"{new_id().hex[-8:]}@contoso.example"}) for _ in range(2)]
        company = shop.create("companies", {"name": f"Customer {new_id().hex[-6:]}"})
        parties = {company: 5} | dict.fromkeys(contacts, 3)
        deal = shop.create("deals", shop.sold_properties(sw_package="small"), parties)
        shop.tell(deal)
        shop.finish()
        held = shop.deal(deal)
        assert gold
        assert (held.state, held.tenant_id) == ("held", None)
        [found] = shop.exceptions(held.id)
        assert "The deal has 2 contacts, and its package lets no more than 1 into" in found.summary
        key = f"deal:{held.id}"
        assert not shop.installation.control("SELECT 1 FROM control.tenant WHERE request_key = %s", key)
        with shop.installation.work(shop.home, shop.lead) as work:
            publish_package(work, sample(**small, version="1.1.0", quotas={"members": 9}))
        shop.change_deal(deal, sw_seats="41")
        shop.tell(deal)
        shop.finish()
        with shop.installation.work(shop.home, shop.lead) as work:
            retire_package(work, "small")
        assert shop.deal(deal).state == "started"

    def test_stays_with_what_was_sold_on_another_version(self, shop: MainJob, gold: str):
        tenant, onboarding_id = shop.started(sell(shop, sw_product="GOLD-24", sw_add_ons="backup"))
        newer, other = publish_version(shop, "1.1.0"), publish_version(shop, "1.2.0", rollout=False)
        running, sold = self.running(shop, tenant, onboarding_id)
        assert gold
        target = find_target(shop.runtime, shop.organisation_id, newer, sold)
        assert target.effective is not None
        assert "task.backup_restore" in target.effective.compile().items
        with pytest.raises(TemplateRefused, match="There is no"):
            find_target(shop.runtime, shop.organisation_id, other, sold | {"add_ons": [{"id": "courses"}]})
        offered = {each.to for each in list_versions(shop.runtime, shop.organisation_id, running, sold)}
        assert {newer, other} <= offered
        pinned = open_shelf("msp/managed-services").template.digest
        assert pinned not in offered, "what runs is no other version, though more was sold upon it"

    @staticmethod
    def running(shop: MainJob, tenant: Any, onboarding_id: UUID) -> Any:
        with shop.installation.work(tenant, shop.lead) as work:
            onboarding = find_onboarding(work.session, onboarding_id)
            return definition_of(work, onboarding.definition_digest), sold_of(onboarding.deal)
