"""A name server that changes its mind, against everybody who calls other systems; nobody listens in on this machine.

The resolver asks a real name server over the wire, by UDP and TCP. Listeners count on loopback; and on link-local in a
network of their own, since to put such an address on this machine's would be to change it.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from app.connectors.kit.registry import Registry
from app.kernel.outbound.client import OutboundClient
from tests.integration.connectors.egress.attackers import (
    CALLERS,
    HERE,
    HOST,
    META,
    PUBLIC,
    PUBLIC_6,
    TRUST,
    ZONES,
    Ears,
    Internet,
    attack,
    plain,
    workbench,
)
from tests.integration.connectors.egress.nameserver import NameServer, WireResolver, name_server

Served = tuple[NameServer, WireResolver]
_OWN_NETWORK = (
    "ip link set lo up && for a in 169.254.169.254/32 169.254.170.2/32 fe80::1/64; do ip addr add $a dev lo; done"
)


@pytest.fixture(scope="module")
def ears() -> Iterator[Ears]:
    made = Ears()
    made.listen("127.0.0.1", "::1", "127.0.0.53")
    assert len(made.listeners) >= 2
    yield made
    made.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with name_server() as both:
        yield both


@pytest.fixture(scope="module")
def registry() -> Registry:
    return workbench()


class TestRebinding:
    @pytest.mark.parametrize("caller", CALLERS)
    def test_reaches_nothing_of_this_machine(self, ears: Ears, served: Served, registry: Registry, caller: str):
        for name in ZONES:
            assert attack(name, caller, served, registry) <= {PUBLIC, PUBLIC_6}, name
            assert ears.heard() == [], name

    def test_reaches_nothing_on_link_local_either(self):
        """In a network namespace, where nobody minds whose 169.254.169.254 is."""
        if not (shutil.which("unshare") and shutil.which("ip")):
            pytest.skip("no unshare or no ip: link-local cannot be listened on without changing this machine")
        run = f"{_OWN_NETWORK.strip()} && exec {sys.executable} -m tests.integration.connectors.egress.attackers"
        own = ["unshare", "-rn", "sh", "-c", run]
        ran = subprocess.run(own, check=False, capture_output=True, text=True, timeout=100)
        if ran.returncode and "unshare" in ran.stderr:
            pytest.skip(f"this user gets no network of its own: {ran.stderr.strip()}")
        assert ran.returncode == 0, ran.stderr[-2000:]
        told = json.loads(ran.stdout.splitlines()[-1])
        assert {META, "169.254.170.2", HERE} <= set(told["listeners"])
        assert any(each.startswith("fe80") for each in told["listeners"])
        assert (told["attacks"], told["heard"]) == (len(ZONES) * len(CALLERS), [])
        assert set(told["dialled"]) <= {PUBLIC, PUBLIC_6}

    def test_looks_a_name_up_once_a_call_and_dials_what_it_vetted(self, served: Served):
        """One question of each kind: what was vetted is what is dialled, or the second answer would count."""
        server, resolve = served
        server.serve(ZONES["loopback at the second"])
        world = Internet()
        plain(OutboundClient(resolve=resolve, dial=world, tls=TRUST))
        assert sorted(server.asked) == [(HOST, "A"), (HOST, "AAAA")]
        assert world.dialled == [PUBLIC]

    def test_would_be_heard(self, ears: Ears, served: Served):
        """The ears work: somebody who asks for the name twice is heard."""
        server, resolve = served
        server.serve({HOST: [[PUBLIC], [HERE]]})
        assert resolve(HOST, 443) == [PUBLIC]
        place = next(place for place in ears.listeners if place[0] == HERE)
        with socket.create_connection((resolve(HOST, 443)[0], place[1]), timeout=2):
            pass
        assert ears.heard() == [place]

    def test_two_at_once_are_vetted_each(self, ears: Ears, served: Served):
        """Threads share a client and no answer."""
        server, resolve = served
        server.serve({HOST: [[PUBLIC], [HERE], [PUBLIC], [META]]})
        world = Internet()
        client = OutboundClient(resolve=resolve, dial=world, tls=TRUST)
        threads = [threading.Thread(target=plain, args=(client,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert set(world.dialled) <= {PUBLIC}
        assert ears.heard() == []
