"""A migration takes two: one asks for it, having seen its plan, another agrees or declines."""

from __future__ import annotations

from app.flow.events import MigrationDeclined, MigrationProposed
from app.flow.state import MigrationProposal
from app.flow.steps.draft import LONGEST_STATEMENT, Draft
from app.flow.steps.work import ReasonNeeded, need_reason
from app.kernel.errors import Conflict


class MigrationNotProposed(Conflict):
    """Nothing is proposed, or something else, or it is one's own."""


class MigrationWaits(Conflict):
    """Another migration waits for somebody's decision."""


class SameVersion(Conflict):
    """The onboarding runs this version already."""


def propose(draft: Draft, event: MigrationProposed) -> None:
    """Somebody asks for it. Raises ReasonNeeded, SameVersion, MigrationWaits."""
    check_reason(event.reason)
    check_other_version(event.definition, draft.before.definition)
    if draft.before.migration is not None:
        raise MigrationWaits("A migration of this onboarding waits for a decision already; decline that one first.")
    draft.whole["migration"] = MigrationProposal(at=draft.now, proposed=event)


def decline(draft: Draft, event: MigrationDeclined) -> None:
    """It is not done. Raises ReasonNeeded, MigrationNotProposed."""
    check_reason(event.reason)
    if draft.before.migration is None:
        raise MigrationNotProposed("No migration of this onboarding waits for a decision.")
    draft.whole["migration"] = None


def check_reason(reason: str) -> None:
    """Raises ReasonNeeded."""
    need_reason(reason)
    if len(reason) > LONGEST_STATEMENT:
        raise ReasonNeeded(f"A reason may have {LONGEST_STATEMENT} characters.")


def check_other_version(wanted: str, pinned: str) -> None:
    """Raises SameVersion."""
    if wanted == pinned:
        raise SameVersion("This onboarding runs that version already.")
