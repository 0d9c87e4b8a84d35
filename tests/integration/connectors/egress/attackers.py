"""Everybody who calls other systems, names that change their minds, and listeners that count. Not a test."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import product

import msgspec

from app.connectors.kit.contract import ActionCall
from app.connectors.kit.registry import Registry
from app.connectors.kit.runner import Runner
from app.connectors.webhooks.sender import Sender
from app.identity.sso.protocol.provider import Client, Providers
from app.identity.sso.protocol.trouble import ProviderTrouble
from app.kernel.outbound.client import OutboundClient, OutboundRequest, PeerUnreachable
from app.kernel.outbound.egress import EgressRefused, Place
from app.vault.secret import Secret
from tests.integration.connectors.egress.nameserver import NameServer, WireResolver, Zone, name_server

TRUST = ssl.create_default_context()
PUBLIC, PUBLIC_6 = "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"
HERE, META = "127.0.0.1", "169.254.169.254"
HOST = "admin.workbench.example.com"
# A name by question: what it is at first, and then. All of them are refused at the first or at the second call.
ZONES: dict[str, Zone] = {
    "loopback at the second": {HOST: [[PUBLIC], [HERE]]},
    "metadata at the second": {HOST: [[PUBLIC], [META]]},
    "both at once": {HOST: [[PUBLIC, HERE]]},
    "the good one last": {HOST: [[META, PUBLIC]]},
    "IPv6 loopback beside a good IPv4": {HOST: [[PUBLIC, "::1"]]},
    "IPv4 in IPv6": {HOST: [[PUBLIC, "::ffff:7f00:1"]]},
    "NAT64 of the metadata": {HOST: [[PUBLIC_6], ["64:ff9b::a9fe:a9fe"]]},
    "an alias that moves": {HOST: [["cdn.evil.com"]], "cdn.evil.com": [[PUBLIC], [HERE]]},
    "a chain of aliases": {HOST: [["a.evil.com"]], "a.evil.com": [["b.evil.com"]], "b.evil.com": [[HERE]]},
    "an alias to localhost": {HOST: [["localhost.evil.com"]], "localhost.evil.com": [["0.0.0.0"]]},  # noqa: S104  an answer, never bound
    "an alias that leads to itself": {HOST: [[HOST]]},
    "private at the third": {HOST: [[PUBLIC], [PUBLIC], ["10.0.0.1"]]},
}
Call = Callable[[OutboundClient], object]


def _bind(address: str, port: int) -> socket.socket | None:
    address, _, link = address.partition("%")
    with suppress(OSError):
        if ":" in address:
            place = (address, port, 0, socket.if_nametoindex(link) if link else 0)
            return socket.create_server(place, family=socket.AF_INET6)
        return socket.create_server((address, port))
    return None


@dataclass
class Ears:
    """Listeners that only count. Port 443 of each address, where this user may bind it, and one free port."""

    listeners: dict[tuple[str, int], socket.socket] = field(default_factory=dict)

    def listen(self, *addresses: str) -> None:
        """Listen where it is allowed."""
        for address in addresses:
            for port in (443, 0):
                made = _bind(address, port)
                if made is not None:
                    made.setblocking(False)
                    self.listeners[address, made.getsockname()[1]] = made

    def close(self) -> None:
        """Listen no more."""
        for listener in self.listeners.values():
            listener.close()

    def heard(self) -> list[tuple[str, int]]:
        """Where somebody has connected."""
        found = []
        for place, listener in self.listeners.items():
            with suppress(BlockingIOError):
                listener.accept()[0].close()
                found.append(place)
        return found


class Internet:
    """Stands for the world: notes every address that is dialled; answers none, as TLS would need its certificate."""

    def __init__(self) -> None:
        self.dialled: list[str] = []

    def __call__(self, address: tuple[str, int], seconds: float) -> socket.socket:
        """A dial that refuses what is public, and really dials what is not: that must never be asked of it."""
        self.dialled.append(address[0])
        if address[0] in {PUBLIC, PUBLIC_6}:
            raise ConnectionRefusedError
        return socket.create_connection(address, timeout=seconds)


def _verify(runner: Runner) -> object:
    call = ActionCall(
        provider="product_admin",
        action=runner.registry.get("product_admin").manifest.verify,
        input={},
        idempotency_key="run-1",
        secrets={name: Secret("x") for name in runner.registry.get("product_admin").manifest.secrets},
    )
    report = runner.call(call)
    return report.code


def _provider(client: OutboundClient) -> object:
    with suppress(ProviderTrouble):
        Providers(client).metadata(f"https://{HOST}", fresh=True)
    return None


def _keys(client: OutboundClient) -> object:
    """The key set: its address comes out of the provider's own configuration, so nobody typed it at a door."""
    with suppress(ProviderTrouble):
        Providers(client)._fetch_keys(f"https://{HOST}/keys")
    return None


def _userinfo(client: OutboundClient) -> object:
    providers = Providers(client)
    with suppress(ProviderTrouble):
        providers.exchange(Client(f"https://{HOST}", "x", "https://here.com/back"), code="c", verifier="v")
    return None


def _line(client: OutboundClient) -> object:
    with suppress(EgressRefused, PeerUnreachable):
        client.open(Place(HOST, 443, frozenset({443})), timeout=2)
    return None


def plain(client: OutboundClient) -> None:
    with suppress(EgressRefused, PeerUnreachable):
        client.send(OutboundRequest(method="GET", url=f"https://{HOST}/", timeout=2))


def workbench() -> Registry:
    """The catalogue, with the workbench at a name that a name server can know."""
    found = Registry.load()
    connector = found.get("product_admin")
    egress = msgspec.structs.replace(connector.manifest.egress, hosts=(HOST,))
    manifest = msgspec.structs.replace(connector.manifest, address=f"https://{HOST}", egress=egress)
    return Registry({**found.connectors, "product_admin": replace(connector, manifest=manifest)})


CALLERS: dict[str, Callable[[Registry], Call]] = {
    "a webhook": lambda _registry: lambda client: Sender(client).send(f"https://{HOST}/in", {}, b"{}", sandbox=False),
    "a connector": lambda registry: lambda client: _verify(Runner(registry, client, time_limit=2)),
    "the configuration of a provider": lambda _registry: _provider,
    "the keys of a provider": lambda _registry: _keys,
    "the tokens of a provider": lambda _registry: _userinfo,
    "a line that is not HTTP": lambda _registry: _line,
    "the client itself": lambda _registry: plain,
}


def attack(name: str, caller: str, served: tuple[NameServer, WireResolver], registry: Registry) -> set[str]:
    """Call four times by a name that changes its mind; every address that was dialled."""
    server, resolve = served
    call, world = CALLERS[caller](registry), Internet()
    server.serve(ZONES[name])
    client = OutboundClient(resolve=resolve, dial=world, tls=TRUST)
    for _ in range(4):
        call(client)
    assert server.asked, "the name was never looked up"
    return set(world.dialled)


def main() -> None:
    """Run every attack here, where link-local addresses belong to this program's own network; print what was heard."""
    ears = Ears()
    ears.listen(HERE, "::1", META, "169.254.170.2", "fe80::1%lo")
    registry = workbench()
    with name_server() as served:
        dialled = [attack(name, caller, served, registry) for name, caller in product(ZONES, CALLERS)]
    told = {"listeners": sorted({place[0] for place in ears.listeners}), "attacks": len(dialled), "heard": ears.heard()}
    sys.stdout.write(json.dumps(told | {"dialled": sorted(set().union(*dialled))}))


if __name__ == "__main__":
    main()
