"""What is done with what comes in: messages, deals, exceptions, packets, workflows."""

from app.intake.operations.deals import (
    HookMessage,
    MadeUpDeal,
    check_again,
    mark_started,
    receive_messages,
    record_failed_reading,
    record_failed_start,
    record_reading,
    starting_stages,
    take_made_up_deal,
)

__all__ = [
    "HookMessage",
    "MadeUpDeal",
    "check_again",
    "mark_started",
    "receive_messages",
    "record_failed_reading",
    "record_failed_start",
    "record_reading",
    "starting_stages",
    "take_made_up_deal",
]
