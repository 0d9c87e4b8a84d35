"""A journal entry in a sentence, in the reader's language; the data beside it says the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.onboarding.queries.picture import Picture
from app.web.translations import mark

WORDS = {
    "started": mark("The onboarding began"),
    "packet_changed": mark("Facts of the packet were given or corrected"),
    "owner_assigned": mark("Owner changed"),
    "task_completed": mark("Task completed"),
    "task_reopened": mark("Task opened again"),
    "credentials_given": mark("Credentials handed over again"),
    "task_signed": mark("Signed"),
    "gate_decided": mark("Gate decided"),
    "milestone_proven": mark("Milestone proven"),
    "action_succeeded": mark("The call to another system succeeded"),
    "action_failed": mark("The call to another system failed"),
    "action_unknown": mark("The outcome of a call to another system is unknown"),
    "reminder_due": mark("Reminder sent"),
    "timer_fired": mark("Deadline passed, escalated"),
    "exception_raised": mark("Exception raised"),
    "exception_resolved": mark("Exception resolved"),
    "exception_answered": mark("First response"),
    "exception_reassigned": mark("Exception given to another role"),
    "resolution_proposed": mark("Resolution proposed"),
    "resolution_decided": mark("Proposal decided"),
    "retry_scheduled": mark("Retry scheduled"),
    "retry_due": mark("Tried again at the chosen time"),
    "exception_aged": mark("Nobody responded, told further up"),
    "item_skipped": mark("Left out"),
    "item_declined": mark("Not needed"),
    "part_added": mark("One more was added"),
    "part_removed": mark("One of several was taken away"),
    "rolled_back": mark("Rolled back"),
    "held": mark("Put on hold"),
    "resumed": mark("Resumed"),
    "due_date_set": mark("Date chosen"),
    "go_live_set": mark("Day of going live chosen"),
    "calendar_changed": mark("Working times changed"),
    "migration_proposed": mark("Another version of the template proposed"),
    "migration_declined": mark("Another version of the template declined"),
    "migrated": mark("Goes on with another version of the template"),
    "cancelled": mark("The onboarding was stopped"),
}
_ITEMS = ("item", "task", "gate", "milestone", "stage")


def words_of(picture: Picture, event: dict[str, Any], say: Callable[[str], str]) -> str:
    """What happened, to which step, who is named in it, and why."""
    kind = str(event.get("event", ""))
    said = [say(WORDS[kind]) if kind in WORDS else kind.replace("_", " ")]
    items = picture.definition.items
    key = next((str(event[name]) for name in _ITEMS if event.get(name) in items), "")
    key = key or _of_exception(picture, event)
    if key in items:
        said.append(picture.read(items[key].title))
    review = items[key].review if key in items else None
    buttons = {button.id: picture.read(button.label) for button in review.decisions} if review else {}
    said += [buttons[each] for each in [event.get("decision")] if each in buttons]
    said += [picture.name_of(f"person:{event['person']}")] if event.get("person") else []
    said += [str(event["version"])] if event.get("version") else []
    said += [str(event["reason"])] if event.get("reason") else []
    return " · ".join(part for part in said if part)


def _of_exception(picture: Picture, event: dict[str, Any]) -> str:
    found = picture.state.exceptions.get(str(event.get("exception")))
    return found.item if found else ""
