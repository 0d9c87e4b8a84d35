"""What whoever makes a tenant is told once two people have agreed to erase it before it was there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.kernel.errors import Conflict, SlipwayError
from app.kernel.runtime import Runtime
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.sessions import partner_session

SYSTEM_ONLY = {
    "ended_by_erasure": "wraps the making of a tenant, which has asked for its own right",
    "is_leaving": "asked by the making of a tenant, which has asked for its own right",
}
LEAVING = frozenset({"exporting", "shredded", "dropped"})  # for one without a place: it never comes


class TenantLeaves(Conflict):
    """Two people have agreed to erase the tenant while it was made or imported."""


@contextmanager
def ended_by_erasure(runtime: Runtime, organisation_id: UUID, tenant_id: UUID) -> Iterator[None]:
    """Whatever the making meets once its tenant is being erased has one name. Raises TenantLeaves."""
    try:
        yield
    except (SlipwayError, psycopg.Error, DBAPIError) as trouble:
        if is_leaving(runtime, organisation_id, tenant_id):
            raise TenantLeaves(GONE) from trouble
        raise


def is_leaving(runtime: Runtime, organisation_id: UUID, tenant_id: UUID) -> bool:
    """Whether it is erased, or being erased, and never got a place in the directory."""
    never = (TenantEntry.schema_name.is_(None), TenantEntry.state.in_(LEAVING))
    with partner_session(runtime.databases, organisation_id, actor="tenancy") as (session, _now):
        return session.scalar(select(TenantEntry.id).where(TenantEntry.id == tenant_id, *never)) is not None


GONE = mark("Two people have agreed to erase this workspace before it was ready. Nothing of it is kept.")
