"""Walks a running onboarding to its end as the right people would: every open step gets a fitting answer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.connectors.operations import ConnectionSetting, add_connection
from app.flow.definition import Item
from app.flow.events import Evidenced
from app.flow.fields import Field
from app.flow.state import State
from app.flow.steps.draft import NotOpen
from app.kernel.actor import Actor
from app.kernel.work import Work
from app.onboarding import operations
from app.onboarding.queries.picture import Picture, get_picture
from app.vault.secret import Secret
from tenants.tenant import Tenant
from tests.factories.main_job import WORKBENCH, MainJob

PROOF = Evidenced(statement="Minutes, signed by both sides", link="https://docs.example/1")
_ROUNDS = 40


def connect_product(job: MainJob, tenant: Tenant, *, token: str = WORKBENCH) -> None:
    """The technical person sets the product's connection up in the customer's tenant."""
    with job.installation.work(tenant, job.staff["tom"]) as work:
        setting = ConnectionSetting("product_admin", "Workbench", {}, {"api_token": Secret(token)})
        add_connection(work, setting)


def customer_of(job: MainJob, tenant: Tenant) -> Actor:
    """The customer's first person."""
    row = job.installation.rows(tenant, "SELECT person_id, name FROM {}.member ORDER BY invited_at")[0]
    return Actor("person", row.person_id, row.name)


def picture_of(job: MainJob, tenant: Tenant, onboarding_id: UUID) -> Picture:
    """The onboarding as its lead sees it."""
    with job.installation.work(tenant, job.lead) as work:
        return get_picture(work, onboarding_id)


def walk(job: MainJob, tenant: Tenant, onboarding_id: UUID, *, until: str = "") -> State:
    """Do every open step, in rounds, until nothing is open, or until the item `until` is. Returns the last state."""
    for _round in range(_ROUNDS):
        seen = picture_of(job, tenant, onboarding_id)
        if seen.state.status != "running" or (until and seen.of(until).state != "waiting"):
            return seen.state
        steps = [item for item in seen.definition.items.values() if seen.of(item.key).state == "open"]
        if not [step for step in steps if do(job, tenant, seen, step)]:
            return seen.state
        job.run()
    raise AssertionError("the onboarding does not come to an end")


def do(job: MainJob, tenant: Tenant, seen: Picture, item: Item) -> bool:
    """Do one open step as whoever's it is. False for what ends by itself."""
    if item.kind == "stage" or (item.kind == "task" and item.action is not None):
        return False
    if item.kind == "milestone" and (item.evidence is None or item.evidence.source != "person"):
        return False
    actor = customer_of(job, tenant) if item.side == "customer" else job.lead
    try:
        with job.installation.work(tenant, actor) as work:
            _act(work, seen, item)
    except NotOpen:
        return item.kind != "milestone"  # a milestone is open before it can be proven; anything else is a mistake
    return True


def _act(work: Work, seen: Picture, item: Item) -> None:
    onboarding_id = seen.onboarding.id
    if item.kind == "gate":
        missing = {entry.field.id: fitting(entry.field) for entry in seen.definition.handoff}
        missing = {name: value for name, value in missing.items() if not seen.state.packet.get(name)}
        if item.review and item.review.handoff and missing:
            operations.change_packet(work, onboarding_id=onboarding_id, facts=missing)
        button = next(each.id for each in item.review.decisions if each.effect == "pass") if item.review else ""
        operations.decide_gate(work, onboarding_id=onboarding_id, gate=item.key, decision=button)
    elif item.kind == "milestone":
        operations.prove_milestone(work, onboarding_id=onboarding_id, milestone=item.key, evidence=PROOF)
    else:
        answers = {field.id: fitting(field) for field in item.fields}
        proof = PROOF if item.evidence and item.evidence.source == "person" else None
        operations.complete_task(work, onboarding_id=onboarding_id, task=item.key, answers=answers, evidence=proof)


def fitting(field: Field) -> Any:
    """A value that fits the field."""
    values: dict[str, Any] = {
        "integer": field.minimum or 1,
        "boolean": True,
        "date": "2026-12-07",
        "email": "admin@contoso.example",
        "select": field.options[0].id if field.options else "",
    }
    return values.get(field.type, "As agreed")
