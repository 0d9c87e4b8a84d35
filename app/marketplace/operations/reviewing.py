"""What the operator's people do in the operator's home: approve or decline what waits, take down what is listed."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from app.access.duties import require_another, require_person
from app.access.permissions import Permission
from app.access.require import require
from app.audit.operations.documents import add_document
from app.kernel.work import Work
from app.marketplace.events import VersionApproved, VersionDeclined, VersionTakenDown
from app.marketplace.queries.offers import Submission
from app.marketplace.rules import OfferMovedOn, State, may_become, require_reason
from app.web.translations import mark

REVIEW: Final = "listing_review"  # of the home's documents: the one decision about each submission
TAKEDOWN: Final = "listing_takedown"
_DECIDED = mark("Somebody else has decided this, or it was withdrawn. Look at how it stands now.")


def approve(work: Work, submission: Submission, *, package: str, note: str) -> None:
    """Let it be listed: exactly the package with this hash, by a person who has not submitted it.

    Of two who decide at once, one does. Raises NotPermitted, PersonNeeded, SecondPersonNeeded, OfferMovedOn.
    """
    _decide(work, submission, State.LISTED, note)
    work.announce(
        VersionApproved(
            subject_id=submission.id,
            listing_id=submission.listing_id,
            template=submission.template_id,
            version=submission.version,
            package=package,
            reason=note.strip() or None,
        )
    )


def decline(work: Work, submission: Submission, *, reason: str) -> None:
    """Do not list it, and say why. Raises as `approve` does, and ReasonMissing."""
    said = require_reason(reason)
    _decide(work, submission, State.DECLINED, said)
    work.announce(
        VersionDeclined(
            subject_id=submission.id,
            listing_id=submission.listing_id,
            template=submission.template_id,
            version=submission.version,
            reason=said,
        )
    )


def take_down(work: Work, submission: Submission, *, reason: str) -> None:
    """Let nobody install it any more; whoever has it keeps it, and is told why. Once, whoever asks again.

    Raises NotPermitted, PersonNeeded, OfferMovedOn, ReasonMissing.
    """
    require(work, Permission.LISTING_REVIEW)
    require_person(work.actor)
    said = require_reason(reason)
    if not may_become(submission.state, State.TAKEN_DOWN):
        raise OfferMovedOn(_DECIDED)
    body = {"by": str(work.actor.id), "name": work.actor.name, "reason": said}
    if not add_document(work, TAKEDOWN, str(submission.id), body):
        return
    work.announce(
        VersionTakenDown(
            subject_id=submission.id,
            listing_id=submission.listing_id,
            template=submission.template_id,
            version=submission.version,
            reason=said,
        )
    )


def _decide(work: Work, submission: Submission, wanted: State, said: str) -> None:
    require(work, Permission.LISTING_REVIEW)
    require_person(work.actor)
    require_another(UUID(str(submission.submitted_by["id"])), work.actor)
    body = {"by": str(work.actor.id), "name": work.actor.name, "to": wanted, "reason": said}
    if not may_become(submission.state, wanted) or not add_document(work, REVIEW, str(submission.id), body):
        raise OfferMovedOn(_DECIDED)
