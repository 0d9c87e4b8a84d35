"""What the OpenAPI document says of the doors of running work: answers, examples, and every trouble by its name."""

from __future__ import annotations

from typing import Any

from app.access.permissions import Permission
from app.access.require import NotPermitted
from app.flow.decide import NotStarted, OnboardingEnded, UnknownItem
from app.flow.fields import AnswersRefused
from app.flow.parts.optional import DeclineRefused
from app.flow.parts.repeated import PartNameRefused, PartRefused
from app.flow.steps.course import RollBackRefused
from app.flow.steps.draft import EvidenceMissing, EvidenceRefused, NotOpen
from app.flow.steps.exceptions import ExceptionClosed, ExceptionRefused
from app.flow.steps.gates import GateIncomplete, NotTheReviewer, ReasonMissing, UnknownDecision
from app.flow.steps.holds import OnHold
from app.flow.steps.work import FirstValueNeedsProof, NotYourTask, ReasonNeeded, ResolutionRefused, TaskBuiltUpon
from app.intake.queries import ExceptionMissing
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.kernel.paging import CursorExpired, CursorForeign
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.onboarding.lifecycle.operations import NextExists, NothingToFollow
from app.onboarding.lifecycle.rules import NothingFollows
from app.onboarding.operations.owning import NoRoleHere, OtherSide
from app.onboarding.operations.reporting import OnboardingStale
from app.onboarding.queries.steering.edited import InputRefused
from app.onboarding.queries.stored import OnboardingMissing
from app.onboarding.schemas import (
    Assignment,
    Decline,
    ExceptionEnd,
    ExceptionOut,
    ExceptionPage,
    ExceptionQuery,
    ExceptionWish,
    GateDecision,
    GateOut,
    GonePart,
    ItemList,
    ItemOut,
    ItemQuery,
    JournalPage,
    JournalQuery,
    MilestoneProof,
    NewPart,
    NextOut,
    NextWish,
    OnboardingOut,
    OnboardingPage,
    OnboardingQuery,
    PacketChange,
    PacketOut,
    TaskAnswer,
)
from app.web.begin import NothingHere, NotSignedIn
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    JSON,
    MERGE_PATCH,
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
)

Json = dict[str, Any]
_ID = "01969c3b-7a10-7b52-b1de-0c9a8f7e6d5c"
PERSON = "01969c3b-7a10-7b52-b1de-0c9a8f7e6d00"
AT = "2026-11-21T09:00:00Z"
ONBOARDING: Json = {
    "id": _ID,
    "name": "Acme Ltd",
    "state": "running",
    "seq": 12,
    "definition": "4c9f0f6f1f7d2a3b5c8e9d0a1b2c3d4e5f60718293a4b5c6d7e8f90123456789",
    "trace_id": "3f1c0a5e9b7d4c2e8a6f1b3d5c7e9a0b",
    "started_at": AT,
    "first_value_at": None,
    "finished_at": None,
}
ITEM_SHOWN: Json = {
    "key": "task.confirm_goals",
    "kind": "task",
    "parent": "milestone.kickoff",
    "title": {"en": "Confirm your goals"},
    "side": "customer",
    "role": "customer_owner",
    "assignee": PERSON,
    "owners": ["Maria Lopez"],
    "optional": False,
    "state": "open",
    "late": False,
    "opened_at": AT,
    "due_at": "2026-11-25T16:00:00Z",
    "due_cause": "plan",
    "settled_at": None,
    "settled_by": "",
    "questions": [{"id": "goal", "label": {"en": "Your goal"}, "type": "text", "required": True, "options": []}],
    "wants_evidence": False,
    "answers": {},
    "result": {},
    "evidence": None,
    "decision": None,
    "reason": None,
    "sends": None,
    "signing": None,
}
_DONE = ITEM_SHOWN | {
    "state": "done",
    "settled_at": AT,
    "settled_by": "Maria Lopez",
    "answers": {"goal": "A calm desk"},
}
_PROOF = {"statement": "Minutes, signed by both sides", "link": "https://docs.example.com/1"}
_PROVEN = _DONE | {
    "key": "milestone.kickoff",
    "kind": "milestone",
    "answers": {},
    "evidence": _PROOF | {"given_by": "Maria Lopez", "given_at": AT},
}
_FACT: Json = {
    "field": "business_outcome",
    "label": {"en": "Business outcome"},
    "rule": "hard",
    "value": "Tickets answered within a day",
    "given": True,
    "source": "crm",
    "corrected_by": "",
    "changed_at": AT,
}
_PACKET = {"seq": 12, "facts": [_FACT]}
_GATE: Json = {
    "key": "gate.handoff_quality",
    "title": {"en": "Handoff quality"},
    "state": "open",
    "reviewer": "revops",
    "shows": ["packet"],
    "records": [_FACT],
    "draft": None,
    "checks": [{"id": "complete", "label": {"en": "The packet is complete"}, "passed": True}],
    "decisions": [
        {"id": "accept", "label": {"en": "Accept"}, "effect": "pass", "reason_required": False, "allowed": True}
    ],
    "must_escalate": [
        {"id": "promise", "label": {"en": "A promise of its own"}, "role": "cs_leader", "applies": False}
    ],
    "override_reason": {"en": "Why does it go on although something blocks?"},
    "logged": ["reviewer", "decision", "reason"],
    "may_decide": True,
    "decision": None,
    "reason": None,
    "decided_by": "",
    "decided_at": None,
}
_DECIDED = {"state": "done", "may_decide": False, "decision": "accept", "decided_by": "Dana Weber", "decided_at": AT}
EXCEPTION_SHOWN: Json = {
    "id": _ID,
    "item": "task.confirm_goals",
    "type": "timeline_risk",
    "reason_code": "customer_no_response",
    "state": "open",
    "route": ["csm"],
    "blocks": False,
    "note": "Nobody answers until the fair is over.",
    "opened_at": AT,
    "respond_by": "2026-11-24T16:00:00Z",
    "owner": None,
    "owner_name": "",
    "answered_at": None,
    "answered_by": "",
    "retry_at": None,
    "proposal": None,
    "late": False,
    "resolved_at": None,
    "resolved_by": "",
    "resolution": None,
    "reason": None,
}
_CLOSED = {"state": "resolved", "resolved_at": AT, "resolved_by": "Dana Weber", "resolution": "close"}
_ENTRY = {
    "seq": 7,
    "at": AT,
    "actor_kind": "person",
    "actor_id": PERSON,
    "actor_name": "Maria Lopez",
    "words": "Task completed · Confirm your goals",
    "event": {"event": "task_completed", "task": "task.confirm_goals", "answers": {"goal": "A calm desk"}},
}
_WISH = {name: EXCEPTION_SHOWN[name] for name in ("item", "type", "reason_code", "note", "blocks")}

_TENANT: tuple[type[SlipwayError], ...] = (NotSignedIn, NotPermitted, NothingHere, TenantNotActive, TenantUpgrading)
_ONE = (*_TENANT, OnboardingMissing)
_PAGED = (QueryUnfit, CursorForeign, CursorExpired)
_BODY = (BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_CHANGED = (
    *(*_ONE, NotFromHere, IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused),
    *(PreconditionMissing, PreconditionUnfit, OnboardingStale, OnboardingEnded, NotStarted, UnknownItem, OnHold),
)
_HEADERS = ("ETag", "Idempotency-Replayed")
_READER = (Permission.ONBOARDING_READ,)


def _shown(means: str, shape: type, example: Json, *more: type[SlipwayError], query: type | None = None) -> Described:
    """A read of one onboarding."""
    told = Told(means, shape, headers=("ETag",), example=example)
    return Described({200: told}, query=query, problems=(*_ONE, *more), scopes=_READER)


def _paged(means: str, shape: type, example: Json, query: type, *more: type[SlipwayError]) -> Described:
    """A list, a page at a time."""
    told = Told(means, shape, headers=("ETag", "Link"), example={"items": [example], "next": None})
    return Described({200: told}, query=query, problems=(*_TENANT, *_PAGED, *more), scopes=_READER)


def sent(
    told: Told, takes: type | None, example: Any, scope: Permission, *more: type[SlipwayError], status: int = 200
) -> Described:
    """A command."""
    return Described(
        {status: told},
        takes=takes,
        example=example,
        headers=("Idempotency-Key", "If-Match"),
        problems=(*_CHANGED, *(_BODY if takes else ()), *more),
        scopes=(Permission.ONBOARDING_READ, scope),
    )


def step(means: str, example: Json, shape: type = ItemOut) -> Told:
    """The answer to a command, with the version there is then."""
    return Told(means, shape, headers=_HEADERS, example=example)


LIST = _paged("A page of onboardings.", OnboardingPage, ONBOARDING, OnboardingQuery)
READ = Described(
    {200: Told("The onboarding.", OnboardingOut, headers=("ETag",), example=ONBOARDING)},
    problems=(NotSignedIn, NotPermitted, NothingHere, OnboardingMissing, TenantNotActive),
    scopes=_READER,
)
ITEMS = _shown("The steps.", ItemList, {"seq": 12, "items": [ITEM_SHOWN]}, QueryUnfit, query=ItemQuery)
ITEM = _shown("The step.", ItemOut, ITEM_SHOWN)
GATE = _shown("The gate.", GateOut, _GATE)
PACKET = _shown("The packet.", PacketOut, _PACKET)
EXCEPTIONS = _paged("A page of problems.", ExceptionPage, EXCEPTION_SHOWN, ExceptionQuery, OnboardingMissing)
EXCEPTION = _shown("The problem.", ExceptionOut, EXCEPTION_SHOWN, ExceptionMissing)
_JOURNAL = _paged("A part of the journal.", JournalPage, _ENTRY, JournalQuery, OnboardingMissing)
JOURNAL = Described(
    _JOURNAL.answers, query=JournalQuery, problems=_JOURNAL.problems, scopes=(*_READER, Permission.TRAIL_READ)
)

COMPLETE = sent(
    step("The task, done; or held by a problem, where an approval was refused.", _DONE),
    TaskAnswer,
    {"answers": {"goal": "A calm desk"}},
    Permission.TASK_COMPLETE,
    *(NotOpen, NotYourTask, AnswersRefused, EvidenceMissing, EvidenceRefused),
)
PROVE = sent(
    step("The milestone, proven.", _PROVEN),
    MilestoneProof,
    {"evidence": _PROOF},
    Permission.TASK_COMPLETE,
    *(NotOpen, EvidenceMissing, EvidenceRefused),
)
DECIDE = sent(
    step("The gate, as it stands then.", _GATE | _DECIDED, GateOut),
    GateDecision,
    {"decision": "accept"},
    Permission.GATE_DECIDE,
    *(NotOpen, UnknownDecision, NotTheReviewer, ReasonMissing, GateIncomplete),
)
ASSIGN = sent(
    step("The step with its owner.", ITEM_SHOWN),
    Assignment,
    {"person": PERSON, "reason": "Lena is away"},
    Permission.TASK_COMPLETE,
    *(NotOpen, OtherSide, NoRoleHere),
)
CLAIM = sent(
    step("The step, yours.", ITEM_SHOWN), None, None, Permission.TASK_COMPLETE, *(NotOpen, OtherSide, NoRoleHere)
)
DECLINE = sent(
    step("The step, not needed.", ITEM_SHOWN | {"optional": True, "state": "not_needed", "reason": "They have one"}),
    Decline,
    {"reason": "They have one"},
    Permission.TASK_COMPLETE,
    *(NotOpen, NotYourTask, DeclineRefused, ReasonNeeded),
)
_GROUP = ITEM_SHOWN | {"key": "task.survey", "kind": "group", "title": {"en": "Survey of the site"}, "questions": []}
ADD_PART = sent(
    step("The group.", _GROUP),
    NewPart,
    {"name": "Hamburg"},
    Permission.ONBOARDING_WRITE,
    *(NotOpen, PartRefused, PartNameRefused, TaskBuiltUpon),
)
REMOVE_PART = sent(
    step("The group.", _GROUP), GonePart, {"reason": "They closed it"}, Permission.ONBOARDING_WRITE, PartRefused
)
NEXT = sent(
    step("What follows.", {"id": PERSON, "lifecycle": "renewal", "predecessor": _ID}, NextOut),
    NextWish,
    {"lifecycle": "renewal", "reason": "The term ends in spring"},
    Permission.ONBOARDING_WRITE,
    *(NothingFollows, NextExists, NothingToFollow, ReasonNeeded),
)
_PACKET_CHANGE = sent(
    step("The packet, as it is then.", _PACKET, PacketOut),
    PacketChange,
    {"facts": {"business_outcome": "Tickets answered within a day"}},
    Permission.PACKET_EDIT,
    AnswersRefused,
)
CHANGE_PACKET = Described(
    _PACKET_CHANGE.answers,
    takes=PacketChange,
    media=(MERGE_PATCH, JSON),
    example=_PACKET_CHANGE.example,
    headers=_PACKET_CHANGE.headers,
    problems=_PACKET_CHANGE.problems,
    scopes=_PACKET_CHANGE.scopes,
)
_RAISED = Told("The problem.", ExceptionOut, headers=("Location", *_HEADERS), example=EXCEPTION_SHOWN)
RAISE = sent(_RAISED, ExceptionWish, _WISH, Permission.TASK_COMPLETE, ExceptionRefused, ExceptionClosed, status=201)
RESOLVE = sent(
    step("The problem, resolved.", EXCEPTION_SHOWN | _CLOSED | {"reason": "They have answered"}, ExceptionOut),
    ExceptionEnd,
    {"resolution": "close", "reason": "They have answered"},
    Permission.EXCEPTION_RESOLVE,
    *(InputRefused, ExceptionMissing, ExceptionClosed, ResolutionRefused, ReasonNeeded, FirstValueNeedsProof),
    *(NotOpen, AnswersRefused, EvidenceMissing, EvidenceRefused, OnHold, RollBackRefused),
)
