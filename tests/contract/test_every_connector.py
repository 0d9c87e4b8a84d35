"""What every connector keeps, whatever it talks to; a new folder in the catalogue is tested by being there."""

import json
import logging
import pickle
import traceback

import pytest

from app.connectors.catalog.stand_in import Fault
from app.connectors.trials.checks import CHECKS, of_credentials
from tests.contract.conftest import REGISTRY, TOKEN

PROVIDERS = sorted(name for name, each in REGISTRY.connectors.items() if each.manifest.transport == "https")
every_provider = pytest.mark.parametrize("shared_bench", PROVIDERS, indirect=True)


def tried():
    """Each check of each action that it is about."""
    for provider in PROVIDERS:
        for name, action in REGISTRY.get(provider).manifest.actions.items():
            for check in CHECKS:
                if check.about(action):
                    yield pytest.param(provider, name, check, id=f"{provider}-{name}-{check.name}")


def test_the_catalogue_is_found():
    assert {"hubspot", "product_admin", "rest", "slack", "stripe"} <= set(PROVIDERS)


class TestEveryConnector:
    @every_provider
    def test_keeps_its_credentials(self, shared_bench):
        of_credentials(shared_bench)

    @pytest.mark.parametrize(("shared_bench", "action", "check"), list(tried()), indirect=["shared_bench"])
    def test_keeps(self, shared_bench, action, check):
        check.run(shared_bench, action)

    @every_provider
    def test_says_no_secret_aloud(self, shared_bench, caplog, capfd):
        """What the product's own logger writes, and whatever is printed, besides what a check overhears."""
        caplog.set_level(logging.DEBUG)
        for action in shared_bench.connector.manifest.actions:
            shared_bench.broken(action, Fault("silent_after_effect"))
        assert not [text for text in (caplog.text, *capfd.readouterr()) if TOKEN in text]


def test_secrets_stay_out_of_tracebacks_and_pickles():
    from app.vault.secret import Secret

    secret = Secret(TOKEN)
    try:
        pickle.dumps(secret)
    except TypeError:
        text = traceback.format_exc()
    assert TOKEN not in text
    with pytest.raises(TypeError):
        json.dumps(secret)
