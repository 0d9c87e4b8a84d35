"""Every connector that is found, with its stand-in running and a runner that reaches it through the address book."""

import importlib
import ssl
from dataclasses import dataclass

import pytest

from app.connectors.kit.contract import ActionCall, CallReport, Connector
from app.connectors.kit.manifest import Action
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.kernel.outbound.client import OutboundClient
from app.kernel.outbound.egress import AddressBook
from app.vault.secret import Secret

REGISTRY = Registry.load()
TOKEN = "canary-7f3a9c1e"
TIME_LIMIT = 0.6
TRUST = ssl.create_default_context()


@dataclass
class Bench:
    """A connector under test."""

    connector: Connector
    stand_in: object
    runner: Runner

    def call(self, action: str, *, token: str = TOKEN, **changes) -> CallReport:
        manifest = self.connector.manifest
        given = {
            "provider": manifest.provider,
            "action": action,
            "input": self.connector.fixture(action)["input"],
            "idempotency_key": "run-1",
            "secrets": {name: Secret(token) for name in manifest.secrets},
        }
        return self.runner.call(ActionCall(**{**given, **changes}))


@pytest.fixture
def bench(provider):
    """`provider` is parametrised by each test."""
    connector = REGISTRY.get(provider)
    module = importlib.import_module(f"app.connectors.catalog.{provider}.stand_in")
    stand_in = module.start(0, {TOKEN: "acme"})
    host = connector.manifest.address.removeprefix("https://")
    client = OutboundClient(AddressBook({(host, 443): stand_in.port}), tls=TRUST)
    yield Bench(connector, stand_in, Runner(REGISTRY, client, time_limit=TIME_LIMIT))
    stand_in.stop()


def actions_where(wanted) -> list[tuple[str, str]]:
    """(provider, action) of every action in the catalogue that fits."""
    found: list[tuple[str, str]] = []
    for provider, connector in REGISTRY.connectors.items():
        found += [(provider, name) for name, action in connector.manifest.actions.items() if wanted(action)]
    return found


def is_write(action: Action) -> bool:
    return action.effect != "read"
