"""The library as the operator's own listings: once, public, and without anybody else's review."""

from __future__ import annotations

from app.bootstrap.commands.marketplace import stock_library
from app.bootstrap.seeding import seeder
from app.tenancy.operations.creation import Seeder
from app.vault.keyring import Keyring
from tests.integration.marketplace.market import Market


class TestStock:
    def test_offers_the_library_once_to_everybody(self, market: Market):
        runtime, operator = market.installation.runtime, market.operator.id
        runtime.services[Seeder] = seeder(runtime.service(Keyring))  # type: ignore[index]  # a test's own mapping
        market.installation.control(
            "UPDATE control.tenant SET request_key = 'home' WHERE id = %s", market.operator.home.id
        )
        assert stock_library(runtime, operator) == 8
        market.run()
        assert stock_library(runtime, operator) == 0
        found = {card.template_id: card for card in market.search(market.contoso)}
        assert len(found) == 8
        assert all(card.reviewed and card.publisher == "" for card in found.values())
        assert market.install(market.contoso, found["msp-renewal"].version_id)
