"""The queue door of intake: read a deal back from its CRM, then decide."""

from __future__ import annotations

from datetime import timedelta

from app.connectors.crm import CRM
from app.connectors.operations import ConnectionMissing, get_connection
from app.connectors.runner import Runner
from app.connectors.sold_deal import SoldDeal
from app.intake.mapping import FactMapping, facts_of
from app.intake.operations import record_failed_reading, record_reading
from app.kernel.outcomes import Done, Outcome, TryAgain
from app.kernel.queue.jobs import JobRun, job
from app.vault.keyring import Keyring
from app.vault.operations import take_connection_secrets


@job("intake.read_deal", attempts=8, lease=timedelta(seconds=30))
def read_deal(run: JobRun, *, source: str, external_id: str) -> Outcome:
    """Ask the CRM what the deal holds now; the webhook only said that it moved."""
    try:
        with run.work() as work:
            connection = get_connection(work, source)
            sealed = take_connection_secrets(work, connection_id=connection.id, run_id=run.job.id)
    except ConnectionMissing as error:
        with run.finish() as work:
            record_failed_reading(work, source=source, external_id=external_id, reason=str(error))
        return Done()
    mapping = FactMapping.from_config(connection.config)
    runner = run.runtime.service(Runner)
    answer = CRM(runner.registry, source).read_deal(
        runner,
        external_id,
        properties=mapping.properties,
        attempt=run.job.attempts,
        secrets=sealed.open(run.runtime.service(Keyring)),
    )
    if isinstance(answer, TryAgain) and not run.last_attempt:
        return answer
    with run.finish() as work:
        if isinstance(answer, SoldDeal):
            record_reading(work, source=source, external_id=external_id, facts=facts_of(answer, mapping))
        else:
            record_failed_reading(work, source=source, external_id=external_id, reason=answer.reason)
    return Done()
