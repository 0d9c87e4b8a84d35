"""When this happened, that is done: the one table of news that travels upward."""

from __future__ import annotations

from app.access import events as access
from app.access.operations.custom_roles import RoleDefined, RoleRemoved
from app.audit.events import CheckpointPublished
from app.connectors.drift.events import DriftCorrected, DriftFound, DriftSettled
from app.connectors.events import ReconnectNeeded, RotationDue, RunEnded
from app.connectors.inbound.events import DeliveryReceived
from app.connectors.webhooks.events import EndpointDisabled, EndpointFailing
from app.identity.people.events import MemberInvited, StaffInvited
from app.identity.sso.events import ConnectionSaved
from app.intake.events import DealAdmitted
from app.kernel.queue.dispatcher import Subscriptions
from app.marketplace import events as marketplace
from app.templates.events import LineMoved, VersionPublished
from app.tenancy.events import TenantImported

SUBSCRIPTIONS: Subscriptions = {
    ConnectionSaved.type: ["identity.publish_connection"],
    CheckpointPublished.type: ["notifications.mail_checkpoint"],
    DealAdmitted.type: ["onboarding.start"],
    RunEnded.type: ["onboarding.record_run"],
    ReconnectNeeded.type: ["notifications.tell_of_connection"],
    RotationDue.type: ["notifications.tell_of_connection"],
    DriftFound.type: ["onboarding.follow_drift"],
    DriftCorrected.type: ["onboarding.follow_drift"],
    DriftSettled.type: ["onboarding.follow_drift"],
    DeliveryReceived.type: ["intake.take_delivery"],
    EndpointFailing.type: ["notifications.tell_of_endpoint"],
    EndpointDisabled.type: ["notifications.tell_of_endpoint"],
    MemberInvited.type: ["notifications.invite"],
    StaffInvited.type: ["notifications.invite"],
    TenantImported.type: ["onboarding.project_all_cards", "access.follow_tenant", "connectors.follow_addresses"],
    VersionPublished.type: ["templates.copy_to_control"],
    LineMoved.type: ["templates.copy_line"],
    marketplace.VersionSubmitted.type: ["marketplace.follow"],
    marketplace.VersionWithdrawn.type: ["marketplace.follow"],
    marketplace.VersionDeprecated.type: ["marketplace.follow"],
    marketplace.VersionApproved.type: ["marketplace.follow"],
    marketplace.VersionDeclined.type: ["marketplace.follow"],
    marketplace.VersionTakenDown.type: ["marketplace.follow"],
    marketplace.VersionInstalled.type: ["marketplace.follow"],
    marketplace.ListingRated.type: ["marketplace.follow"],
    marketplace.ListingReported.type: ["marketplace.follow"],
    RoleDefined.type: ["access.follow_role"],
    RoleRemoved.type: ["access.follow_role"],
    access.DelegationGiven.type: ["access.follow_delegation"],
    access.DelegationRequested.type: ["access.follow_delegation", "notifications.tell_of_access"],
    access.DelegationApproved.type: ["access.follow_delegation", "notifications.tell_of_access"],
    access.DelegationNarrowed.type: ["access.follow_delegation", "notifications.tell_of_access"],
    access.DelegationDeclined.type: ["access.follow_delegation", "notifications.tell_of_access"],
    access.DelegationWithdrawn.type: ["access.follow_delegation"],
    access.DelegationEnded.type: ["access.follow_delegation", "notifications.tell_of_access"],
    access.DelegationExpired.type: ["access.follow_delegation"],
    access.DelegationRunsOut.type: ["notifications.tell_of_access"],
    access.GlassBroken.type: ["access.follow_delegation", "notifications.tell_of_access"],
}
