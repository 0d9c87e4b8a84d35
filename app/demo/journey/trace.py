"""The trace of one onboarding: what the home and the tenant have written down, joined, proven and told with times."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.demo.journey.browser import JourneyFailed
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.trail import TrailLine, list_of_onboarding, list_of_trace
from app.kernel.work import open_work
from app.onboarding.queries.stored import find_onboarding
from tenants.tenant import Tenant

_MOST = 1_000  # entries of one onboarding, far beyond any journey
# What must stand in the trace, in this order (REQUIREMENTS 1.11).
MILESTONES = (
    "intake.trigger.received",
    "intake.deal.admitted",
    "tenancy.tenant.created",
    "onboarding.handoff.validated",
    "onboarding.started",
    "onboarding.gate.decided",
    "onboarding.customer_task.opened",
    "onboarding.sla.breached",
    "onboarding.provisioning.requested",
    "onboarding.system.wrote_back",
    "onboarding.milestone.completed",
    "onboarding.first_value.reached",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the joined trail."""

    order: str
    at: datetime
    place: str
    action: str
    who: str
    what: str


def read_trace(runtime: Runtime, home: Tenant, tenant: Tenant, onboarding_id: UUID) -> list[Line]:
    """Both trails' entries of this onboarding in the order in which they were written.

    Raises JourneyFailed when the tenant's first entry does not name the home's entry by its very hash.
    """
    actor = Actor(kind="service", id=home.id, name="trace")
    with open_work(runtime, tenant, actor, trace_id="trace") as work:
        trace_id = find_onboarding(work.session, onboarding_id).trace_id
        own = [*list_of_trace(work.session, trace_id), *list_of_onboarding(work.session, onboarding_id, limit=_MOST)]
    with open_work(runtime, home, actor, trace_id="trace") as work:
        outside = list_of_trace(work.session, trace_id)
    inside = sorted({entry.id: entry for entry in own}.values(), key=lambda entry: entry.id)
    _check_cause(outside, inside)
    lines = [_line("home", entry) for entry in outside] + [_line("tenant", entry) for entry in inside]
    return sorted(lines, key=lambda line: line.order)


def missing_events(lines: list[Line]) -> list[str]:
    """Which of the events that make a trace are not there."""
    known = {line.action for line in lines}
    return [action for action in MILESTONES if action not in known]


def told(lines: list[Line]) -> list[str]:
    """The trace as text: business time, where, what, by whom."""
    return [
        f"{line.at:%a %d %b %H:%M}  {line.place:<6}  {line.action:<36}  {line.who:<24}  {line.what}"[:150].rstrip()
        for line in lines
    ]


def _check_cause(outside: list[TrailLine], inside: list[TrailLine]) -> None:
    created = next((entry for entry in inside if entry.action == "tenancy.tenant.created"), None)
    if created is None:
        raise JourneyFailed("the tenant's trail to begin with its creation", [entry.action for entry in inside][:3])
    cause, named = created.body.get("cause_entry_id"), created.body.get("cause_leaf_hash")
    admitted = next((entry for entry in outside if str(entry.id) == cause), None)
    if admitted is None or admitted.leaf_hash != named:
        raise JourneyFailed(f"the home's entry {cause} to have the hash {named}", admitted and admitted.leaf_hash)


def _line(place: str, entry: TrailLine) -> Line:
    known = ("task", "milestone", "gate", "timer", "decision", "outcome", "account_name", "connector", "name", "fields")
    words = [str(entry.body[name]) for name in known if entry.body.get(name)]
    who = entry.actor_name if entry.actor_kind == "person" else f"({entry.actor_name})"
    return Line(str(entry.id), entry.at, place, entry.action, who, " · ".join(words))
