"""What people and systems do to a running onboarding, and how one begins."""

from app.onboarding.operations.admitted import start_from_admission
from app.onboarding.operations.card import refresh_all_cards, refresh_card
from app.onboarding.operations.clocks.due import send_waiting
from app.onboarding.operations.course import (
    cancel_onboarding,
    hold_onboarding,
    resume_onboarding,
    roll_back,
    skip_item,
)
from app.onboarding.operations.made_up import fill_sandbox, leave_empty
from app.onboarding.operations.moments import meet_moments
from app.onboarding.operations.owning import assign_item, claim_item
from app.onboarding.operations.reporting import expect_version, raise_exception
from app.onboarding.operations.running import (
    StartRequest,
    change_packet,
    complete_task,
    decide_gate,
    prove_milestone,
    record_run,
    start_onboarding,
)
from app.onboarding.operations.trouble import (
    answer_exception,
    decide_proposal,
    resolve_exception,
    route_exception,
    schedule_retry,
)

__all__ = [
    "StartRequest",
    "answer_exception",
    "assign_item",
    "cancel_onboarding",
    "change_packet",
    "claim_item",
    "complete_task",
    "decide_gate",
    "decide_proposal",
    "expect_version",
    "fill_sandbox",
    "hold_onboarding",
    "leave_empty",
    "meet_moments",
    "prove_milestone",
    "raise_exception",
    "record_run",
    "refresh_all_cards",
    "refresh_card",
    "resolve_exception",
    "resume_onboarding",
    "roll_back",
    "route_exception",
    "schedule_retry",
    "send_waiting",
    "skip_item",
    "start_from_admission",
    "start_onboarding",
]
