"""Takes sold deals in, once, and decides with the workflow's trigger contract whether an onboarding may start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select, text

from app.access.permissions import Permission
from app.access.require import require
from app.intake.events import (
    DealAdmitted,
    DealExcluded,
    DealHeld,
    DealSeenAgain,
    DealStarted,
    TriggerReceived,
)
from app.intake.models import Deal, Delivery, Workflow
from app.intake.operations.exceptions import ExceptionOpening, open_exception, resolve_open_exceptions
from app.intake.operations.selling import with_package
from app.intake.rules import RULE_VERSION, Admission, Contract, decide_admission
from app.kernel.errors import Missing
from app.kernel.events import plain
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.readiness.operations import VerdictFacts, record_verdict
from app.templates.lines.queries import Offered, follow_line

SYSTEM_ONLY = {
    "receive_messages": "the hook's signature is the permission",
    "record_reading": "called by the reading job",
    "record_failed_reading": "called by the reading job",
    "record_failed_start": "called by the job that could not start the onboarding",
    "starting_stages": "asked by the hook, whose signature is the permission",
    "take_made_up_deal": "called by the job that fills a new sandbox",
    "mark_started": "called by the job that started the onboarding",
}
FINAL = frozenset({"admitted", "started"})
LIVE = ("pilot", "live", "stable")
MADE_UP = "made-up"  # the source of a sandbox's deal: no CRM holds it


class DealMissing(Missing):
    """There is no such deal in this home."""


@dataclass(frozen=True, slots=True)
class HookMessage:
    """One verified message: the sender's own id of it, and the deal it is about."""

    external_id: str
    deal_id: str
    starts: bool  # whether it moves the deal to a stage that a workflow starts at
    body: dict[str, Any]


def receive_messages(work: Work, *, source: str, messages: Sequence[HookMessage]) -> int:
    """Store what a CRM sent and ask for the deals to be read; what came before is skipped. Returns how many."""
    taken = 0
    held = _held_deals(work, source, [message.deal_id for message in messages])
    for message in messages:
        if not message.starts and message.deal_id not in held:
            continue  # a change of a deal that nobody waits for
        if not work.admit_once(source, message.external_id):
            continue
        delivery = Delivery(
            id=new_id(),
            source=source,
            external_id=message.external_id,
            body=message.body,
            received_at=work.now,
        )
        work.session.add(delivery)
        work.enqueue(
            "intake.read_deal",
            args={"source": source, "external_id": message.deal_id},
            dedupe_key=f"read:{delivery.id}",
            lane=f"deal:{source}:{message.deal_id}",
        )
        taken += 1
    return taken


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpDeal:
    """A deal that nobody has sold, and the lane it goes through: its contract, its owners, its template."""

    facts: Mapping[str, Any]
    contract: Mapping[str, Any]
    owners: Mapping[str, Any]
    template_digest: str
    overlay_digest: str | None


def take_made_up_deal(work: Work, made_up: MadeUpDeal) -> str:
    """Take a sandbox's own deal in and decide on it as on any other. Returns its state; repeatable.

    Its lane is not stored: a workflow hangs on a CRM, and a sandbox has none.
    """
    deal = _locked_deal(work, MADE_UP, MADE_UP)
    if deal.state in FINAL:
        return deal.state
    deal.facts, deal.account_id = dict(made_up.facts), made_up.facts["account_id"]
    work.record(_trigger_received(deal, made_up.facts))
    lane = Workflow(
        id=uuid5(work.tenant.id, MADE_UP),
        contract=dict(made_up.contract),
        owners=dict(made_up.owners),
        template_digest=made_up.template_digest,
        overlay_digest=made_up.overlay_digest,
    )
    admission = decide_admission(Contract.from_document(lane.contract), made_up.facts, account_has_other=None)
    deal.reason, deal.decided_at = admission.reason, work.now
    _store_verdict(work, deal, lane, admission, other=None)
    if admission.answer == "admitted":
        _admit(work, deal, lane)
    else:
        _hold(work, deal, lane, admission)
    return deal.state


def check_again(work: Work, *, deal_id: UUID) -> None:
    """Read a held deal from its CRM once more; a person says that it has been corrected there.

    Raises DealMissing, NotPermitted.
    """
    require(work, Permission.EXCEPTION_RESOLVE)
    deal = work.session.get(Deal, deal_id)
    if deal is None:
        raise DealMissing("This deal is not here. It may belong to another workspace.")
    args: dict[str, object] = {"source": deal.source, "external_id": deal.external_id}
    work.enqueue("intake.read_deal", args=args, lane=f"deal:{deal.source}:{deal.external_id}")


def record_reading(work: Work, *, source: str, external_id: str, facts: Mapping[str, Any]) -> str:
    """Store what the CRM says of the deal and decide. Returns the deal's state: admitted, excluded or held.

    The row is locked first: two readings at once decide one after the other, and the second finds it admitted.
    """
    deal = _locked_deal(work, source, external_id)
    if deal.state in FINAL:
        reason = "This deal was admitted before; it does not start a second onboarding."
        work.announce(DealSeenAgain(subject_id=deal.id, source=source, external_id=external_id, reason=reason))
        return deal.state
    deal.facts = dict(facts)
    deal.account_id = facts.get("account_id")
    work.record(_trigger_received(deal, facts))
    workflow = _matching_workflow(work, facts)
    other = _other_admitted(work, deal)
    if workflow is None:
        admission = Admission(
            "held",
            f"No live workflow takes segment {facts.get('segment')!r}.",
            exception="deal_unrouted",
            reason_code="scope_mismatch",
        )
    else:
        contract = Contract.from_document(workflow.contract)
        admission = decide_admission(contract, facts, account_has_other=other)
        admission = with_package(work, deal, workflow, admission)
    _apply(work, deal, workflow, admission, other=other)
    return deal.state


def record_failed_reading(work: Work, *, source: str, external_id: str, reason: str) -> None:
    """The CRM could not be read: the deal is held with an exception for a person, nothing is lost."""
    deal = _locked_deal(work, source, external_id)
    if deal.state not in FINAL:
        admission = Admission("held", reason, exception="crm_unreadable", reason_code="integration_failure")
        _apply(work, deal, None, admission)


def record_failed_start(work: Work, *, deal_id: UUID, reason: str) -> None:
    """The admitted deal's onboarding cannot start: the deal is held again, for a person, until it is corrected."""
    deal = work.session.get_one(Deal, deal_id, with_for_update=True)
    if deal.state == "admitted":
        workflow = work.session.get(Workflow, deal.workflow_id) if deal.workflow_id else None  # a made-up deal has none
        admission = Admission("held", reason, exception="start_refused", reason_code="scope_mismatch")
        deal.reason = reason
        _hold(work, deal, workflow, admission)


def mark_started(work: Work, *, deal_id: UUID, tenant_id: UUID, onboarding_id: UUID) -> None:
    """The onboarding runs in its tenant: close the flow on the home's side. Repeatable."""
    deal = work.session.get_one(Deal, deal_id, with_for_update=True)
    if deal.state == "started":
        return
    deal.state, deal.tenant_id = "started", tenant_id
    work.announce(
        DealStarted(
            subject_id=deal.id,
            source=deal.source,
            external_id=deal.external_id,
            tenant_id=tenant_id,
            started_onboarding_id=onboarding_id,
        )
    )


def starting_stages(work: Work) -> frozenset[str]:
    """Every stage at which a live workflow of this home starts."""
    live = work.session.scalars(select(Workflow).where(Workflow.state.in_(LIVE)))
    return frozenset(stage for workflow in live for stage in workflow.contract["stages"])


def _held_deals(work: Work, source: str, ids: list[str]) -> set[str]:
    query = select(Deal.external_id).where(Deal.source == source, Deal.external_id.in_(ids), Deal.state == "held")
    return set(work.session.scalars(query))


def _locked_deal(work: Work, source: str, external_id: str) -> Deal:
    query = select(Deal).where(Deal.source == source, Deal.external_id == external_id).with_for_update()
    deal = work.session.scalars(query).one_or_none()
    if deal is None:
        deal = Deal(
            id=new_id(),
            source=source,
            external_id=external_id,
            state="received",
            facts={},
            trace_id=work.trace_id,
            received_at=work.now,
        )
        work.session.add(deal)
        work.session.flush()  # two first readings at once meet at the unique key; the loser's job comes back
    return deal


def _matching_workflow(work: Work, facts: Mapping[str, Any]) -> Workflow | None:
    """The live lane of the deal's segment; while the segment is unknown, the only live lane there is."""
    live = work.session.scalars(select(Workflow).where(Workflow.state.in_(LIVE))).all()
    matching = [lane for lane in live if facts.get("segment") in lane.contract["segments"]]
    if matching:
        return matching[0]
    return live[0] if len(live) == 1 and not facts.get("segment") else None


def _other_admitted(work: Work, deal: Deal) -> str | None:
    """Another admitted deal of the account. Deals of one account are decided one after the other."""
    if deal.account_id is None:
        return None
    lock = {"account": f"{deal.source}:{deal.account_id}"}
    work.session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || :account, 0))"), lock)
    query = select(Deal.external_id).where(
        Deal.account_id == deal.account_id, Deal.id != deal.id, Deal.state.in_(FINAL)
    )
    return work.session.scalars(query.limit(1)).one_or_none()


def _apply(
    work: Work, deal: Deal, workflow: Workflow | None, admission: Admission, *, other: str | None = None
) -> None:
    deal.workflow_id = workflow.id if workflow else None
    deal.reason = admission.reason
    deal.decided_at = work.now
    _store_verdict(work, deal, workflow, admission, other=other)
    if admission.answer == "held":
        _hold(work, deal, workflow, admission)
        return
    resolve_open_exceptions(work, subject_id=deal.id, reason=admission.reason)
    if admission.answer == "excluded" or workflow is None:
        deal.state = "excluded"
        work.announce(_about(DealExcluded, deal, reason=admission.reason))
        return
    _admit(work, deal, workflow, admission.package)


def _store_verdict(
    work: Work, deal: Deal, workflow: Workflow | None, admission: Admission, *, other: str | None
) -> None:
    record_verdict(
        work,
        VerdictFacts(
            kind="trigger_contract",
            subject_id=deal.id,
            rule_version=RULE_VERSION,
            inputs={
                "facts": plain(deal.facts),
                "contract": workflow.contract if workflow else None,
                "account_has_other": other,
            },
            result=admission.answer,
            reason=admission.reason,
        ),
    )


def _admit(work: Work, deal: Deal, workflow: Workflow, package: Mapping[str, Any] | None = None) -> None:
    deal.state = "admitted"
    deal.onboarding_id = new_id()
    # A lane names a line of templates: an upgrade that is on offer need not be told to every lane.
    offered = follow_line(work.session, Offered(workflow.template_digest, workflow.overlay_digest))
    deal.admission_id = work.announce(
        DealAdmitted(
            subject_id=deal.id,
            source=deal.source,
            external_id=deal.external_id,
            workflow_id=workflow.id,
            start_id=deal.onboarding_id,
            account_name=str(deal.facts["account_name"]),
            template_digest=offered.template_digest,
            overlay_digest=offered.overlay_digest,
            owners=workflow.owners,
            facts=deal.facts,
            package=dict(package) if package else None,
        )
    )


def _hold(work: Work, deal: Deal, workflow: Workflow | None, admission: Admission) -> None:
    deal.state = "held"
    owners = workflow.owners if workflow else {}
    resolve_open_exceptions(work, subject_id=deal.id, reason=admission.reason, but=str(admission.exception))
    exception_id = open_exception(
        work,
        ExceptionOpening(
            subject_kind="deal",
            subject_id=deal.id,
            key=str(admission.exception),
            type=str(admission.exception),
            reason_code=str(admission.reason_code),
            route=(str(owners.get("handoff_role", "onboarding_lead")),),
            summary=admission.reason,
        ),
    )
    work.announce(
        DealHeld(
            subject_id=deal.id,
            source=deal.source,
            external_id=deal.external_id,
            exception_id=exception_id,
            missing=list(admission.missing),
            reason=admission.reason,
        )
    )


def _trigger_received(deal: Deal, facts: Mapping[str, Any]) -> TriggerReceived:
    return TriggerReceived(
        subject_id=deal.id,
        source=deal.source,
        external_id=deal.external_id,
        stage=facts.get("stage"),
        account_id=facts.get("account_id"),
        contract_signed=facts.get("contract_signed"),
        payment_ready=facts.get("payment_ready"),
    )


def _about(event: type[DealExcluded], deal: Deal, *, reason: str) -> DealExcluded:
    return event(subject_id=deal.id, source=deal.source, external_id=deal.external_id, reason=reason)
