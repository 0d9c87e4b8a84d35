"""What the tests of a tenant's life do and ask again and again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.access.roles import Role
from app.kernel.actor import Actor
from app.kernel.runtime import Runtime
from app.tenancy.operations.erasure import (
    approve_erasure,
    request_erasure,
)
from app.tenancy.operations.lifecycle import suspend_tenant
from tenants.tenant import Tenant
from tests.factories.installation import Installation, Partner, person


class Killed(Exception):
    """The process died here."""


def staff(partner: Partner, role: str = Role.PARTNER_ADMIN, name: str = "Ann") -> Actor:
    return person(name, organisation_id=partner.id, roles=frozenset({role}))


def states(installation: Installation, tenant: Tenant) -> tuple[str, str]:
    [entry] = installation.control("SELECT state, behind FROM control.tenant WHERE id = %s", tenant.id)
    [cell] = installation.cell("SELECT state FROM cell.tenant WHERE id = %s", tenant.id)
    assert not entry.behind
    return entry.state, cell.state


def told(installation: Installation, tenant: Tenant, about: UUID | None = None) -> list[str]:
    rows = installation.rows(
        tenant,
        "SELECT action FROM {}.trail WHERE subject_id = %s AND action LIKE 'tenancy.%%' ORDER BY id",
        about or tenant.id,
    )
    return [row.action.removeprefix("tenancy.") for row in rows]


def suspend(runtime: Runtime, actor: Actor, tenant: Tenant, reason: str = "unpaid") -> None:
    suspend_tenant(runtime, actor, tenant.id, reason=reason, trace_id="trace")


def ask(runtime: Runtime, actor: Actor, tenant: Tenant) -> Any:
    return request_erasure(runtime, actor, tenant.id, reason="contract ended", trace_id="erase")


def agree(runtime: Runtime, actor: Actor, tenant: Tenant) -> Any:
    return approve_erasure(runtime, actor, tenant.id, reason="agreed", trace_id="erase")
