"""What happened, in words that a customer understands: the name who acted stands before, what it was about behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.web.translations import mark

SAID: Final[Mapping[str, str]] = {
    "access.delegation.given": mark("gave a partner access to this workspace"),
    "access.delegation.ended": mark("ended a partner's access to this workspace"),
    "audit.access.refused": mark("was refused something"),
    "audit.settings.changed": mark("changed what happens to this trail"),
    "audit.checkpoint.published": mark("had the checkpoint of this trail mailed"),
    "audit.trail.exported": mark("took this trail out of the workspace"),
    "audit.values.erased": mark("erased personal values from this trail"),
    "connectors.connection.added": mark("connected another system"),
    "connectors.run.ended": mark("called another system"),
    "identity.member.added": mark("added a person to this workspace"),
    "intake.deal.admitted": mark("admitted a deal"),
    "intake.deal.excluded": mark("left a deal out"),
    "intake.deal.held": mark("held a deal back"),
    "intake.deal.seen_again": mark("saw a deal again that was known already"),
    "intake.deal.started": mark("began work on a deal"),
    "intake.exception.opened": mark("found a problem with a deal"),
    "intake.exception.resolved": mark("solved a problem with a deal"),
    "intake.hook.opened": mark("opened an address for messages from another system"),
    "intake.trigger.received": mark("received a message from another system"),
    "intake.workflow.created": mark("set up a workflow"),
    "onboarding.customer_task.opened": mark("opened a task for the customer"),
    "onboarding.ended": mark("ended the onboarding"),
    "onboarding.first_value.reached": mark("reached first value"),
    "onboarding.gate.decided": mark("decided a gate"),
    "onboarding.handoff.validated": mark("checked the handed-over facts"),
    "onboarding.item.assigned": mark("assigned a step to somebody"),
    "onboarding.milestone.completed": mark("completed a milestone"),
    "onboarding.packet.corrected": mark("corrected the handed-over facts"),
    "onboarding.provisioning.requested": mark("asked another system to be set up"),
    "onboarding.sla.breached": mark("went past a deadline"),
    "onboarding.started": mark("started the onboarding"),
    "onboarding.system.wrote_back": mark("wrote a result back to another system"),
    "onboarding.task.completed": mark("completed a task"),
    "tenancy.erasure.requested": mark("asked for this workspace to be erased"),
    "tenancy.erasure.approved": mark("agreed to erasing this workspace"),
    "tenancy.erasure.withdrawn": mark("withdrew the wish to erase this workspace"),
    "tenancy.export.began": mark("began to export this workspace"),
    "tenancy.export.ended": mark("finished exporting this workspace"),
    "tenancy.export.requested": mark("asked for an export of this workspace"),
    "tenancy.tenant.changed": mark("changed what this workspace is called or sold"),
    "tenancy.tenant.created": mark("created this workspace"),
    "tenancy.tenant.imported": mark("imported this workspace"),
    "tenancy.tenant.resumed": mark("resumed this workspace"),
    "tenancy.tenant.suspended": mark("suspended this workspace"),
    "vault.keys.rotation_asked": mark("asked for new keys of this workspace"),
    "vault.keys.rotation_finished": mark("finished the change to new keys"),
    "vault.secret.set": mark("stored a secret"),
    "vault.secrets.opened": mark("used the secrets of a connection"),
}
KINDS: Final[Mapping[str, str]] = {
    "access": mark("Access"),
    "audit": mark("This trail"),
    "connectors": mark("Connected systems"),
    "identity": mark("People"),
    "intake": mark("Deals"),
    "onboarding": mark("Onboarding"),
    "templates": mark("Templates"),
    "tenancy": mark("The workspace"),
    "vault": mark("Secrets and keys"),
}


def sentence(action: str) -> str:
    """The message id of an action's words; the action itself where there are none."""
    return SAID.get(action, action)
