"""What a new sandbox is filled with: made-up people, a made-up deal, and the onboarding that follows from it.

Only the facts are invented. The deal goes through intake and the onboarding begins as any other does, so a sandbox
shows what a customer's workspace would. The same template gives the same facts, every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text

from app.flow.definition import Definition
from app.flow.fields import Field, Value
from app.flow.reading import read_definition
from app.identity.rules import made_up_address
from app.intake.operations import MadeUpDeal, take_made_up_deal
from app.kernel.outcomes import Done, Outcome
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work
from app.onboarding.events import SandboxFilled, SandboxLeftEmpty
from app.templates.lines.queries import Offered, find_line, find_overlay
from app.templates.operations import effective_document
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.sessions import partner_session

SYSTEM_ONLY = {
    "fill_sandbox": "called by the job that follows a sandbox's creation",
    "leave_empty": "called by the same job, and when it is given up",
}
NO_TEMPLATE: Final = mark("There was no published template to start from when this sandbox was made.")
_COMPANY: Final = "Sample Works Ltd"
_CUSTOMERS: Final = (("mara", "Mara Sample", "en"), ("jonas", "Jonas Muster", "de"))
_STAFF: Final = ("robin", "Robin Sample", "en")
_STAGE: Final = "closedwon"
_BEGINS: Final = timedelta(days=14)


def fill_sandbox(run: JobRun) -> Outcome:
    """Take the made-up deal in, with the version that the sandbox is to try, else the newest of its partner. Once.

    What follows does the rest.
    """
    offered, definition = _offered(run)
    with run.finish() as work:
        if work.session.execute(text("SELECT 1 FROM deal UNION ALL SELECT 1 FROM onboarding LIMIT 1")).first():
            return Done()  # somebody was here before
        if offered is None or definition is None:
            leave_empty(work, NO_TEMPLATE)
            return Done()
        deal = _deal(work, offered, definition)
        state = take_made_up_deal(work, deal)
        people = [contact["email"] for contact in deal.facts["contacts"]]
        made = SandboxFilled(
            subject_id=run.tenant.id, deal=state, people=people, template_digest=offered.template_digest
        )
        work.record(made)
    return Done()


def leave_empty(work: Work, reason: str) -> None:
    """Say in the trail, and so on the sandbox's page, why there is nothing in it."""
    work.record(SandboxLeftEmpty(subject_id=work.tenant.id, reason=reason))


def _offered(run: JobRun) -> tuple[Offered | None, Definition | None]:
    organisation_id = run.tenant.organisation_id
    with partner_session(run.runtime.databases, organisation_id, actor=run.actor.label) as (session, _now):
        tried = session.scalars(select(TenantEntry.cause).where(TenantEntry.id == run.tenant.id)).one_or_none()
        digest = (tried or {}).get("template_digest")
        offered = Offered(digest, find_overlay(session, digest)) if digest else find_line(session)
    if offered is None:
        return None, None
    effective = effective_document(
        run.runtime,
        organisation_id,
        template_digest=offered.template_digest,
        overlay_digest=offered.overlay_digest,
    )
    return offered, read_definition(effective.document, effective.digest)


def _deal(work: Work, offered: Offered, definition: Definition) -> MadeUpDeal:
    begins = (work.now + _BEGINS).date().isoformat()
    facts: dict[str, Any] = {**_values(definition.inputs, begins)}
    segment = facts.setdefault("segment", "sample")
    facts |= {
        "stage": _STAGE,
        "deal_name": f"{_COMPANY}: {definition.title.get('en') or definition.id}",
        "account_id": "sample-works",
        "account_name": _COMPANY,
        "contacts": [_person(work.tenant.id, *customer) for customer in _CUSTOMERS],
        "packet": _values((entry.field for entry in definition.handoff), begins),
    }
    staff = [_person(work.tenant.id, *_STAFF)]
    people = {role.id: staff for role in definition.roles.values() if role.side == "partner"}
    return MadeUpDeal(
        facts=facts,
        contract={"stages": [_STAGE], "segments": [segment], "required": ["segment", "account_name"]},
        owners={"people": people},
        template_digest=offered.template_digest,
        overlay_digest=offered.overlay_digest,
    )


def _person(tenant_id: UUID, word: str, name: str, locale: str) -> Mapping[str, str]:
    return {"name": name, "email": made_up_address(word, tenant_id), "locale": locale}


def _values(fields: Iterable[Field], begins: str) -> dict[str, Value]:
    """One fitting value for each field: its own default, else the plainest of its type."""
    return {field.id: _value(field, begins) if field.default is None else field.default for field in fields}


def _value(field: Field, begins: str) -> Value:
    fitting: dict[str, Value] = {
        "boolean": True,
        "date": begins,
        "email": "nobody@sandbox.example",
        "url": "https://sandbox.example",
        "phone": "+49 30 123456",
        "integer": _within(field, 25),
        "decimal": f"{_within(field, 10)}.00",
        "select": field.options[0].id if field.options else None,
        "choices": field.options[0].id if field.options else None,
    }
    said = f"Sample: {field.label.get('en') or field.id}"[: field.maximum or 200]
    return fitting.get(field.type, said)


def _within(field: Field, wanted: int) -> int:
    return min(max(wanted, field.minimum or 0), wanted if field.maximum is None else field.maximum)
