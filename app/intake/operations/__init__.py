"""What is done with what comes in: messages, deals, exceptions, packets, workflows."""

from app.intake.operations.deals import (
    HookMessage,
    check_again,
    mark_started,
    receive_messages,
    record_failed_reading,
    record_failed_start,
    record_reading,
    starting_stages,
)

__all__ = [
    "HookMessage",
    "check_again",
    "mark_started",
    "receive_messages",
    "record_failed_reading",
    "record_failed_start",
    "record_reading",
    "starting_stages",
]
