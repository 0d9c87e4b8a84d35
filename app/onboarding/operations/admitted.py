"""From an admitted deal to a running onboarding in a tenant of its own: several commits, each repeatable (DESIGN 4).

The home's admission entry is the authority. A killed job runs again and finds what the last run has already made: the
tenant by its request key, people by their address, the onboarding by the id that the admission gave it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.flow import events as flow
from app.flow.calendar import read_calendar
from app.flow.definition import Side
from app.identity.operations import NewMember, add_member, ensure_person, index_membership
from app.intake.operations import mark_started
from app.kernel.errors import Invalid
from app.kernel.events import plain
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun
from app.kernel.trail import get_entry
from app.kernel.work import open_work
from app.onboarding.operations.running import StartRequest, start_onboarding
from app.onboarding.people import Holder
from app.onboarding.sold import package_at_home, told_of, with_sold
from app.templates.operations import effective_document, pin
from app.templates.overlay import Effective
from app.templates.packages.document import Package
from app.tenancy.operations.creation import TenantRequest, create_tenant
from tenants.tenant import Tenant

SYSTEM_ONLY = {"start_from_admission": "called by the job that follows an admission"}
CUSTOMER_ROLE = "customer_owner"


class TooManyContacts(Invalid):
    """The deal names more people of the customer than its package lets into the workspace."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What the home's trail says of the admitted deal."""

    entry_id: UUID
    leaf_hash: str
    deal_id: UUID
    body: dict[str, Any]
    package: Package | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """The deal's neutral facts."""
        facts: dict[str, Any] = self.body["facts"]
        return facts


def start_from_admission(run: JobRun, event_id: UUID) -> Outcome:
    """Make the tenant, let its people in, start the onboarding, close the deal. Raises to be tried again.

    Raises TooManyContacts before there is a tenant.
    """
    with run.work() as home:
        entry = get_entry(home.session, event_id)
        package = package_at_home(home, entry.body)
        admission = Admission(entry.id, entry.leaf_hash, entry.subject_id, entry.body, package)
    document = _document(run, admission)
    if run.tenant.kind != "sandbox":
        _check_room(admission)
    tenant = _tenant(run, admission)
    people = _people(run, admission)
    with open_work(run.runtime, tenant, run.actor, trace_id=run.job.trace_id) as work:
        for holder in {person.id: person for group in people.values() for person in group}.values():
            if holder.side == "customer":
                add_member(work, NewMember(holder.id, holder.email, holder.name, "owner", holder.locale))
        pin(work, document)
        start_onboarding(work, _request(run, admission, document, people, year=work.now.year))
    for holder in {person.id: person for group in people.values() for person in group}.values():
        if holder.side == "customer":
            index_membership(run.runtime, holder.id, tenant)
    onboarding_id = UUID(admission.body["start_id"])
    with run.finish() as home:
        mark_started(home, deal_id=admission.deal_id, tenant_id=tenant.id, onboarding_id=onboarding_id)
    return Done()


def _document(run: JobRun, admission: Admission) -> Effective:
    """What the lane has pinned, with what was sold upon it. Raises TemplateMissing, TemplateRefused."""
    effective = effective_document(
        run.runtime,
        run.tenant.organisation_id,
        template_digest=admission.body["template_digest"],
        overlay_digest=admission.body["overlay_digest"],
    )
    return with_sold(effective, admission.package, admission.body)


def _check_room(admission: Admission) -> None:
    """Nobody would be let in half: a workspace that is too small is not made. Raises TooManyContacts."""
    quotas = admission.package.content.quotas if admission.package else None
    wanted = len({contact["email"].strip().casefold() for contact in admission.facts.get("contacts") or []})
    if quotas is not None and quotas.members is not None and wanted > quotas.members:
        raise TooManyContacts(
            f"The deal has {wanted} contacts, and its package lets no more than {quotas.members} into the workspace."
            " Take contacts off the deal, or publish the package with room for more; then read the deal again."
        )


def _tenant(run: JobRun, admission: Admission) -> Tenant:
    """A workspace of the customer's own; a sandbox is home and customer in one."""
    if run.tenant.kind == "sandbox":
        return run.tenant
    cause = {
        "cause_tenant_id": run.tenant.id,
        "cause_entry_id": admission.entry_id,
        "cause_leaf_hash": admission.leaf_hash,
    }
    package = admission.package
    quotas = package.content.quotas if package else None
    request = TenantRequest(
        organisation_id=run.tenant.organisation_id,
        kind="customer",
        name=admission.body["account_name"],
        key=f"deal:{admission.deal_id}",
        cause=cause,
        service_package=package.id if package else None,
        limits=quotas.limits() if quotas else None,
        keeps_sold=True,
    )
    return create_tenant(run.runtime, run.actor, request, trace_id=run.job.trace_id)


def _people(run: JobRun, admission: Admission) -> dict[str, list[Holder]]:
    """Roles to people: the workflow's named owners for the partner, the deal's contacts for the customer."""
    people: dict[str, list[Holder]] = {}
    for role, persons in admission.body["owners"].get("people", {}).items():
        people[role] = [_holder(run, person, "partner") for person in persons]
    contacts = admission.facts.get("contacts") or []
    if contacts:
        people[CUSTOMER_ROLE] = [_holder(run, contact, "customer") for contact in contacts]
    return people


def _holder(run: JobRun, person: dict[str, Any], side: Side) -> Holder:
    name, email, locale = person.get("name") or person["email"], person["email"], person.get("locale") or "en"
    person_id = ensure_person(run.runtime.databases, email=email, name=name, locale=locale)
    return Holder(id=person_id, name=name, email=email, locale=locale, side=side)


def _request(
    run: JobRun, admission: Admission, template: Effective, people: dict[str, list[Holder]], *, year: int
) -> StartRequest:
    """What a run is started with: of the deal's facts those that its template asks for as inputs."""
    facts, asked = admission.facts, [each["id"] for each in template.document.get("inputs", ())]
    # A lane serves one region: until the customer says otherwise, both parties keep its working days.
    calendar = read_calendar(admission.body["owners"].get("calendar", {}), first_year=year)
    started = flow.Started(
        by=flow.By(actor=run.actor.label),
        reference=str(admission.body["start_id"]),
        inputs={name: facts[name] for name in asked if facts.get(name) is not None},
        packet={name: value for name, value in (facts.get("packet") or {}).items() if value is not None},
        partner=calendar,
        customer=calendar,
        follows=True,
        pauses=True,
        reminds=True,
        clocks_follow=True,
        go_live=_go_live(facts),
    )
    return StartRequest(
        id=UUID(admission.body["start_id"]),
        name=admission.body["account_name"],
        definition_digest=template.digest,
        started=started,
        people={role: [_plain(person) for person in group] for role, group in people.items()},
        deal={
            "home_id": str(run.tenant.id),
            "deal_id": str(admission.deal_id),
            "source": admission.body["source"],
            "external_id": admission.body["external_id"],
            **told_of(admission.package, admission.body),
        },
    )


def _go_live(facts: dict[str, Any]) -> date | None:
    """The day on which the customer wants to be live, where the deal says one."""
    try:
        return date.fromisoformat(str(facts.get("go_live")))
    except ValueError:
        return None


def _plain(person: Holder) -> dict[str, Any]:
    return {name: plain(getattr(person, name)) for name in Holder.__slots__}
