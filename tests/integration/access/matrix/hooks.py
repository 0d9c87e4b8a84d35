"""Webhooks of a workspace that are nobody else's business: out to an endpoint, and in by a connection."""

from __future__ import annotations

from uuid import UUID

from app.audit.operations.documents import write_document
from app.connectors.drift.operations import note_look
from app.connectors.drift.records import Place
from app.connectors.drift.sources import Ours, Theirs
from app.connectors.inbound.queries import HELD, HOOK
from app.connectors.inbound.queries import body_of as held_as
from app.connectors.inbound.rules import Address, Hook, Key, Message
from app.connectors.inbound.rules import Delivery as Came
from app.connectors.models import Connection, Run
from app.connectors.webhooks.log import DELIVERY, Attempt, Delivery, key_of
from app.connectors.webhooks.operations.endpoints import save
from app.connectors.webhooks.operations.keys import first_key
from app.connectors.webhooks.queries import body_of
from app.connectors.webhooks.rules import Endpoint
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.installation import Installation


def keep_webhooks(installation: Installation, tenant: Tenant, actor: Actor) -> dict[str, str]:
    """Both. Returns the ids by the names of the doors."""
    webhooks = keep_endpoint(installation, tenant, actor) | keep_hook(installation, tenant, actor)
    return webhooks | keep_drift(installation, tenant, actor, UUID(webhooks["system_id"]))


def keep_drift(installation: Installation, tenant: Tenant, actor: Actor, connection_id: UUID) -> dict[str, str]:
    """A record there that another system says something else of. Returns its id, as above."""
    place = Place("written", connection_id, "product_admin", "Zephyrine")
    with installation.work(tenant, actor) as work:
        ours, theirs = Ours("Zephyrine", {"name": "Zephyrine"}), Theirs({"name": "Zephyr"})
        note_look(work, place, ours, theirs)
    return {"drift_id": str(place.id)}


def keep_endpoint(installation: Installation, tenant: Tenant, actor: Actor) -> dict[str, str]:
    """An address there that has proven itself. Returns the ids by the names of the doors."""
    endpoint_id, event_id = new_id(), new_id()
    with installation.work(tenant, actor) as work:
        key, _secret = first_key(work, endpoint_id)
        url, types = "https://hooks.zephyrine.com/in", ("onboarding.*",)
        hears = Endpoint(endpoint_id, url, "Zephyrine hears", types, "active", work.now, (key,), verified_at=work.now)
        save(work, hears)
        sent = Delivery("onboarding.task.completed", work.now, "failed", attempts=(Attempt(work.now, "refused", 500),))
        write_document(work, DELIVERY, key_of(endpoint_id, event_id), body_of(sent))
        run = Run(id=new_id(), onboarding_id=new_id(), item_key="task.zephyrine", number=1, connector="product_admin")
        run.action, run.input, run.idempotency_key = "create_workspace", {"name": "Zephyrine"}, "zephyrine"
        run.state, run.attempts, run.result, run.requested_at = "succeeded", [], {}, work.now
        work.session.add(run)
        run_id = str(run.id)
    [system] = installation.rows(tenant, "SELECT id FROM {}.connection")
    return {"endpoint_id": str(endpoint_id), "event_id": str(event_id), "system_id": str(system.id), "run_id": run_id}


def keep_hook(installation: Installation, tenant: Tenant, actor: Actor) -> dict[str, str]:
    """A connection there that messages come in by, and one that was held back. Returns the ids, as above."""
    hook_id, delivery_id = new_id(), new_id()
    with installation.work(tenant, actor) as work:
        named = {"connector": "hubspot", "name": "Zephyrine sends", "config": {}, "state": "active"}
        work.session.add(Connection(id=hook_id, changed_at=work.now, **named))
        address = Address("f" * 64, "Zephyr", work.now)
        write_document(work, HOOK, str(hook_id), held_as(Hook(hook_id, (address,), (Key(1, work.now),), 1)))
        held = Came("failed", work.now, 2, "e" * 64, messages=(Message("Zephyrine-1", "deal.creation"),), raw="W10=")
        write_document(work, HELD, key_of(hook_id, delivery_id), held_as(held))
    return {"hook_id": str(hook_id), "delivery_id": str(delivery_id)}
