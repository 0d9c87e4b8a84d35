"""Signing a text, and declining to: the engine judges, the text itself is kept by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import add_document
from app.flow import events as flow
from app.flow.commands import Decision
from app.flow.steps.draft import NotOpen
from app.kernel.work import Work
from app.onboarding.operations import complete_task
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.stored import OnboardingMissing, plan_of
from app.onboarding.signing.queries import KEPT
from app.onboarding.signing.rules import CONFIRM, NotConfirmed, require_person, who_has_to


@dataclass(frozen=True, slots=True)
class Signed:
    """What somebody says who signs: their name, the language and digest of what they read, and that they mean it."""

    name: str
    locale: str
    digest: str
    confirmed: bool


def sign_text(work: Work, *, onboarding_id: UUID, task: str, signed: Signed) -> Decision:
    """Sign the text of a step. Exactly that text is kept, whatever becomes of the template.

    Raises NotPermitted, OnlyAPerson, OnboardingMissing, NotConfirmed, and what the engine refuses.
    """
    require(work, Permission.TASK_COMPLETE)
    require_person(work)
    onboarding = lock_onboarding(work, onboarding_id)
    item = plan_of(work, onboarding).items.get(task)
    if item is None:
        raise OnboardingMissing("There is no such step in this onboarding.")
    if item.signing is None:
        raise NotOpen("This is not a step in which something is signed.")
    if not signed.confirmed:
        raise NotConfirmed(CONFIRM, errors=[("/confirmed", CONFIRM)])
    event = flow.TaskSigned(
        by=acting(work, onboarding),
        task=task,
        name=signed.name,
        locale=signed.locale,
        digest=signed.digest,
        waits_for=who_has_to(work, onboarding, item, item.signing),
    )
    decision = advance(work, onboarding, event)
    add_document(work, KEPT, signed.digest, {"text": item.signing.text[signed.locale], "locale": signed.locale})
    return decision


def decline_to_sign(work: Work, *, onboarding_id: UUID, task: str, reason: str) -> Decision:
    """Say that one does not sign, and why; what follows is what follows a refused approval. Raises as `sign_text`."""
    require(work, Permission.TASK_COMPLETE)
    answers = {"signed": False, "comment": reason}
    return complete_task(work, onboarding_id=onboarding_id, task=task, answers=answers)
