"""What the OpenAPI document says of the doors that change the course of an onboarding, or act on a problem."""

from __future__ import annotations

from app.access.duties import PersonNeeded, SecondPersonNeeded
from app.access.permissions import Permission
from app.flow.steps.course import RollBackRefused, SkipRefused
from app.flow.steps.draft import NotOpen
from app.flow.steps.exceptions import ExceptionClosed, ExceptionRefused
from app.flow.steps.holds import HoldRefused, NotHeld
from app.flow.steps.resolving import ProposalRefused
from app.flow.steps.work import FirstValueNeedsProof, ReasonNeeded, ResolutionRefused
from app.intake.queries import ExceptionMissing
from app.onboarding.api.described import AT, EXCEPTION_SHOWN, ITEM_SHOWN, ONBOARDING, PERSON, Json, sent, step
from app.onboarding.operations.owning import NoRoleHere
from app.onboarding.schemas import ExceptionOut, OnboardingOut
from app.onboarding.wishes import AgreementWish, AnswerWish, HoldWish, Reason, RetryWish, RollBackWish, RouteWish, Said
from app.web.wire.openapi import Told

_WRITE, _RESOLVE = Permission.ONBOARDING_WRITE, Permission.EXCEPTION_RESOLVE
_WHY = {"reason": "Their administrator is away"}
_ANSWERED = {"answered_at": AT, "answered_by": "Dana Weber"}


def _whole(means: str, **now: str) -> Told:
    return step(means, ONBOARDING | now, OnboardingOut)


def _problem(means: str, now: Json) -> Told:
    return step(means, EXCEPTION_SHOWN | _ANSWERED | now, ExceptionOut)


HOLD = sent(
    _whole("The onboarding, held.", state="held"),
    HoldWish,
    {"reason_code": "waiting_customer_admin", **_WHY},
    _WRITE,
    HoldRefused,
)
RESUME = sent(_whole("The onboarding, running."), Said, {"reason": "She is back"}, _WRITE, NotHeld)
SKIP = sent(
    step("The step, left out.", ITEM_SHOWN | {"state": "skipped", "settled_at": AT, "settled_by": "Dana Weber"}),
    Reason,
    {"reason": "They have it already"},
    _WRITE,
    *(NotOpen, SkipRefused, FirstValueNeedsProof, ReasonNeeded),
)
ROLL_BACK = sent(
    _whole("The onboarding, at that stage again."),
    RollBackWish,
    {"stage": "stage.preparation", "reason": "Sold again with other numbers"},
    _WRITE,
    *(RollBackRefused, ReasonNeeded),
)
CANCEL = sent(
    _whole("The onboarding, stopped.", state="cancelled", finished_at=AT),
    Reason,
    {"reason": "They have withdrawn"},
    _WRITE,
    ReasonNeeded,
)
ANSWER = sent(
    _problem("The problem, answered.", {}),
    AnswerWish,
    {"note": "I ask their vendor today"},
    _RESOLVE,
    *(ExceptionMissing, ExceptionClosed, ReasonNeeded),
)
ROUTE = sent(
    _problem("The problem with its owner.", {"owner": PERSON, "owner_name": "Lena Vogt"}),
    RouteWish,
    {"person": PERSON, "reason": "She knows the vendor"},
    _RESOLVE,
    *(ExceptionMissing, ExceptionClosed, ExceptionRefused, NoRoleHere, ReasonNeeded),
)
RETRY = sent(
    _problem("The problem, to be tried again.", {"blocks": True, "retry_at": "2031-01-06T09:00:00Z"}),
    RetryWish,
    {"at": "2031-01-06T09:00:00Z", "reason": "They mend it on the weekend"},
    _RESOLVE,
    *(ExceptionMissing, ExceptionClosed, ResolutionRefused, ReasonNeeded),
)
AGREE = sent(
    _problem("The problem as it stands then.", {"state": "resolved", "resolved_at": AT, "resolution": "skip"}),
    AgreementWish,
    {"agreed": True, "proposal": "5f2c"},
    _RESOLVE,
    *(ExceptionMissing, ExceptionClosed, ProposalRefused, SecondPersonNeeded, PersonNeeded, ReasonNeeded),
    *(ResolutionRefused, FirstValueNeedsProof, RollBackRefused, NotOpen),
)
