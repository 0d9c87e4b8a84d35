"""Takes away what uploads that were cut off have left: sealed bytes that no row will ever name. A platform round."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog

from app.kernel.actor import job_actor
from app.kernel.errors import SlipwayError
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from app.vault.files.folder import FileFolder, Incoming
from app.vault.files.records import find_stored
from tenants.registry import find_tenant
from tenants.sessions import DatabaseAway, lookup_session

log = structlog.get_logger(__name__)
SYSTEM_ONLY = {"sweep_files": "a platform job of the dispatcher: it removes what nobody has"}
QUIET: Final = 3_600.0  # seconds without a byte; a commit takes a fraction of one
_THERE: Final = frozenset({"active", "suspended", "exporting", "seeding"})


def sweep_files(runtime: Runtime, *, at: datetime | None = None) -> int:
    """Settle what has its row, take away what has none. Returns how many were taken away.

    `at` is the moment it is; without it, the database's. A workspace whose cell is away waits for the next round.
    """
    folder = runtime.service(FileFolder)
    waiting = folder.waiting()
    if not waiting:
        return 0
    with lookup_session(runtime.databases, actor="files") as (_session, now):
        quiet = (at or now).timestamp() - QUIET
    gone = 0
    for incoming, written in waiting.items():
        if written < quiet:
            try:
                gone += _swept(runtime, folder, incoming)
            except (DatabaseAway, SlipwayError, OSError) as error:
                log.warning("files.not_swept", tenant_id=str(incoming.tenant_id), reason=str(error))
    return gone


def _swept(runtime: Runtime, folder: FileFolder, incoming: Incoming) -> bool:
    if _has_row(runtime, incoming):
        folder.settle(incoming)
        return False
    folder.abandon(incoming)
    return True


def _has_row(runtime: Runtime, incoming: Incoming) -> bool:
    with lookup_session(runtime.databases, actor="files") as (session, _now):
        tenant = find_tenant(session, incoming.tenant_id)
    if tenant is None or tenant.state not in _THERE:
        return False
    actor = job_actor(new_id(), "onboarding.sweep_files")
    with open_work(runtime, tenant, actor, trace_id=new_id().hex, states=_THERE) as work:
        return find_stored(work.session, incoming.place_id, incoming.file_id) is not None
