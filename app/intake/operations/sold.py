"""What a CRM says of a sale that runs: compared with what was sold, field by field, after the sale has started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from app.connectors.crm.provider import CRM, NotACRM
from app.connectors.crm.sold_deal import SoldDeal
from app.connectors.drift.records import Place
from app.connectors.drift.sources import Asking, Heard, Ours, Theirs, has_records, working_connections
from app.connectors.kit.contract import CallReport
from app.connectors.kit.runner import Runner
from app.connectors.tokens.renewing import Using, sign_in
from app.intake.mapping import FactMapping, facts_of
from app.intake.models import Deal
from app.kernel.outcomes import Done, NeedsPerson
from app.kernel.queue.jobs import JobRun
from app.kernel.work import Work

SYSTEM_ONLY = {"find_started": "asked by the job that compares", "promised": "it reads nothing and changes nothing"}
SOLD: Final = "sold"
# What may change after the sale without breaking it: who minds it, what it is called, whom to write to, where it stands
# in the CRM's own course. All else was promised.
_FREE: Final = frozenset({"stage", "owner", "deal_name", "contacts", "packet"})


class Sold:
    """The deals of a home that have become onboardings, each by the CRM's own id of it."""

    name = SOLD

    def list_places(self, work: Work, *, after: str, limit: int) -> Sequence[tuple[str, Place]]:
        """By the deal's id, as far as its CRM is connected."""
        query = select(Deal.id, Deal.source, Deal.external_id).where(Deal.state == "started")
        if after:
            query = query.where(Deal.id > UUID(after))
        rows = work.session.execute(query.order_by(Deal.id).limit(limit)).all()
        there = working_connections(work)
        return [(str(deal_id), _place(there, source, external_id)) for deal_id, source, external_id in rows]

    def find_ours(self, work: Work, place: Place) -> Ours | None:
        """What was sold."""
        deal = find_started(work, place.connector, place.record)
        if deal is None:
            return None
        title = str(deal.facts.get("account_name") or deal.external_id)[:120]
        return Ours(title, promised(deal.facts), onboarding_id=None)

    def ask(self, run: JobRun, asking: Asking) -> Heard:
        """Read the deal as the trigger does."""
        if run.tenant.kind == "sandbox":
            return NeedsPerson("Sandbox: not sent.")
        connection = asking.connection
        signed = sign_in(run, Using(connection.id, connection.connector, connection.config, run.job.id), asking.sealed)
        if isinstance(signed, CallReport):
            return NeedsPerson(signed.code) if isinstance(signed.outcome, Done) else signed.outcome
        runner, mapping = run.runtime.service(Runner), FactMapping.from_config(connection.config)
        try:
            crm = CRM(runner.registry, connection.connector)
        except NotACRM as error:
            return NeedsPerson(error.message)
        answer = crm.read_deal(
            runner, asking.place.record, properties=mapping.properties, attempt=run.job.attempts, signed=signed
        )
        return Theirs(promised(facts_of(answer, mapping))) if isinstance(answer, SoldDeal) else answer


def promised(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a sale that both sides go by: amount, dates, plan, the packet; also those that are left blank."""
    packet = facts.get("packet") or {}
    return {name: value for name, value in facts.items() if name not in _FREE} | {
        f"packet.{name}": value for name, value in packet.items()
    }


def find_started(work: Work, source: str, external_id: str) -> Deal | None:
    """The deal of that id whose onboarding runs."""
    query = select(Deal).where(Deal.source == source, Deal.external_id == external_id, Deal.state == "started")
    return work.session.scalars(query).one_or_none()


def _place(there: Mapping[str, UUID], source: str, external_id: str) -> Place:
    if source not in there:
        return Place("", UUID(int=0), source, external_id)  # its CRM is not connected: nobody can be asked
    return Place(SOLD, there[source], source, external_id)


has_records(Sold())
