"""Lets `control` follow a tenant's service account: idempotent by id and version, told again until it has heard."""

from __future__ import annotations

from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.identity.machines.models import ServiceAccount, ServiceCredential
from app.identity.machines.queries import account_of
from app.identity.machines.rules import SERVICE, Account, Credential
from app.identity.models import Member
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.kernel.work import open_work
from tenants.sessions import DatabaseAway, partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "follow": "follows the tenant's commit; the member row decides",
    "follow_soon": "follows the tenant's commit; the member row decides",
}
_log = structlog.get_logger()


def follow_soon(runtime: Runtime, tenant: Tenant, actor: Actor, account_id: UUID, *, trace_id: str) -> None:
    """Tell `control` right after the tenant's commit. Where that fails now, the job that was asked for with it does."""
    try:
        follow(runtime, tenant, actor, account_id, trace_id=trace_id)
    except DatabaseAway as error:
        _log.warning("identity.account_not_followed", account_id=str(account_id), reason=str(error))


def follow(runtime: Runtime, tenant: Tenant, actor: Actor, account_id: UUID, *, trace_id: str) -> None:
    """Copy the account into `control` as its tenant has it now; an older copy never replaces a newer one. Repeatable.

    Raises DatabaseAway, TenantNotActive.
    """
    with open_work(runtime, tenant, actor, trace_id=trace_id) as work:
        row = work.session.get(Member, account_id)
        account = account_of(row) if row is not None and row.kind == SERVICE else None
    if account is not None:
        with partner_session(runtime.databases, tenant.organisation_id, actor=actor.label) as (session, now):
            values = _row(account, tenant) | {"changed_at": now}
            _copy(session, account, tenant, values)


def _row(account: Account, tenant: Tenant) -> dict[str, object]:
    return {
        "id": account.id,
        "organisation_id": tenant.organisation_id,
        "tenant_id": tenant.id,
        "name": account.name,
        "roles": list(account.roles),
        "scopes": list(account.scopes),
        "state": account.state,
        "version": account.version,
    }


def _copy(session: Session, account: Account, tenant: Tenant, values: dict[str, object]) -> None:
    wanted = insert(ServiceAccount).values(**values)
    newer = (ServiceAccount.version < wanted.excluded.version) & (ServiceAccount.tenant_id == tenant.id)
    changed = {name: value for name, value in values.items() if name not in {"id", "organisation_id", "tenant_id"}}
    session.execute(wanted.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer))
    held = select(ServiceAccount.version).where(ServiceAccount.id == account.id, ServiceAccount.tenant_id == tenant.id)
    if session.scalar(held.with_for_update()) != account.version:
        return  # somebody has told of a newer version meanwhile
    for credential in account.credentials:
        row = _credential_row(account, credential, tenant)
        known = insert(ServiceCredential).values(**row)
        session.execute(
            known.on_conflict_do_update(
                index_elements=["id"],
                set_={"ended_at": credential.ended_at},
                where=ServiceCredential.account_id == account.id,
            )
        )
    _end_others(session, account, values["changed_at"])


def _credential_row(account: Account, credential: Credential, tenant: Tenant) -> dict[str, object]:
    return {
        "id": credential.id,
        "account_id": account.id,
        "organisation_id": tenant.organisation_id,
        "kind": credential.kind,
        "digest": bytes.fromhex(credential.digest) if credential.digest else None,
        "jwk": credential.jwk,
        "made_at": credential.made_at,
        "expires_at": credential.expires_at,
        "ended_at": credential.ended_at,
    }


def _end_others(session: Session, account: Account, now: object) -> None:
    """What the tenant's row does not name any more was ended long ago."""
    others = ServiceCredential.id.not_in([each.id for each in account.credentials])
    open_ones = (ServiceCredential.account_id == account.id, ServiceCredential.ended_at.is_(None), others)
    session.execute(update(ServiceCredential).where(*open_ones).values(ended_at=now))
