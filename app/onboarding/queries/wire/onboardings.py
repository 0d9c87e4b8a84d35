"""The budgeted read: one onboarding without the ORM, its reader's rights asked in the same transaction (DESIGN 16)."""

from __future__ import annotations

from uuid import UUID

from app.access.decisions import can
from app.access.permissions import Permission
from app.access.queries import read_rights
from app.access.require import NotPermitted
from app.kernel.runtime import Runtime
from app.kernel.work import TenantNotActive, Work, open_work, upgraded
from app.onboarding.queries.picture import Picture
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.schemas import OnboardingOut
from app.web.begin import NothingHere
from app.web.translations import mark
from app.web.visit import Visit
from tenants.sessions import tenant_cursor

_READ = (
    "SELECT id, name, state, seq, definition_digest, trace_id, started_at, first_value_at, finished_at"
    " FROM onboarding WHERE id = %s"
)


def read_onboarding(runtime: Runtime, visit: Visit, onboarding_id: UUID, *, trace_id: str) -> OnboardingOut:
    """One onboarding. Raises NothingHere for who has no business in the tenant, NotPermitted, OnboardingMissing."""
    if visit.tenant is None:
        raise NothingHere(mark("The address may be mistyped, or it was never meant for your account."))
    scope = tenant_cursor(runtime.databases, visit.tenant, actor=visit.actor.label)
    with upgraded(), scope as (cursor, entered):
        if entered.state != "active":
            raise TenantNotActive(entered.state)
        rights = read_rights(cursor, visit.tenant, visit.actor, entered.database_now)
        row = cursor.execute(_READ, [onboarding_id]).fetchone()
    if not rights:
        raise NothingHere(mark("The address may be mistyped, or it was never meant for your account."))
    if not can(rights, Permission.ONBOARDING_READ):
        raise NotPermitted(Permission.ONBOARDING_READ, has_role=True)
    if rights.unnoted:  # the customer's trail is told of it before anything is told of the customer
        with open_work(runtime, visit.tenant, visit.actor, trace_id=trace_id) as work:
            noted = work.rights
        if not can(noted, Permission.ONBOARDING_READ):
            raise NotPermitted(Permission.ONBOARDING_READ, has_role=True)
    if row is None:
        raise OnboardingMissing("This onboarding is not here. It may belong to another workspace.")
    return OnboardingOut(*row)


def show_onboarding(work: Work, picture: Picture) -> OnboardingOut:
    """The same of one that is at hand."""
    del work  # a reader's side changes nothing of it
    one = picture.onboarding
    return OnboardingOut(
        *(one.id, one.name, one.state, one.seq, one.definition_digest),
        *(one.trace_id, one.started_at, one.first_value_at, one.finished_at),
    )
