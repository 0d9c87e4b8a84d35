"""The queue door of exports and imports that were asked for by API. They run in the partner's home."""

from __future__ import annotations

from uuid import UUID

from app.kernel.outcomes import Outcome
from app.kernel.queue.jobs import JobRun, job
from app.tenancy.operations.transferring import carrying


@job("tenancy.write_bundle", attempts=12, lease=carrying.LEASE)
def write_bundle(run: JobRun, *, transfer_id: str) -> Outcome:
    """Write the bundle of a tenant that somebody wants to export."""
    return carrying.carry_out(run, UUID(transfer_id), carrying.write_bundle)


@job("tenancy.read_bundle", attempts=12, lease=carrying.LEASE)
def read_bundle(run: JobRun, *, transfer_id: str) -> Outcome:
    """Make the tenant of a bundle that somebody has uploaded."""
    return carrying.carry_out(run, UUID(transfer_id), carrying.read_bundle)
