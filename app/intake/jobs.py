"""The queue door of intake: hear what a CRM tells, read a deal back from it, then decide."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from app.connectors.crm.provider import CRM, NotACRM
from app.connectors.crm.sold_deal import DealAnswer, SoldDeal
from app.connectors.inbound.operations.announcing import hold_delivery
from app.connectors.inbound.queries import DeliveryUnknown, message_of
from app.connectors.kit.contract import CallReport
from app.connectors.kit.registry import ConnectorNotFound
from app.connectors.kit.runner import Runner
from app.connectors.operations import ConnectionMissing, ConnectionView, get_connection
from app.connectors.tokens.renewing import Using, sign_in
from app.intake.mapping import FactMapping, facts_of
from app.intake.operations import receive_messages, record_failed_reading, record_reading, starting_stages
from app.intake.reading import messages_of
from app.kernel.errors import Invalid
from app.kernel.outcomes import Done, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, job
from app.kernel.trail import get_entry
from app.vault.operations import SealedSecrets, take_connection_secrets


@job("intake.read_deal", attempts=8, lease=timedelta(seconds=30))
def read_deal(run: JobRun, *, source: str, external_id: str) -> Outcome:
    """Ask the CRM what the deal holds now; the webhook only said that it moved."""
    try:
        with run.work() as work:
            connection = get_connection(work, source)
            sealed = take_connection_secrets(work, connection_id=connection.id, run_id=run.job.id)
    except ConnectionMissing as error:
        return _hold(run, source, external_id, reason=str(error))
    answer = _ask(run, connection, external_id, sealed)
    if isinstance(answer, TryAgain) and not run.last_attempt:
        return answer
    if not isinstance(answer, SoldDeal):
        return _hold(run, source, external_id, reason=answer.reason)
    with run.finish() as work:
        facts = facts_of(answer, FactMapping.from_config(connection.config))
        record_reading(work, source=source, external_id=external_id, facts=facts)
    return Done()


def _ask(run: JobRun, connection: ConnectionView, external_id: str, sealed: SealedSecrets) -> DealAnswer:
    """Leave the building, with the secrets opened only here."""
    if run.tenant.kind == "sandbox":
        return NeedsPerson("Sandbox: not sent. Deals are read in a partner's home.")
    using = Using(connection.id, connection.connector, connection.config, run.job.id)
    signed = sign_in(run, using, sealed)
    if isinstance(signed, CallReport):
        return _said(signed)
    runner = run.runtime.service(Runner)
    return CRM(runner.registry, connection.connector).read_deal(
        runner,
        external_id,
        properties=FactMapping.from_config(connection.config).properties,
        attempt=run.job.attempts,
        signed=signed,
    )


def _said(report: CallReport) -> DealAnswer:
    outcome = report.outcome
    return outcome if isinstance(outcome, TryAgain | NeedsPerson) else NeedsPerson("The CRM cannot be asked now.")


def _hold(run: JobRun, source: str, external_id: str, *, reason: str) -> Outcome:
    with run.finish() as work:
        record_failed_reading(work, source=source, external_id=external_id, reason=reason)
    return Done()


@job("intake.take_delivery", attempts=8)
def take_delivery(run: JobRun, *, event_id: str) -> Outcome:
    """A connected system told of something: where it is a CRM, ask for the deals to be read that it names.

    What cannot be read goes where a person finds it, beside the connection.
    """
    with run.finish() as work:
        entry = get_entry(work.session, UUID(event_id))
        hook_id, connector = UUID(str(entry.body["connection_id"])), str(entry.body["connector"])
        try:
            crm = CRM(run.runtime.service(Runner).registry, connector)
            message = message_of(work, hook_id, entry.subject_id)
            events = [each for each in crm.read_events(message) if each.delivery_key == entry.body["message_id"]]
        except (NotACRM, ConnectorNotFound, DeliveryUnknown):
            return Done()
        except Invalid as error:
            hold_delivery(work, hook_id, entry.subject_id, connector=connector, said=error.message)
            return Done()
        receive_messages(work, source=connector, messages=messages_of(events, starting_stages(work)))
    return Done()
