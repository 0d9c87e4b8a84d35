"""A customer with two connections that messages come in by: one by Standard Webhooks, one as GitHub signs."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.connectors.kit.manifest import SecretSlot
from app.connectors.kit.runner import Runner
from app.connectors.kit.webhooks import Webhooks
from app.connectors.models import Connection
from app.kernel.ids import new_id
from app.kernel.outbound.world_clock import world_time
from app.vault.keyring import Keyring
from app.vault.rules import Program
from tenants.tenant import Tenant
from tests.factories.api import API, Caller, Said
from tests.integration.connectors.webhooks.conftest import make_tenant

SECRET = b"0123456789abcdef0123456789abcdef"
OTHER = b"another-key-of-somebody-else-000"
_USUAL: dict[str, Any] = {
    "secret": "signing",
    "event_type": {"pointers": ["/type"]},
    "events": {"order.*": {"summary": "An order", "object": "/order"}},
}
PEERS: dict[str, dict[str, Any]] = {
    "peer": {
        "scheme": "standard_webhooks",
        "message_id": {"header": "webhook-id"},
        "handshake": {"type": "hello", "answer": "/challenge"},
    },
    "forge": {"scheme": "github", "message_id": {"header": "X-GitHub-Delivery"}},
}


@dataclass
class Peer:
    """The system at the other end: it signs as its scheme says, and knocks at an address over HTTP."""

    port: int
    scheme: str
    address: str = ""
    secret: bytes = SECRET
    host: str = "northwind.localhost"

    def order(self, number: int = 1, kind: str = "order.paid") -> bytes:
        """A message."""
        return json.dumps({"type": kind, "order": f"o-{number}"}).encode()

    def signed(self, body: bytes, *, message_id: str = "", age: float = 0) -> dict[str, str]:
        """The headers of a message."""
        message_id = message_id or f"msg_{new_id().hex}"
        if self.scheme == "github":
            signature = hmac.new(self.secret, body, hashlib.sha256).hexdigest()
            return {"x-github-delivery": message_id, "x-hub-signature-256": f"sha256={signature}"}
        stamp = str(int(world_time().timestamp() - age))
        signed = hmac.new(self.secret, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(signed).decode()}"
        return {"webhook-id": message_id, "webhook-timestamp": stamp, "webhook-signature": signature}

    def knock(self, body: bytes, headers: dict[str, str], *more: tuple[str, str], address: str = "") -> Said:
        """Send exactly these bytes and headers, `more` also where they were said already."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            path = "/" + (address or self.address).split("/", 3)[3]
            connection.putrequest("POST", path, skip_host=True, skip_accept_encoding=True)
            usual = [("host", f"{self.host}:{self.port}"), ("content-type", "application/json")]
            for name, value in [*usual, *headers.items(), *more, ("content-length", str(len(body)))]:
                connection.putheader(name, value.encode("latin-1"))
            connection.endheaders(body)
            answer = connection.getresponse()
            text = answer.read().decode()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Said(answer.status, told, json.loads(text) if "json" in told.get("content-type", "") else text)
        finally:
            connection.close()

    def send(self, body: bytes, *, message_id: str = "", age: float = 0) -> Said:
        """Sign and send."""
        return self.knock(body, self.signed(body, message_id=message_id, age=age))

    def packed(self, body: bytes) -> Said:
        """Signed, then packed on its way."""
        return self.knock(gzip.compress(body), self.signed(body) | {"content-encoding": "gzip"})


@dataclass
class Place:
    """One workspace with its connections by connector, and who may change them."""

    api: API
    tenant: Tenant
    connections: dict[str, UUID] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Where its hooks are."""
        return f"/api/v1/tenants/{self.tenant.id}/inbound"

    @property
    def caller(self) -> Caller:
        """Who may change them."""
        return self.api.admin

    def connect(self, connector: str) -> UUID:
        """Set a connection up."""
        made = self.connections[connector] = new_id()
        with self.api.installation.work(self.tenant) as work:
            named = {"connector": connector, "name": connector.title(), "config": {}, "state": "active"}
            work.session.add(Connection(id=made, changed_at=work.now, **named))
        return made

    def hook(self, connector: str) -> str:
        """Where the hook of a connection is."""
        return f"{self.path}/{self.connections[connector]}"

    def open(self, connector: str, hours: int = 24) -> str:
        """Give it another address."""
        answer = self.caller.post(f"{self.hook(connector)}/address", {"overlap_hours": hours})
        assert answer.status == 201, answer.body
        self.run()
        return str(answer.body["url"])

    def set_secret(self, connector: str, secret: bytes, hours: int = 24) -> Said:
        """Set what its system signs with."""
        value = base64.b64encode(secret).decode() if connector == "peer" else secret.decode()
        return self.caller.post(f"{self.hook(connector)}/secret", {"value": value, "overlap_hours": hours})

    def peer(self, connector: str) -> Peer:
        """A system that is set up whole: an address of its own, and a secret that both know."""
        made = Peer(self.api.doors.port, PEERS[connector]["scheme"], self.open(connector, 0))
        assert self.set_secret(connector, made.secret, 0).status == 200
        return made

    def deliveries(self, connector: str, *, held: bool = False) -> list[Any]:
        """What came in, the newest first."""
        page = self.caller.get(f"{self.hook(connector)}/deliveries?held={str(held).lower()}")
        assert page.status == 200, page.body
        found: list[Any] = page.body["items"]
        return found

    def replay(self, connector: str, delivery: Any, **how: Any) -> Said:
        """Have it worked on again."""
        return self.caller.post(f"{self.hook(connector)}/deliveries/{delivery['id']}/replay", None, **how)

    def run(self) -> None:
        """Everything that is due now."""
        self.api.installation.run_due(SUBSCRIPTIONS)

    def announced(self) -> list[Any]:
        """What the trail says that was heard, the oldest first."""
        query = "SELECT * FROM {}.trail WHERE action = 'connectors.delivery.received' ORDER BY id"
        return self.api.installation.rows(self.tenant, query)

    def age_hook(self, connector: str) -> None:
        """A week goes by for what is still good for a while."""
        self.api.installation.rows(
            self.tenant,
            "UPDATE {}.record SET body = regexp_replace(body::text, %s, %s, 'g')::jsonb"
            " WHERE kind = 'inbound_hook' AND key = %s",
            '"until": "20[0-9][0-9]',
            '"until": "2001',
            str(self.connections[connector]),
        )


@pytest.fixture(scope="module")
def house(api: API) -> Place:
    """A customer of Northwind; the web program opens what a door opens, and the worker does not."""
    declare_everything()
    api.installation.runtime = api.worker
    api.runtime.services[Keyring] = replace(api.runtime.service(Keyring), program=Program.WEB)
    registry = api.runtime.service(Runner).registry
    pattern = registry.get("product_admin")
    slot = SecretSlot({"en": "S", "de": "S"}, {"en": "S", "de": "S"}, "door")
    for name, section in PEERS.items():
        webhooks = msgspec.convert(_USUAL | section, Webhooks)
        manifest = msgspec.structs.replace(
            pattern.manifest, provider=name, title=name.title(), secrets={"signing": slot}, webhooks=webhooks
        )
        registry.connectors[name] = replace(pattern, manifest=manifest)
    place = Place(api, make_tenant(api, "Acme"))
    for name in PEERS:
        place.connect(name)
    return place


@pytest.fixture
def place(house: Place) -> Iterator[Place]:
    """The same, with nothing under way."""
    house.api.installation.cell("DELETE FROM cell.job")
    yield house
    for name in PEERS:
        house.caller.send("DELETE", house.hook(name), None, {})
    house.run()
