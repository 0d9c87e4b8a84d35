"""When this happened, that is done: the one table of news that travels upward."""

from __future__ import annotations

from app.connectors.events import RunEnded
from app.identity.people.events import MemberInvited, StaffInvited
from app.intake.events import DealAdmitted
from app.kernel.queue.dispatcher import Subscriptions
from app.templates.events import VersionPublished
from app.tenancy.events import TenantImported

SUBSCRIPTIONS: Subscriptions = {
    DealAdmitted.type: ["onboarding.start"],
    RunEnded.type: ["onboarding.record_run"],
    TenantImported.type: ["onboarding.project_all_cards"],
    MemberInvited.type: ["notifications.invite"],
    StaffInvited.type: ["notifications.invite"],
    VersionPublished.type: ["templates.copy_to_control"],
}
