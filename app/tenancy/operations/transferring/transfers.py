"""What exports and imports by API have in common: found, begun in the partner's home, followed until they end.

Control decides what was asked for; the job of the home carries it out. Killed between the two, the platform's round
finds a transfer without a job and begins it, or one whose job was given up and ends it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import structlog
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from app.kernel.actor import Actor, job_actor
from app.kernel.commands import run_command
from app.kernel.errors import Missing, SlipwayError
from app.kernel.queue.listing import WITHOUT_SUCCESS
from app.kernel.runtime import Runtime
from app.kernel.work import Work, open_work
from app.tenancy.bundles.documents import Header
from app.tenancy.bundles.errors import BundleBroken
from app.tenancy.bundles.export import cancel_export
from app.tenancy.bundles.history import last_export
from app.tenancy.bundles.verification import open_bundle, read_header
from app.tenancy.bundles.writing import unfinished
from app.tenancy.events import ImportRequested
from app.tenancy.folder import BundleFolder
from app.tenancy.lookups import idle_bundles, open_transfers
from app.tenancy.models import Transfer
from app.web.translations import mark
from tenants.registry import find_home, find_tenant
from tenants.sessions import DatabaseAway, dispatcher_session, lookup_session, partner_session
from tenants.tenant import Tenant

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {
    "find_transfer": "a step of operations that have asked for the right",
    "start": "the second step of a request that its operation has allowed",
    "end": "the last step of a transfer, by its job or by the platform's round",
    "let_go": "the end of an export: the workspace goes on with its work",
    "home_of": "finds where a transfer's job belongs; no content is seen",
    "follow_all": "a platform job of the dispatcher",
    "sweep": "a platform job of the dispatcher",
    "requested": "a step of operations that have asked for the right",
}
JOBS: Final = {"out": "tenancy.write_bundle", "in": "tenancy.read_bundle"}
OPEN: Final = ("queued", "running")
_HELD: Final = frozenset({"active", "suspended", "exporting"})
_QUIET: Final = 3_600.0  # seconds without a write, after which a file that no row knows is nobody's
GIVEN_UP: Final = "given-up"


class TransferUnknown(Missing):
    """There is no such export or import, or none below this organisation."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a transfer ended. `trouble` is the stable name of what went wrong, `said` the same for people."""

    state: Literal["done", "failed", "cancelled"]
    trouble: str | None = None
    said: str | None = None


def find_transfer(session: Session, transfer_id: UUID, *, direction: str | None = None) -> Transfer:
    """The row as far as this organisation's scope sees it. Raises TransferUnknown."""
    found = session.get(Transfer, transfer_id)
    if found is None or direction not in {None, found.direction}:
        raise TransferUnknown(mark("There is no such export or import."))
    return found


def home_of(runtime: Runtime, organisation_id: UUID) -> Tenant | None:
    """Where the jobs of an organisation's transfers belong."""
    with lookup_session(runtime.databases, actor="tenancy") as (session, _now):
        return find_home(session, organisation_id)


def start(runtime: Runtime, transfer: Transfer) -> None:
    """Ask for the transfer's job in the partner's home, once. A home that is away is asked by the platform's round."""
    actor = Actor(kind="person", id=transfer.requested_by, name=transfer.requested_name)
    try:
        home = home_of(runtime, transfer.organisation_id)
        if home is None:
            log.warning("tenancy.transfer_without_home", transfer=str(transfer.id))
            return
        told = {"key": f"transfer:{transfer.id}", "mark": str(transfer.id), "trace_id": transfer.trace_id}
        run_command(runtime, home, actor, operation=lambda work: _ask(work, transfer), **told)
    except (DatabaseAway, SlipwayError) as error:
        log.warning("tenancy.transfer_begun_later", transfer=str(transfer.id), reason=str(error))


def _ask(work: Work, transfer: Transfer) -> dict[str, object]:
    """The job; and of an import, which has no tenant yet, what was asked for."""
    if transfer.direction == "in":
        sender, sha256 = transfer.peer, transfer.sha256 or ""
        work.record(ImportRequested(subject_id=transfer.id, sender=sender, sha256=sha256, reason=transfer.reason))
    work.enqueue(JOBS[transfer.direction], args={"transfer_id": transfer.id}, dedupe_key=_job_key(transfer.id))
    return {"transfer": str(transfer.id)}


def end(runtime: Runtime, organisation_id: UUID, transfer_id: UUID, ended: Ended, **facts: object) -> bool:
    """Say in control how it ended; False where that has been said before, and it stays so."""
    with partner_session(runtime.databases, organisation_id, actor="tenancy") as (session, now):
        values = {"state": ended.state, "trouble": ended.trouble, "said": ended.said, "ended_at": now, **facts}
        open_one = update(Transfer).where(Transfer.id == transfer_id, Transfer.state.in_(OPEN))
        return session.execute(open_one.values(**values).returning(Transfer.id)).first() is not None


def let_go(runtime: Runtime, transfer: Transfer) -> None:
    """Let the tenant that this export holds still go on with its work; any other export's it leaves alone."""
    folder, actor = runtime.service(BundleFolder), job_actor(transfer.id, "tenancy.end_export")
    header = _header_of(folder, transfer.id)
    with lookup_session(runtime.databases, actor="tenancy") as (session, _now):
        tenant = find_tenant(session, transfer.tenant_id) if transfer.tenant_id else None
    if header is None or tenant is None or tenant.state not in _HELD:
        return
    with open_work(runtime, tenant, actor, trace_id=transfer.trace_id, states=_HELD) as work:
        last = last_export(work.session)
    if last is not None and last.bundle == header.bundle:
        cancel_export(runtime, actor, tenant, trace_id=transfer.trace_id)


def follow_all(runtime: Runtime, *, seconds: int = 15) -> int:
    """Begin transfers whose request was cut off, and end those whose job was given up. Returns how many."""
    with lookup_session(runtime.databases, actor="tenancy") as (session, _now):
        waiting = open_transfers(session, seconds=seconds)
    moved = 0
    for organisation_id, transfer_id in waiting:
        try:
            moved += _follow(runtime, organisation_id, transfer_id)
        except (DatabaseAway, SlipwayError, OSError) as error:
            log.warning("tenancy.transfer_stuck", transfer=str(transfer_id), reason=str(error))
    return moved


def _follow(runtime: Runtime, organisation_id: UUID, transfer_id: UUID) -> bool:
    home = home_of(runtime, organisation_id)
    if home is None:
        runtime.service(BundleFolder).remove(transfer_id)
        return end(runtime, organisation_id, transfer_id, Ended("failed", "home-missing", _HOMELESS))
    with partner_session(runtime.databases, organisation_id, actor="tenancy") as (session, _now):
        transfer = find_transfer(session, transfer_id)
    with dispatcher_session(runtime.databases, home.cell, actor="tenancy") as (session, _now):
        job = session.execute(_JOB, {"tenant": home.id, "key": _job_key(transfer_id)}).one_or_none()
    if job is None:
        start(runtime, transfer)
        return True
    if job.state not in WITHOUT_SUCCESS:
        return False
    if transfer.direction == "out":
        let_go(runtime, transfer)
    runtime.service(BundleFolder).remove(transfer_id)
    return end(runtime, organisation_id, transfer_id, Ended("failed", GIVEN_UP, _STUCK))


def sweep(runtime: Runtime, *, at: datetime | None = None) -> int:
    """Take away files that nobody may fetch any more, and what an upload that was cut off has left. Returns how many.

    `at` is the moment it is; without it, the database's.
    """
    folder = runtime.service(BundleFolder)
    listed = folder.listed()
    if not listed:
        return 0
    with lookup_session(runtime.databases, actor="tenancy") as (session, now):
        idle = idle_bundles(session, list(listed))
    quiet = (at or now).timestamp() - _QUIET
    gone = [transfer_id for transfer_id, known in idle if known or listed[transfer_id] < quiet]
    for transfer_id in gone:
        folder.remove(transfer_id)
    return len(gone)


def requested(session: Session, organisation_id: UUID, request_key: str) -> Transfer | None:
    """What was asked for with this key before."""
    mine = Transfer.organisation_id == organisation_id, Transfer.request_key == request_key
    return session.scalars(select(Transfer).where(*mine)).one_or_none()


def _header_of(folder: BundleFolder, transfer_id: UUID) -> Header | None:
    """The header of what there is of the bundle; None where there is not even that."""
    whole = folder.file(transfer_id)
    for path in (whole, unfinished(whole)):
        try:
            with open_bundle(path) as file:
                return read_header(file)[0]
        except BundleBroken:
            continue
    return None


def _job_key(transfer_id: UUID) -> str:
    return f"transfer:{transfer_id}"


_JOB = text("SELECT state FROM cell.job WHERE tenant_id = :tenant AND dedupe_key = :key")
_HOMELESS = "This partner has no home in which it could be carried out. Ask whoever runs this installation."
_STUCK = "The programs that worked on it ended again and again. Ask for it anew; tell whoever runs this installation."
