"""Lanes and the hooks that feed them: drawing up a workflow, opening an address for a CRM. Decides no deal."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow.calendar import CalendarRefused, read_calendar
from app.intake.events import HookOpened, WorkflowCreated
from app.intake.models import Workflow
from app.intake.rules import Contract
from app.kernel.actor import Actor
from app.kernel.errors import Invalid
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from tenants.models import Hook
from tenants.sessions import partner_session
from tenants.tenant import Tenant

STATES = frozenset({"draft", "scored", "approved", "pilot", "live", "stable", "stopped"})


class WorkflowUnusable(Invalid):
    """The trigger contract, the state or the owners are not what a workflow is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWorkflow:
    """A lane as it is wanted. `owners` holds `handoff_role`, `people` by template role, and the `calendar`.

    The calendar is what `app.flow.calendar.read_calendar` reads: zone, working hours, country of the public holidays.
    """

    name: str
    segment: str
    state: str
    contract: Mapping[str, Any]
    owners: Mapping[str, Any]
    template_digest: str
    overlay_digest: str | None
    connection_id: UUID


def create_workflow(work: Work, wanted: NewWorkflow) -> UUID:
    """Draw up a lane in the partner's home. Returns its id. Raises NotPermitted, WorkflowUnusable."""
    require(work, Permission.WORKFLOW_EDIT)
    _check(wanted, work.now)
    workflow = Workflow(
        id=new_id(),
        name=wanted.name.strip(),
        segment=wanted.segment,
        state=wanted.state,
        contract=dict(wanted.contract),
        owners=dict(wanted.owners),
        template_digest=wanted.template_digest,
        overlay_digest=wanted.overlay_digest,
        connection_id=wanted.connection_id,
        changed_at=work.now,
    )
    work.session.add(workflow)
    work.announce(
        WorkflowCreated(
            subject_id=workflow.id,
            name=workflow.name,
            segment=workflow.segment,
            state=workflow.state,
            template_digest=workflow.template_digest,
            overlay_digest=workflow.overlay_digest,
        )
    )
    return workflow.id


def create_hook(runtime: Runtime, actor: Actor, home: Tenant, source: str, *, trace_id: str) -> str:
    """Open an address for a CRM and return its token, which is stored nowhere: `control` keeps its digest only.

    Raises NotPermitted. Killed between the two commits, nothing answers at the address: open another one.
    """
    token = secrets.token_urlsafe(32)
    digest = hashlib.sha256(token.encode()).digest()
    with open_work(runtime, home, actor, trace_id=trace_id) as work:
        require(work, Permission.WORKFLOW_EDIT)
        work.record(HookOpened(subject_id=new_id(), source=source, mark=digest.hex()[:12]))
    with partner_session(runtime.databases, home.organisation_id, actor=actor.label) as (session, now):
        session.add(
            Hook(
                token_hash=digest,
                organisation_id=home.organisation_id,
                tenant_id=home.id,
                source=source,
                made_at=now,
            )
        )
    return token


def _check(wanted: NewWorkflow, now: datetime) -> None:
    if not wanted.name.strip():
        raise WorkflowUnusable("A workflow needs a name: people find it by it.")
    if wanted.state not in STATES:
        raise WorkflowUnusable(
            f"{wanted.state!r} is no state of a workflow. Choose one of: {', '.join(sorted(STATES))}."
        )
    try:
        contract = Contract.from_document(wanted.contract)
    except (KeyError, TypeError) as error:
        raise WorkflowUnusable(f"The trigger contract cannot be read: {error}. It needs stages and segments.") from None
    if not contract.stages or wanted.segment not in contract.segments:
        raise WorkflowUnusable("A trigger contract names at least one stage, and the workflow's own segment.")
    try:
        read_calendar(wanted.owners.get("calendar", {}), first_year=now.year)
    except CalendarRefused as error:
        raise WorkflowUnusable(str(error)) from None
    if not isinstance(wanted.owners.get("people", {}), Mapping):
        raise WorkflowUnusable("Owners are named by role: a list of people for each role of the template.")
