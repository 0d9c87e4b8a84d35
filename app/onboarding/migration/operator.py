"""What an operator does about versions from a shell: look at many, and propose. Agreeing stays with the partner."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from sqlalchemy import select

from app.flow.events import By, MigrationMap
from app.flow.migration.asking import SameVersion
from app.flow.migration.migrate import MigrationRefused
from app.flow.migration.plan import MigrationPlan
from app.kernel.errors import SlipwayError
from app.kernel.work import Work
from app.onboarding.migration.operations import look, propose
from app.onboarding.migration.versions import Target, definition_for
from app.onboarding.models import Onboarding
from app.onboarding.operations.advance import lock_onboarding
from app.onboarding.queries.stored import definition_of, state_of

SYSTEM_ONLY = {
    "list_running": "an operator's command: whoever holds the installation's databases",
    "propose_as_operator": "an operator's command: whoever holds the installation's databases",
}


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one: a word that is counted, and why. `plan` where it could be looked at."""

    word: str  # proposed | migrated (in a sandbox) | could be proposed | runs it already | waits already | refused
    why: str = ""
    plan: MigrationPlan | None = None


def list_running(work: Work, *, template: str, version: str) -> list[UUID]:
    """The running onboardings of the tenant that run this version of a template, oldest first."""
    query = select(Onboarding.id, Onboarding.definition_digest).where(Onboarding.finished_at.is_(None))
    found = work.session.execute(query.order_by(Onboarding.id)).all()
    known = {row.definition_digest: definition_of(work, row.definition_digest) for row in found}
    runs = {digest for digest, each in known.items() if (each.id, each.version) == (template, version)}
    return [row.id for row in found if row.definition_digest in runs]


def propose_as_operator(
    work: Work, *, onboarding_id: UUID, target: Target, wanted: MigrationMap, reason: str | None
) -> Outcome:
    """Propose it, or without a reason only look. What stands in the way is the outcome. Raises OnboardingMissing."""
    onboarding = lock_onboarding(work, onboarding_id)
    try:
        plan = look(work, onboarding, definition_for(work, onboarding, target), wanted).plan
        if plan.problems:
            return Outcome(word="refused", why=MigrationRefused(plan.problems).message, plan=plan)
        return Outcome(word=_go_on(work, onboarding, target, plan, reason), plan=plan)
    except SameVersion:
        return Outcome(word="runs it already")
    except SlipwayError as error:
        return Outcome(word="refused", why=error.message)


def _go_on(work: Work, onboarding: Onboarding, target: Target, plan: MigrationPlan, reason: str | None) -> str:
    if state_of(onboarding).migration is not None:
        return "waits already"
    if reason is None:
        return "could be proposed"
    propose(work, onboarding, target, plan, by=By(actor=work.actor.label), reason=reason)
    return "migrated" if work.tenant.kind == "sandbox" else "proposed"
