"""An endpoint of a workspace that is nobody else's business, and something that it was sent."""

from __future__ import annotations

from msgspec.structs import replace

from app.audit.operations.documents import write_document
from app.connectors.webhooks.log import DELIVERY, Attempt, Delivery, key_of
from app.connectors.webhooks.operations.endpoints import add_endpoint, save
from app.connectors.webhooks.queries import body_of
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.installation import Installation


def keep_endpoint(installation: Installation, tenant: Tenant, actor: Actor) -> dict[str, str]:
    """Name an address there, as if it had proven itself. Returns the ids by the names of the doors."""
    event_id = new_id()
    with installation.work(tenant, actor) as work:
        endpoint, _key = add_endpoint(
            work, url="https://hooks.zephyrine.com/in", types=["onboarding.*"], description="Zephyrine hears"
        )
        active = replace(endpoint, state="active")
        save(work, active)
        sent = Delivery("onboarding.task.completed", work.now, "failed", attempts=(Attempt(work.now, "refused", 500),))
        write_document(work, DELIVERY, key_of(active.id, event_id), body_of(sent))
    installation.cell("DELETE FROM cell.job WHERE kind = 'connectors.verify_webhook'")
    return {"endpoint_id": str(endpoint.id), "event_id": str(event_id)}
