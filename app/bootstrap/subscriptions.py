"""When this happened, that is done: the one table of news that travels upward."""

from __future__ import annotations

from app.connectors.events import RunEnded
from app.identity.sso.events import ConnectionSaved
from app.intake.events import DealAdmitted
from app.kernel.queue.dispatcher import Subscriptions
from app.templates.events import VersionPublished
from app.tenancy.events import TenantImported

SUBSCRIPTIONS: Subscriptions = {
    ConnectionSaved.type: ["identity.publish_connection"],
    DealAdmitted.type: ["onboarding.start"],
    RunEnded.type: ["onboarding.record_run"],
    TenantImported.type: ["onboarding.project_all_cards"],
    VersionPublished.type: ["templates.copy_to_control"],
}
