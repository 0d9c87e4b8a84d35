"""The library as the operator's own listings: once, public, and without anybody else's review."""

from __future__ import annotations

import pytest

from app.bootstrap.commands import marketplace
from app.bootstrap.commands.marketplace import stock_library
from app.bootstrap.seeding import seeder
from app.tenancy.operations.creation import Seeder
from app.vault.keyring import Keyring
from tests.integration.marketplace.market import Market


class TestStock:
    def test_offers_the_library_once_to_everybody(self, market: Market, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(marketplace, "list_shelves", lambda: ["msp/managed-services", "msp/renewal"])
        runtime, operator = market.installation.runtime, market.operator.id
        runtime.services[Seeder] = seeder(runtime.service(Keyring))
        market.installation.control(
            "UPDATE control.tenant SET request_key = 'home' WHERE id = %s", market.operator.home.id
        )
        assert stock_library(runtime, operator) == 2
        market.run()
        assert stock_library(runtime, operator) == 0
        found = {card.template_id: card for card in market.search(market.contoso)}
        assert len(found) == 2
        assert all(card.reviewed and card.publisher == "" for card in found.values())
        assert market.install(market.contoso, found["msp-renewal"].version_id)
