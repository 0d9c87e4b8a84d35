"""An endpoint of a workspace that is nobody else's business, and something that it was sent."""

from __future__ import annotations

from app.audit.operations.documents import write_document
from app.connectors.models import Run
from app.connectors.webhooks.log import DELIVERY, Attempt, Delivery, key_of
from app.connectors.webhooks.operations.endpoints import save
from app.connectors.webhooks.operations.keys import first_key
from app.connectors.webhooks.queries import body_of
from app.connectors.webhooks.rules import Endpoint
from app.kernel.actor import Actor
from app.kernel.ids import new_id
from tenants.tenant import Tenant
from tests.factories.installation import Installation


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
