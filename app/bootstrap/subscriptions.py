"""When this happened, that is done: the one table of news that travels upward."""

from __future__ import annotations

from app.audit.events import CheckpointPublished
from app.connectors.events import RunEnded
from app.intake.events import DealAdmitted
from app.kernel.queue.dispatcher import Subscriptions
from app.templates.events import VersionPublished
from app.tenancy.events import TenantImported

SUBSCRIPTIONS: Subscriptions = {
    CheckpointPublished.type: ["notifications.mail_checkpoint"],
    DealAdmitted.type: ["onboarding.start"],
    RunEnded.type: ["onboarding.record_run"],
    TenantImported.type: ["onboarding.project_all_cards"],
    VersionPublished.type: ["templates.copy_to_control"],
}
