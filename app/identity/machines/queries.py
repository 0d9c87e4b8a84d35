"""Reads service accounts in their tenant's transaction, and in `control` what is known of their use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from app.access.permissions import Permission
from app.access.require import require
from app.identity.machines.documents import from_document
from app.identity.machines.models import ServiceAccount, ServiceCredential
from app.identity.machines.rules import REMOVED, SERVICE, Account
from app.identity.models import Member
from app.identity.rules import is_token, token_digest
from app.kernel.actor import Actor
from app.kernel.errors import Missing
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.web.hosts import Site
from app.web.translations import mark
from app.web.visit import Visit
from tenants.engines import Databases
from tenants.sessions import lookup_session, partner_session
from tenants.tenant import Tenant

_BEARER = text("SELECT * FROM control.find_bearer(:token, :organisation, :tenant)")


class AccountUnknown(Missing):
    """There is no such service account here."""


@dataclass(frozen=True, slots=True)
class Use:
    """When accounts and credentials were last used, to the minute, by id; what never was is not in it."""

    accounts: dict[UUID, datetime] = field(default_factory=dict)
    credentials: dict[UUID, datetime] = field(default_factory=dict)


def find_bearer(databases: Databases, site: Site, token: str, tenant_id: UUID | None) -> Visit | None:
    """Which service account holds this token on this site and, if asked, the tenant: None in it when it is not theirs.

    The account may do what its roles allow as far as both its scopes and the token's go, all read now. One round trip.
    Raises DatabaseAway.
    """
    if not is_token(token):
        return None
    values = {"token": token_digest(token), "organisation": site.organisation_id, "tenant": tenant_id}
    with lookup_session(databases) as (session, _now):
        row = session.execute(_BEARER, values).one_or_none()
    if row is None:
        return None
    organisation_id = (row.tenant_organisation or site.organisation_id) if row.roles else None
    actor = Actor(
        kind="service",
        id=row.account_id,
        name=row.account_name,
        organisation_id=organisation_id,
        roles=frozenset(row.roles),
        only=frozenset(row.scopes) & frozenset(row.token_scopes),
    )
    tenant = row.tenant_id and Tenant(
        id=row.tenant_id,
        organisation_id=row.tenant_organisation,
        kind=row.kind,
        name=row.tenant_name,
        cell=row.cell_name,
        schema=row.schema_name,
        role=row.role_name,
        gateway=row.gateway,
        state=row.state,
    )
    return Visit(actor=actor, email="", locale="", tenant=tenant)


def list_accounts(work: Work) -> list[Account]:
    """Every account of the tenant that was not removed, by name. Raises NotPermitted."""
    require(work, Permission.TRAIL_READ)
    accounts = select(Member).where(Member.kind == SERVICE, Member.state != REMOVED)
    return [account_of(row) for row in work.session.scalars(accounts.order_by(Member.name, Member.person_id))]


def get_account(work: Work, account_id: UUID) -> Account:
    """One account. Raises NotPermitted, AccountUnknown."""
    require(work, Permission.TRAIL_READ)
    return account_of(get_row(work, account_id))


def get_row(work: Work, account_id: UUID, *, lock: bool = False) -> Member:
    """The member row of an account that was not removed. Raises AccountUnknown."""
    row = work.session.get(Member, account_id, with_for_update=lock)
    if row is None or row.kind != SERVICE or row.state == REMOVED:
        raise AccountUnknown(mark("There is no such service account here."))
    return row


def account_of(row: Member) -> Account:
    """The account that a member row of this kind holds."""
    return from_document(
        row.service or {}, account_id=row.person_id, name=row.name, state=row.state, made_at=row.invited_at
    )


def read_use(runtime: Runtime, actor: Actor, tenant: Tenant, accounts: Iterable[Account]) -> Use:
    """When these accounts of the tenant were last used, as far as `control` has heard."""
    ids = [account.id for account in accounts]
    if not ids:
        return Use()
    used = select(ServiceAccount.id, ServiceAccount.used_at).where(
        ServiceAccount.tenant_id == tenant.id, ServiceAccount.id.in_(ids), ServiceAccount.used_at.is_not(None)
    )
    proved = select(ServiceCredential.id, ServiceCredential.used_at).where(
        ServiceCredential.account_id.in_(ids), ServiceCredential.used_at.is_not(None)
    )
    with partner_session(runtime.databases, tenant.organisation_id, actor=actor.label) as (session, _now):
        return Use(
            accounts={row.id: row.used_at for row in session.execute(used)},
            credentials={row.id: row.used_at for row in session.execute(proved)},
        )
