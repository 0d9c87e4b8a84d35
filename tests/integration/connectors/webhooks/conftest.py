"""A customer whose people name a real receiver; everything due is done when the test says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from app.bootstrap.subscriptions import SUBSCRIPTIONS
from app.bootstrap.wiring import declare_everything
from app.connectors.events import ConnectionAdded
from app.kernel.ids import new_id
from app.kernel.outbound.egress import NO_ENTRIES, AddressBook
from tenants.registry import find_tenant
from tenants.sessions import lookup_session
from tenants.tenant import Tenant
from tests.factories.api import API, Caller, Said
from tests.integration.connectors.webhooks.receiver import Receiver

HOST = "hooks.partner.example"
URL = f"https://{HOST}/in?key=hidden"
ADDED = ConnectionAdded.type


@dataclass
class Hooks:
    """The customer's API, the receiver, and the queue."""

    api: API
    tenant: Tenant
    receiver: Receiver

    @property
    def path(self) -> str:
        """Where the endpoints are."""
        return f"/api/v1/tenants/{self.tenant.id}/webhooks"

    @property
    def caller(self) -> Caller:
        """Who may change them."""
        return self.api.admin

    def add(self, **wanted: Any) -> Said:
        """Name the receiver."""
        answer = self.caller.post(self.path, {"url": URL, "types": ["*"]} | wanted)
        assert answer.status == 201, answer.body
        return answer

    def ready(self, **wanted: Any) -> str:
        """An endpoint that has proven itself. Returns its id."""
        endpoint = str(self.add(**wanted).body["endpoint"]["id"])
        self.run()
        self.receiver.got.clear()
        return endpoint

    def read(self, endpoint: str) -> Any:
        """How it is."""
        return self.caller.get(f"{self.path}/{endpoint}").body

    def do(self, endpoint: str, what: str, body: Any = None) -> Said:
        """Something that is done to it."""
        return self.caller.post(f"{self.path}/{endpoint}/{what}", body)

    def delivery(self, endpoint: str, event: UUID | str) -> Any:
        """How an event fares."""
        return self.caller.get(f"{self.path}/{endpoint}/deliveries/{event}").body

    def happen(self, onboarding_id: UUID | None = None, lane_seq: int | None = None, **more: Any) -> UUID:
        """Something that endpoints hear of. Returns the event's id."""
        event = ConnectionAdded(
            subject_id=new_id(), onboarding_id=onboarding_id, **({"connector": "crm", "name": "CRM"} | more)
        )
        with self.api.installation.work(self.tenant) as work:
            return work.announce(event, lane_seq=lane_seq)

    def run(self) -> None:
        """Everything that is due now."""
        self.api.installation.run_due(SUBSCRIPTIONS)

    def hurry(self) -> None:
        """Everything that waits, too, once."""
        self.api.installation.cell(
            "UPDATE cell.job SET run_at = now() WHERE state = 'ready' AND kind LIKE %s", "%webhook"
        )
        self.run()

    def document(self, endpoint: str, path: str, value: str) -> None:
        """Change what is stored of an endpoint, as time would."""
        self.api.installation.rows(
            self.tenant,
            "UPDATE {}.record SET body = jsonb_set(body, %s::text[], %s::jsonb) WHERE key = %s",
            path,
            value,
            endpoint,
        )

    def waits(self) -> float:
        """Seconds until the first job is due that is put off."""
        [row] = self.api.installation.cell(
            "SELECT extract(epoch FROM min(run_at) - now())::float AS left FROM cell.job WHERE state = 'ready'"
        )
        return float(row.left)


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def customer(api: API) -> Tenant:
    declare_everything()
    api.installation.runtime = api.worker
    return make_tenant(api, "Acme")


@pytest.fixture
def hooks(api: API, customer: Tenant, receiver: Receiver) -> Iterator[Hooks]:
    """Without any endpoint at first."""
    api.outbound.book = AddressBook.parse(f"{HOST}:443={receiver.port}")
    receiver.got.clear()
    receiver.asked.clear()
    receiver.replies.clear()
    receiver.shy = False
    api.installation.cell("DELETE FROM cell.job")
    made = Hooks(api, customer, receiver)
    yield made
    for endpoint in made.caller.get(made.path).body["items"]:
        made.caller.send("DELETE", f"{made.path}/{endpoint['id']}", None, {})
    api.outbound.book = NO_ENTRIES


def make_tenant(api: API, name: str, kind: str = "customer") -> Tenant:
    body = api.admin.post("/api/v1/tenants", {"name": name, "kind": kind}).body
    with lookup_session(api.installation.databases) as (session, _now):
        tenant = find_tenant(session, UUID(body["id"]))
    assert tenant is not None
    return tenant
