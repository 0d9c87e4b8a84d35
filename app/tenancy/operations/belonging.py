"""Tells a cell whose its tenants are, where an earlier build made them and did not say."""

from __future__ import annotations

from typing import Final

import structlog
from sqlalchemy import text

from app.kernel.runtime import Runtime
from app.tenancy.lookups import organisations_of
from tenants.sessions import DatabaseAway, lookup_session, registry_session

log = structlog.get_logger(__name__)
_AT_ONCE: Final = 500

SYSTEM_ONLY = {"tell_whose": "a platform job of the dispatcher"}


def tell_whose(runtime: Runtime) -> int:
    """Fill in the organisation of up to 500 tenants of each cell. Returns how many; repeatable, and once is enough."""
    told = 0
    for cell in runtime.databases.cells:
        try:
            told += _tell(runtime, cell)
        except DatabaseAway as error:
            log.warning("tenancy.whose_untold", cell=cell, reason=str(error))
    return told


def _tell(runtime: Runtime, cell: str) -> int:
    with registry_session(runtime.databases, cell, actor="tenancy") as (session, _now):
        unknown = list(session.execute(_UNKNOWN, {"limit": _AT_ONCE}).scalars())
    if not unknown:
        return 0
    with lookup_session(runtime.databases, actor="tenancy") as (session, _now):
        found = organisations_of(session, unknown)
    told = {"tenants": list(found), "organisations": list(found.values())}
    with registry_session(runtime.databases, cell, actor="tenancy") as (session, _now):
        session.execute(_FILL_IN, told)
    return len(found)


_UNKNOWN: Final = text("""
    SELECT id FROM cell.tenant WHERE organisation_id IS NULL AND state NOT IN ('shredded', 'dropped')
    ORDER BY id LIMIT :limit
""")
_FILL_IN: Final = text("""
    UPDATE cell.tenant t SET organisation_id = w.organisation_id
    FROM unnest(CAST(:tenants AS uuid[]), CAST(:organisations AS uuid[])) AS w (tenant_id, organisation_id)
    WHERE t.id = w.tenant_id AND t.organisation_id IS NULL
""")
