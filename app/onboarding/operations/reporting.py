"""A person reports a problem; and whoever changes something says from which version they did."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.access.permissions import Permission
from app.access.require import require
from app.flow import events as flow
from app.intake.queries import find_exception
from app.kernel.errors import Conflict
from app.kernel.work import Work
from app.onboarding.operations.advance import advance, lock_onboarding
from app.onboarding.people import acting
from app.onboarding.queries.stored import state_of


class OnboardingStale(Conflict):
    """The onboarding has changed since you read it; `etag` is its version now."""

    status = 412

    def __init__(self, seq: int) -> None:
        super().__init__("This onboarding has changed since you read it. Read it again, then send your change anew.")
        self.extensions = {"etag": f'"{seq}"'}


@dataclass(frozen=True, slots=True)
class Report:
    """A typed problem on an item."""

    item: str
    type: str
    reason_code: str
    note: str
    blocks: bool = False


def raise_exception(work: Work, *, onboarding_id: UUID, report: Report) -> UUID:
    """Open an exception on an item, routed as its type says. Returns its id.

    Whoever may do steps may say what keeps them from it. Raises NotPermitted, OnboardingMissing, and what the engine
    refuses (unknown type or reason, a settled item).
    """
    require(work, Permission.TASK_COMPLETE)
    onboarding = lock_onboarding(work, onboarding_id)
    event = flow.ExceptionRaised(
        by=acting(work, onboarding),
        item=report.item,
        type=report.type,
        reason_code=report.reason_code,
        note=report.note,
        blocks=report.blocks,
    )
    before = state_of(onboarding).exceptions
    after = advance(work, onboarding, event).state.exceptions
    work.session.flush()
    key = next(key for key, each in after.items() if key not in before and each.note == report.note)
    record = find_exception(work, onboarding.id, key)
    if record is None:
        raise LookupError(f"{key} was opened and has no row")
    return record.id


def expect_version(work: Work, *, onboarding_id: UUID, versions: frozenset[str]) -> None:
    """Lock the onboarding and go on only from one of these versions; `*` stands for any.

    Raises NotPermitted, OnboardingMissing, OnboardingStale.
    """
    require(work, Permission.ONBOARDING_READ)
    onboarding = lock_onboarding(work, onboarding_id)
    if "*" not in versions and f'"{onboarding.seq}"' not in versions:
        raise OnboardingStale(onboarding.seq)
