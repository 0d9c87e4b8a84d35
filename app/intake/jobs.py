"""The queue door of intake: read a deal back from its CRM, then decide."""

from __future__ import annotations

from datetime import timedelta

from app.connectors.crm.provider import CRM
from app.connectors.crm.sold_deal import DealAnswer, SoldDeal
from app.connectors.kit.contract import CallReport
from app.connectors.kit.runner import Runner
from app.connectors.operations import ConnectionMissing, ConnectionView, get_connection
from app.connectors.tokens.renewing import Using, sign_in
from app.intake.mapping import FactMapping, facts_of
from app.intake.operations import record_failed_reading, record_reading
from app.kernel.outcomes import Done, NeedsPerson, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, job
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
