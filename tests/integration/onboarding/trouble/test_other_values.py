"""One more try of an action with other values: typed by its manifest, agreed by two, sent under a new key."""

from __future__ import annotations

from typing import Any

import pytest

from app.access.require import NotPermitted
from app.connectors.kit.registry import Registry
from app.flow import events as flow
from app.kernel.ids import new_id
from app.onboarding import operations
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.operations.trouble import Verdict
from app.onboarding.queries.partner import partner_page
from app.onboarding.queries.picture import get_picture
from app.onboarding.queries.steering.edited import InputRefused
from app.web.rendering import render
from app.web.translations import LOCALES
from tests.factories.main_job import MainJob
from tests.factories.walker import connect_product, customer_of, picture_of, walk
from tests.integration.onboarding.test_course import Running, begin, replays, trail
from tests.look.brands import VIEWS

CALL = "task.create_workspace"


def stuck(shop: MainJob, company: str, *, unknown: bool = False) -> tuple[Running, dict[str, Any]]:
    """Its call failed, as nobody connected the product; or nobody knows what became of it."""
    made = begin(shop, company)
    walk(shop, *made)
    if unknown:
        with shop.installation.work(made[0], shop.lead) as work:
            to: Any = {"onboarding_id": made[1]}
            operations.resolve_exception(work, exception=f"{CALL}#1", resolution="retry", reason="Once more.", **to)
            lost = flow.ActionUnknown(task=CALL, request=2, error="No answer.")
            advance(work, lock_onboarding(work, made[1]), lost)
    [key] = [row.key for row in shop.exceptions(made[1], made[0]) if row.state == "open"]
    return made, {"onboarding_id": made[1], "exception": key, "resolution": "retry", "reason": "Counted anew."}


class TestOtherValues:
    def test_are_sent_once_another_person_agrees(self, shop: MainJob):
        made, to = stuck(shop, "Edited")
        connect_product(shop, made[0])
        with shop.installation.work(made[0], shop.staff["tom"]) as work:
            operations.resolve_exception(work, given={"seats": 61, "region": "us"}, **to)
        assert picture_of(shop, *made).of(CALL).state == "blocked"
        with shop.installation.work(made[0], shop.lead) as work:
            about = {"onboarding_id": made[1], "exception": to["exception"]}
            [waiting] = [each for each in picture_of(shop, *made).state.exceptions.values() if each.proposal]
            assert waiting.proposal is not None
            verdict = Verdict(agreed=True, proposal=waiting.proposal.digest)
            operations.decide_proposal(work, verdict=verdict, **about)
        shop.run()
        first, second = shop.installation.rows(made[0], "SELECT * FROM {}.run ORDER BY number")
        assert (second.input["seats"], second.input["region"], second.number) == (61, "us", 2)
        assert first.idempotency_key != second.idempotency_key
        assert picture_of(shop, *made).of(CALL).state == "done"
        [proposed] = trail(shop, made, "onboarding.exception.proposed")
        [told] = trail(shop, made, "onboarding.exception.input_changed")
        assert proposed.body["fields"] == told.body["fields"] == ["region", "seats"]
        assert "61" not in str({name: said for name, said in told.body.items() if name != "delegations"})  # random ids
        assert replays(shop, made)

    def test_after_an_unknown_outcome_are_warned_of_and_shown_to_the_second(self, shop: MainJob):
        made, to = stuck(shop, "Edited unknown", unknown=True)
        assert "may have had its effect" in self.shown(shop, made, shop.staff["tom"])
        with shop.installation.work(made[0], shop.staff["tom"]) as work:
            operations.resolve_exception(work, given={"name": "Acme <Ltd>", "region": None}, **to)
        text = self.shown(shop, made, shop.lead)
        for said in ("Acme &lt;Ltd&gt;", "Left out", "may have had its effect"):
            assert said in text, said

    def test_are_what_the_manifest_takes(self, shop: MainJob):
        made, to = stuck(shop, "Edited wrongly")
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"seats": 0}, "/input/seats"),
            ({"seats": "many"}, "/input/seats"),
            ({"plan": "golden"}, "/input/plan"),
            ({"plan": None}, "/input"),
            ({"token": "x"}, "/input/token"),
        ]
        for given, place in wrong:
            with pytest.raises(InputRefused) as refused, shop.installation.work(made[0], shop.lead) as work:
                operations.resolve_exception(work, given=given, **to)
            assert refused.value.errors[0][0] == place
        same = pytest.raises(InputRefused, match="already")
        with same, shop.installation.work(made[0], shop.lead) as work:
            operations.resolve_exception(work, given={}, **to)
        with pytest.raises(NotPermitted), shop.installation.work(made[0], customer_of(shop, made[0])) as work:
            operations.resolve_exception(work, given={"seats": 3}, **to)

    def test_never_show_a_secret(self):
        for connector in Registry.load().connectors.values():
            for name, action in connector.manifest.actions.items():
                hidden = {key for key, schema in action.input["properties"].items() if schema.get("writeOnly")}
                assert not hidden & set(connector.places(name))

    @staticmethod
    def shown(shop: MainJob, made: Running, actor: Any) -> str:
        with shop.installation.work(made[0], actor) as work:
            page = partner_page(work, get_picture(work, made[1]), "exceptions")
        return render("onboarding/plan/_exceptions.html", page | {"command_key": str(new_id())}, locale=LOCALES["en"],
                      brand_view=VIEWS["northwind"])  # fmt: skip
