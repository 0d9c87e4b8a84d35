"""Carries out what was asked for by API, in a worker: writes a tenant's bundle, or makes the tenant of one.

Killed anywhere, the next attempt goes on where the file is. How far it is stands in control, at most once a second.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select, update

from app.kernel.errors import Conflict, SlipwayError, Unavailable
from app.kernel.outcomes import Done, Outcome, TryAgain
from app.kernel.queue.execution import backoff
from app.kernel.queue.jobs import JobRun, LeaseLost
from app.kernel.work import TenantNotActive
from app.tenancy.bundles.errors import FileInTheWay, TenantIsHere
from app.tenancy.bundles.export import ExportRequest, export_tenant
from app.tenancy.bundles.importing import ImportRequest, import_tenant
from app.tenancy.bundles.verification import open_bundle, read_header, verify_file
from app.tenancy.bundles.writing import unfinished
from app.tenancy.events import TransferEnded
from app.tenancy.folder import BundleFolder, BundlesAway, sha256_of
from app.tenancy.models import Transfer
from app.tenancy.operations.transferring.transfers import OPEN, Ended, end, find_transfer, let_go
from app.vault.bundle_keys import BundleSafe, read_bundle_key
from tenants.models import Erasure, TenantEntry
from tenants.registry import find_tenant
from tenants.sessions import lookup_session, partner_session
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {
    "carry_out": "the frame of both jobs: what they do was allowed when it was asked for",
    "write_bundle": "the job of an export that somebody was allowed to ask for",
    "read_bundle": "the job of an import that somebody was allowed to ask for",
}
_OFTEN: Final = 1.0  # seconds between two words on how far it is
_GONE: Final = frozenset({"shredded", "dropped"})
Facts = dict[str, object]


class TransferCancelled(Conflict):
    """Somebody has cancelled it, or it has ended otherwise: this run has nothing to do any more."""


class TenantGone(Conflict):
    """The workspace was erased, or two people have agreed that it will be."""


@dataclass
class Meter:
    """Says in control how far a run is, and learns there and from its job whether it is still wanted."""

    run: JobRun
    transfer: Transfer
    _rows: Counter[str] = field(default_factory=Counter)
    _parts: int = 0
    _said: float = float("-inf")

    def __call__(self, table: str, rows: int) -> None:
        """`rows` of this table are done. Raises TransferCancelled, LeaseLost."""
        self._rows[table] = rows
        self._parts += 1
        if time.monotonic() - self._said >= _OFTEN:
            self.say()
            self._said = time.monotonic()

    def say(self) -> None:
        """Write it down. Raises TransferCancelled, LeaseLost."""
        with self.run.work():
            log.debug("tenancy.transfer_goes_on", transfer=str(self.transfer.id))
        now: dict[str, int] = {"rows": self._rows.total(), "parts": self._parts}
        if self.transfer.direction == "out":
            now["bytes"] = _size(self.run, self.transfer)
        told = {
            name: max(value, getattr(self.transfer, name)) for name, value in now.items()
        }  # of a run before: never less
        runtime, home = self.run.runtime, self.run.tenant
        with partner_session(runtime.databases, home.organisation_id, actor=self.run.actor.label) as (session, _now):
            wanted = Transfer.id == self.transfer.id, Transfer.state == "running"
            if session.execute(update(Transfer).where(*wanted).values(**told).returning(Transfer.id)).first() is None:
                raise TransferCancelled("It was cancelled.")


def carry_out(run: JobRun, transfer_id: UUID, perform: Callable[[JobRun, Transfer, Meter], Facts]) -> Outcome:
    """Take it up, perform it, say how it ended; what may be better later is tried again. Raises LeaseLost."""
    transfer = _take_up(run, transfer_id)
    if transfer.state == "running":
        try:
            facts = perform(run, transfer, Meter(run, transfer))
        except LeaseLost:
            raise
        except TransferCancelled:
            _clean_up(run, transfer)
        except (SlipwayError, OSError) as trouble:
            if _may_be_better(trouble) and not run.last_attempt:
                return TryAgain(after=backoff(run.job.attempts), reason=str(trouble))
            _fail(run, transfer, trouble)
        else:
            if not end(run.runtime, transfer.organisation_id, transfer.id, Ended("done"), **facts):
                _clean_up(run, transfer)
            elif transfer.direction == "in":
                run.runtime.service(BundleFolder).remove(transfer.id)
    elif transfer.state != "done":
        _clean_up(run, transfer)
    _conclude(run, transfer_id)
    return Done()


def write_bundle(run: JobRun, transfer: Transfer, meter: Meter) -> Facts:
    """Write the tenant's bundle, go on with it, or find it whole. Returns what is known of the file."""
    folder = run.runtime.service(BundleFolder)
    keys, tenant = run.runtime.service(BundleSafe).open(), _exportable(run, transfer)
    folder.prepare()
    path = folder.file(transfer.id)
    wanted = ExportRequest(tenant, read_bundle_key(transfer.peer), secrets=transfer.secrets, stays=transfer.stays)
    done = export_tenant(run.runtime, run.actor, keys, wanted, path, trace_id=transfer.trace_id, progress=meter)
    checked = verify_file(path)
    with partner_session(run.runtime.databases, transfer.organisation_id, actor=run.actor.label) as (_session, now):
        expires_at = now + folder.kept
    size = {"rows": done.rows, "parts": len(checked.manifest.parts), "bytes": path.stat().st_size}
    return {**size, "sha256": sha256_of(path), "signed_by": checked.sender, "expires_at": expires_at}


def read_bundle(run: JobRun, transfer: Transfer, meter: Meter) -> Facts:
    """Make the tenant of the uploaded bundle, or go on with it. Returns what is known of it."""
    path = run.runtime.service(BundleFolder).file(transfer.id)
    if not path.exists():
        raise BundlesAway("The uploaded file cannot be reached from here. Upload it again.")
    keys = run.runtime.service(BundleSafe).open()
    wanted = ImportRequest(path, transfer.organisation_id, transfer.peer)
    try:
        done = import_tenant(run.runtime, run.actor, keys, wanted, trace_id=transfer.trace_id, progress=meter)
    except TenantIsHere:
        if (arrived := _arrived_before(run, transfer)) is None:
            raise
        return {"tenant_id": arrived}
    return {"tenant_id": done.tenant.id, "rows": done.rows, "secrets": done.secrets}


def _take_up(run: JobRun, transfer_id: UUID) -> Transfer:
    """The row, `running` from here on unless it has ended."""
    with partner_session(run.runtime.databases, run.tenant.organisation_id, actor=run.actor.label) as (session, now):
        mine = Transfer.id == transfer_id, Transfer.state.in_(OPEN)
        began = {"state": "running", "started_at": now}
        session.execute(update(Transfer).where(*mine, Transfer.started_at.is_(None)).values(**began))
        return find_transfer(session, transfer_id)


def _exportable(run: JobRun, transfer: Transfer) -> Tenant:
    """The tenant as it is now. Raises TenantGone."""
    with lookup_session(run.runtime.databases, actor="tenancy") as (session, _now):
        tenant = find_tenant(session, transfer.tenant_id) if transfer.tenant_id else None
    with partner_session(run.runtime.databases, transfer.organisation_id, actor=run.actor.label) as (session, _now):
        agreed = select(Erasure.id).where(Erasure.tenant_id == transfer.tenant_id, Erasure.state == "approved")
        ending = session.scalars(agreed).first() is not None
    if tenant is None or tenant.state in _GONE or ending:
        raise TenantGone("This workspace was erased, or will be at once. There is nothing to export any more.")
    return tenant


def _arrived_before(run: JobRun, transfer: Transfer) -> UUID | None:
    """The tenant that an earlier attempt of this very job has made, before it could say so."""
    if run.job.attempts == 1:
        return None
    with open_bundle(run.runtime.service(BundleFolder).file(transfer.id)) as file:
        header, _sha256 = read_header(file)
    with partner_session(run.runtime.databases, transfer.organisation_id, actor=run.actor.label) as (session, _now):
        made = TenantEntry.request_key == f"bundle:{header.bundle}", TenantEntry.state == "active"
        query = select(TenantEntry.id).where(TenantEntry.organisation_id == transfer.organisation_id, *made)
        return session.scalar(query)


def _may_be_better(trouble: SlipwayError | OSError) -> bool:
    """Whether it makes sense to try again: a part is busy or away, or a former run has not let go of the file yet."""
    if isinstance(trouble, TenantNotActive):
        return trouble.state not in _GONE
    return isinstance(trouble, Unavailable | FileInTheWay | OSError)


def _fail(run: JobRun, transfer: Transfer, trouble: SlipwayError | OSError) -> None:
    """Say what went wrong; the tenant goes on with its work, and half a file is worth nothing."""
    if isinstance(trouble, OSError):
        log.error("tenancy.bundle_not_written", transfer=str(transfer.id), reason=str(trouble))
        trouble = BundlesAway(
            "The file could not be written or read on the server. Tell whoever runs it, then ask anew."
        )
    folder = f"{run.runtime.service(BundleFolder).path}/"
    said = trouble.message.replace(folder, "")  # where files lie on the server is nobody's business
    end(run.runtime, transfer.organisation_id, transfer.id, Ended("failed", trouble.slug, said))
    _clean_up(run, transfer)


def _clean_up(run: JobRun, transfer: Transfer) -> None:
    if transfer.direction == "out":
        let_go(run.runtime, transfer)
    run.runtime.service(BundleFolder).remove(transfer.id)


def _conclude(run: JobRun, transfer_id: UUID) -> None:
    """The partner's trail knows the end; with it the job is done."""
    with partner_session(run.runtime.databases, run.tenant.organisation_id, actor=run.actor.label) as (session, _now):
        found = find_transfer(session, transfer_id)
    with run.finish() as work:
        work.record(
            TransferEnded(
                subject_id=found.id,
                reason=found.reason,
                direction=found.direction,
                outcome=found.state,
                tenant_id=found.tenant_id,
                rows=found.rows,
                sha256=found.sha256,
                trouble=found.trouble,
            )
        )


def _size(run: JobRun, transfer: Transfer) -> int:
    path = run.runtime.service(BundleFolder).file(transfer.id)
    found = next((each for each in (path, unfinished(path)) if each.exists()), None)
    return found.stat().st_size if found else 0


# A lease outlives the longest step between two heartbeats: hashing is by pieces, and the heart beats in a side thread.
LEASE: Final = timedelta(seconds=30)
