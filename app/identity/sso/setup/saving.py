"""Saves a connection: event and sealed secret in its tenant, then `control` follows. Confirms what customers claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, text, update
from sqlalchemy.dialects.postgresql import insert

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.require import require
from app.access.rights import implied_roles
from app.access.roles import CUSTOMER_ROLES, PARTNER_ROLES, PLATFORM_ROLES
from app.identity.sso.events import ConnectionSaved, DomainConfirmed
from app.identity.sso.models import SsoConnection, SsoDomain
from app.identity.sso.queries import ConnectionView
from app.identity.sso.rules import Settings, may_give
from app.identity.sso.secrets import ClientSecrets, Revealed
from app.kernel.errors import Forbidden, Invalid
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.kernel.work import Work
from app.web.translations import mark
from tenants.sessions import partner_session
from tenants.tenant import Tenant

SYSTEM_ONLY = {
    "publish_connection": "follows the tenant's commit, by its door at once and by its job for certain",
    "publish_confirmation": "follows the home's commit",
    "keep_result": "part of a test, which has asked for the right",
}
ACTIVE, OFF = "active", "off"


class NotYoursToTrust(Forbidden):
    """Whose provider a customer trusts is decided by the customer's own people, not by a partner's delegation."""


class RoleNotYours(Invalid):
    """A connection gives only roles that whoever saves it holds, and never ownership."""


class IssuerFixed(Invalid):
    """A connection keeps its issuer: another provider's names for people are other people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A connection as the form says it. `secret` is None where the stored one stays."""

    name: str
    issuer: str
    client_id: str
    secret: Revealed | None
    domains: tuple[str, ...]
    state: str
    required: bool
    settings: Settings


def save_connection(
    work: Work, secrets: ClientSecrets, wanted: Wanted, before: ConnectionView | None
) -> dict[str, object]:
    """Say in the tenant how this provider is trusted. Returns its id and the id of the entry that says so.

    Raises NotPermitted, NotYoursToTrust, RoleNotYours, IssuerFixed.
    """
    require(work, Permission.DIRECTORY_MANAGE)
    ceiling = _ceiling(work)
    given = [role for _group, role in wanted.settings.group_roles] + [wanted.settings.default_role]
    if foreign := sorted({role for role in given if role and not may_give(role, ceiling)}):
        raise RoleNotYours(_ROLE_NOT_YOURS, errors=[("group_roles", role) for role in foreign])
    if before is not None and (before.issuer != wanted.issuer or before.tenant_id != work.tenant.id):
        raise IssuerFixed(_ISSUER_FIXED)
    connection_id = before.id if before else new_id()
    work.session.execute(_LOCK, {"place": f"sso:{connection_id}"})
    if wanted.secret is not None:
        secrets.keep(work, connection_id, wanted.secret)
    event_id = work.announce(
        ConnectionSaved(
            subject_id=connection_id,
            staff=work.tenant.kind == "home",
            name=wanted.name,
            issuer=wanted.issuer,
            client_id=wanted.client_id,
            has_secret=wanted.secret is not None or (before is not None and before.has_secret),
            state=wanted.state,
            required=wanted.required,
            domains=sorted(wanted.domains),
            settings=msgspec.to_builtins(wanted.settings),
            ceiling=sorted(ceiling),
        )
    )
    return {"id": str(connection_id), "event_id": str(event_id)}


def publish_connection(
    runtime: Runtime, tenant: Tenant, connection_id: UUID, event_id: UUID, said: Mapping[str, Any]
) -> None:
    """Let `control` follow an event of the tenant. Repeatable; an older event changes nothing after a newer one.

    The organisation's own claims of domains count at once: it is its own host. A customer's wait for the partner.
    """
    with partner_session(runtime.databases, tenant.organisation_id, actor="identity.sso") as (session, now):
        names = ("staff", "name", "issuer", "client_id", "has_secret", "state", "required", "settings", "ceiling")
        row = {name: said[name] for name in names} | {"revision": event_id, "changed_at": now}
        own = {"id": connection_id, "organisation_id": tenant.organisation_id, "tenant_id": tenant.id}
        statement = insert(SsoConnection).values(**own, **row)
        newer = SsoConnection.revision <= statement.excluded.revision
        done = session.connection().execute(
            statement.on_conflict_do_update(index_elements=["id"], set_=row, where=newer)
        )
        if not done.rowcount:
            return
        gone = delete(SsoDomain).where(SsoDomain.connection_id == connection_id)
        session.execute(gone.where(SsoDomain.domain.not_in(said["domains"])))
        claimed = {"connection_id": connection_id, "organisation_id": tenant.organisation_id}
        for domain in said["domains"]:
            claim = insert(SsoDomain).values(**claimed, domain=domain, confirmed_at=now if said["staff"] else None)
            session.execute(claim.on_conflict_do_nothing())
        if said["state"] == OFF:
            session.execute(_END_SESSIONS, {"connection": connection_id})


def confirm_domain(work: Work, *, connection_id: UUID, domain: str, tenant_id: UUID) -> dict[str, object]:
    """Say in the partner's home that this domain is the customer's. Raises NotPermitted."""
    require(work, Permission.DIRECTORY_MANAGE)
    work.record(DomainConfirmed(subject_id=connection_id, domain=domain, tenant_id=tenant_id))
    return {"domain": domain}


def publish_confirmation(runtime: Runtime, organisation_id: UUID, connection_id: UUID, domain: str) -> None:
    """Let the claim count from now on. Repeatable."""
    with partner_session(runtime.databases, organisation_id, actor="identity.sso") as (session, now):
        mine = (SsoDomain.connection_id == connection_id, SsoDomain.domain == domain)
        session.execute(update(SsoDomain).where(*mine, SsoDomain.confirmed_at.is_(None)).values(confirmed_at=now))


def keep_result(runtime: Runtime, organisation_id: UUID, connection_id: UUID, result: Mapping[str, Any]) -> None:
    """Remember how a test went, and when."""
    with partner_session(runtime.databases, organisation_id, actor="identity.sso") as (session, now):
        kept = dict(result) | {"at": now.isoformat()}
        session.execute(update(SsoConnection).where(SsoConnection.id == connection_id).values(tested=kept))


def _ceiling(work: Work) -> frozenset[str]:
    """The roles of the tenant's own kind that whoever saves holds. Raises NotYoursToTrust."""
    home = work.tenant.kind == "home"
    own = (PARTNER_ROLES | PLATFORM_ROLES) if home else CUSTOMER_ROLES
    held = frozenset(str(role) for role in implied_roles(work.rights) & own)
    if not can(held, Permission.DIRECTORY_MANAGE):
        raise NotYoursToTrust(_NOT_YOURS)
    return held


_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")
_END_SESSIONS = text("SELECT control.end_sso_sessions(:connection)")
_NOT_YOURS = mark("Which identity provider a customer trusts is for the customer's own administrators to decide.")
_ROLE_NOT_YOURS = mark("You can only let groups have roles that you hold yourself, and never ownership.")
_ISSUER_FIXED = mark("A connection keeps its issuer. Set up another connection for another provider.")
