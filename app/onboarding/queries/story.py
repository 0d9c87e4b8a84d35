"""Trail entries as people read them, and the trace from deal closed to first value (REQUIREMENTS 1.11)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.flow.clocks.value import times_to_value
from app.kernel.trail import TrailLine, list_of_onboarding
from app.kernel.work import Work
from app.onboarding.queries.picture import Picture
from app.web.translations import mark


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One of the eleven events of a trace: what it is called, and which trail entries are it."""

    name: str
    actions: tuple[str, ...]
    icon: str


# REQUIREMENTS 1.11, in its order. "AI suggested" appears once something suggests.
TRACE = (
    TraceEvent(mark("Trigger received"), ("intake.trigger.received", "tenancy.tenant.created"), "bell"),
    TraceEvent(mark("Handoff validated"), ("onboarding.handoff.validated",), "list-check"),
    TraceEvent(mark("Project created"), ("onboarding.started",), "route"),
    TraceEvent(mark("Person decided"), ("onboarding.gate.decided",), "gavel"),
    TraceEvent(mark("Provisioning requested"), ("onboarding.provisioning.requested",), "command"),
    TraceEvent(mark("Customer task opened"), ("onboarding.customer_task.opened",), "user"),
    TraceEvent(mark("System wrote back"), ("onboarding.system.wrote_back",), "plug"),
    TraceEvent(mark("Milestone completed"), ("onboarding.milestone.completed",), "flag"),
    TraceEvent(mark("First value reached"), ("onboarding.first_value.reached",), "circle-check"),
)
_BY_ACTION = {action: event for event in TRACE for action in event.actions}
_WORDS = {
    "onboarding.packet.corrected": (mark("Packet corrected"), "info", "file-text"),
    "onboarding.task.completed": (mark("Task completed"), "good", "check"),
    "onboarding.file.handed_over": (mark("File handed over"), "info", "file-text"),
    "onboarding.file.opened": (mark("File read"), "idle", "file-text"),
    "onboarding.file.taken_back": (mark("File taken back"), "idle", "ban"),
    "onboarding.credentials.given": (mark("Credentials handed over"), "good", "key"),
    "onboarding.text.signed": (mark("Signed"), "good", "pencil"),
    "onboarding.text.declined": (mark("Declined to sign"), "bad", "ban"),
    "onboarding.sla.breached": (mark("Deadline passed, escalated"), "bad", "clock"),
    "onboarding.communication.sent": (mark("Message sent"), "info", "mail"),
    "onboarding.communication.kept_back": (mark("Message kept back by its policy"), "idle", "ban"),
    "onboarding.comment.written": (mark("Comment written"), "info", "message"),
    "onboarding.comment.edited": (mark("Comment edited"), "idle", "message"),
    "onboarding.comment.withdrawn": (mark("Comment withdrawn"), "idle", "message"),
    "onboarding.note.changed": (mark("Internal comment"), "idle", "lock"),
    "onboarding.owner.reminded": (mark("Reminder sent"), "info", "mail"),
    "onboarding.item.assigned": (mark("Owner changed"), "info", "user"),
    "onboarding.jobs.retried": (mark("Failed work is done again"), "info", "clock"),
    "onboarding.item.skipped": (mark("Left out"), "warn", "ban"),
    "onboarding.item.declined": (mark("Not needed"), "idle", "ban"),
    "onboarding.part.added": (mark("One more was added"), "info", "list-check"),
    "onboarding.part.removed": (mark("One of several was taken away"), "idle", "ban"),
    "onboarding.next.asked": (mark("What follows was asked for"), "info", "arrow-right"),
    "onboarding.next.not_started": (mark("What follows could not begin"), "bad", "alert-triangle"),
    "onboarding.next.started": (mark("What follows has begun"), "good", "arrow-right"),
    "onboarding.rolled_back": (mark("Rolled back"), "warn", "history"),
    "onboarding.exception.aged": (mark("Nobody responded, told further up"), "bad", "clock"),
    "onboarding.exception.answered": (mark("First response"), "info", "message"),
    "onboarding.exception.decided": (mark("Proposal decided"), "info", "gavel"),
    "onboarding.exception.input_changed": (mark("Tried again with other values"), "warn", "pencil"),
    "onboarding.exception.proposed": (mark("Resolution proposed"), "info", "users"),
    "onboarding.exception.reassigned": (mark("Exception given to another role"), "info", "users"),
    "onboarding.exception.retry_set": (mark("Retry scheduled"), "info", "clock"),
    "onboarding.held": (mark("Put on hold"), "warn", "clock-pause"),
    "onboarding.resumed": (mark("Resumed"), "good", "arrow-right"),
    "onboarding.migration.proposed": (mark("Another version of the template proposed"), "info", "users"),
    "onboarding.migration.declined": (mark("Another version of the template declined"), "info", "gavel"),
    "onboarding.migrated": (mark("Goes on with another version of the template"), "info", "route"),
    "onboarding.reminded": (mark("Reminder sent"), "info", "bell"),
    "onboarding.clock.paused": (mark("Deadline paused"), "idle", "clock-pause"),
    "onboarding.clock.continued": (mark("Deadline runs on"), "info", "clock"),
    "onboarding.date.chosen": (mark("Date chosen"), "info", "calendar"),
    "onboarding.go_live.chosen": (mark("Day of going live chosen"), "info", "calendar"),
    "onboarding.calendar.changed": (mark("Working times changed"), "info", "calendar"),
    "onboarding.ended": (mark("Onboarding ended"), "idle", "flag"),
    "connectors.run.ended": (mark("Call to another system ended"), "idle", "plug"),
    "intake.exception.opened": (mark("Exception opened"), "bad", "alert-triangle"),
    "intake.exception.resolved": (mark("Exception resolved"), "good", "circle-check"),
}
_OUTCOMES = {
    "succeeded": mark("Succeeded"),
    "failed": mark("Failed"),
    "unknown": mark("Outcome unknown"),
    "finished": mark("Finished"),
    "cancelled": mark("Cancelled"),
}
_MISSING = mark("Missing")
_TOLD = mark("to %(names)s")
_TONES = {"onboarding.first_value.reached": "good", "onboarding.milestone.completed": "good"}


def story_line(entry: TrailLine, picture: Picture) -> dict[str, Any]:
    """One trail entry as a line of a timeline."""
    event = _BY_ACTION.get(entry.action)
    word, tone, icon = _WORDS.get(entry.action, (entry.action, "idle", "point"))
    if event is not None:
        word, tone, icon = event.name, _TONES.get(entry.action, "info"), event.icon
    return {
        "what": picture.say(word),
        "at": entry.at,
        "by": entry.actor_name if entry.actor_kind == "person" else "",
        "facts": facts_line(entry.body, picture) + (f" — {entry.reason}" if entry.reason else ""),
        "tone": tone,
        "icon": icon,
    }


def facts_line(body: dict[str, Any], picture: Picture) -> str:
    """The facts of an entry in few words, in the reader's language: about what, with what outcome, missing what."""
    definition, words = picture.definition, list[str]()
    timer = definition.timers.get(str(body.get("timer")))
    keys = [str(body.get(name)) for name in ("task", "milestone", "gate", "item")] + ([timer.item] if timer else [])
    words += [picture.read(definition.items[key].title) for key in dict.fromkeys(keys) if key in definition.items]
    gate = definition.items.get(str(body.get("gate")))
    buttons = {button.id: button.label for button in gate.review.decisions} if gate and gate.review else {}
    if body.get("decision") in buttons:
        words.append(picture.read(buttons[body["decision"]]))
    told = [*(body.get("roles") or ()), body["role"]] if body.get("role") else body.get("roles") or ()
    if names := [picture.read(definition.roles[role].label) for role in told if role in definition.roles]:
        words.append(picture.say(_TOLD) % {"names": ", ".join(names)})
    if (route := definition.exceptions.get(str(body.get("exception")))) is not None:
        words.append(picture.read(route.label))
    words += [str(name).replace("_", " ") for name in body.get("fields") or () if isinstance(body["fields"], list)]
    if body.get("outcome"):
        words.append(picture.say(_OUTCOMES.get(body["outcome"], body["outcome"])))
    if body.get("definition"):
        words.append(str(body["definition"]))
    if body.get("version"):
        words.append(str(body["version"]))
    if body.get("missing"):
        labels = {entry.field.id: picture.read(entry.field.label) for entry in definition.handoff}
        missing = ", ".join(labels.get(name, name) for name in body["missing"])
        words.append(f"{picture.say(_MISSING)}: {missing}")
    return " · ".join(words)


def trace_of(work: Work, picture: Picture, before: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """The trace of one onboarding: what came before in the home, then its own eleven events, oldest first."""
    own = reversed(list_of_onboarding(work.session, picture.onboarding.id, limit=1_000))
    entries = [*before, *(story_line(entry, picture) for entry in own if entry.action in _BY_ACTION)]
    first: datetime | None = entries[0]["at"] if entries else None
    return {
        "trace_id": picture.onboarding.trace_id,
        "times": _times(picture, first),
        "entries": entries,
    }


def _times(picture: Picture, first: datetime | None) -> list[dict[str, Any]]:
    """The times to value that this template measures, by their names, in seconds; None while they run."""
    found, clocks = times_to_value(picture.definition, picture.state, first), picture.definition.clocks
    shown = [(mark("from trigger to first value"), found.trigger)]
    if clocks.kickoff:
        shown.append((mark("from kickoff to first value"), found.kickoff))
    if clocks.account_created and clocks.core_process:
        shown.append((mark("from account to core process"), found.account))
    return [
        {"label": picture.say(label), "took": None if time.took is None else time.took.total_seconds()}
        for label, time in shown
    ]
