"""A small template with one message in its stage of work, and runs of it. Not a test."""

from __future__ import annotations

from typing import Any

from app.flow import events
from app.flow.commands import NotifyRole, SendCommunication
from app.flow.definition import Definition
from app.flow.events import By
from app.flow.reading import read_definition
from app.templates.document import read_yaml
from app.templates.language import Template, read_template
from tests.unit.flow.parts.small import BUILD, FILE, SmallRun, milestone, small_text, task
from tests.unit.flow.running import PROOF, of_type

TASK = "task.tell"
LEAD = By(actor="person:lena", roles=("lead",))
INPUTS = """
- {id: segment, label: {en: Segment}, type: text}
- {id: delivered, label: {en: Delivered}, type: boolean}
"""
_POLICY = """
communications:
  - id: nudge
    kind: KIND
    to: client
    subject: {en: "Your kickoff", de: "Ihr Auftakt"}
    body: {en: "Please choose a day.", de: "Bitte wählen Sie einen Tag."}
    mode: MODE
    may_promise: {en: "The day that is agreed."}
    must_not_promise: {en: "A go-live date."}
    replies_to: lead
"""
TELL = task("tell", "sends: nudge, due: {business_days: 1}", kind="message")


def text_of(*more: str, mode: str = "draft", kind: str = "news", milestones: str = "", to: str = "client") -> str:
    """The template's text; `more` are further lines of its communication."""
    lines = "".join(f"    {line}\n" for line in more)
    policy = _POLICY.replace("KIND", kind).replace("MODE", mode).replace("to: client", f"to: {to}") + lines
    return small_text(milestones or milestone("base", BUILD, TELL), inputs=INPUTS) + policy


def template(*more: str, **policy: str) -> Template:
    """The checked template."""
    return read_template(text_of(*more, **policy), FILE)


def unchecked(*more: str, **policy: str) -> Definition:
    """What the lint refuses, as the engine would have it all the same."""
    return read_definition(read_yaml(text_of(*more, **policy), FILE).document, "unchecked")


class TalkRun(SmallRun):
    """One onboarding of it, whose stage of work is open."""

    def __init__(self, *more: str, segment: str | None = None, **policy: str) -> None:
        self.begin(template(*more, **policy).compile(), segment)

    @classmethod
    def of(cls, definition: Definition) -> TalkRun:
        """One of another definition."""
        run = cls.__new__(cls)
        run.begin(definition, None)
        return run

    def begin(self, definition: Definition, segment: str | None) -> None:
        """Start it and accept its handoff."""
        super().__init__(definition, segment=segment)

    def send(self, by: By = LEAD, *, subject: Any = "Your day", body: Any = "See you.", task: str = TASK):
        """Complete the task with these words."""
        words = {name: value for name, value in (("subject", subject), ("body", body)) if value is not None}
        return self.apply(events.TaskCompleted(by=by, task=task, answers=words, evidence=PROOF))

    def learn(self, **facts: Any):
        """Nothing but another fact: the packet's one field."""
        return self.apply(events.PacketChanged(by=LEAD, facts=facts, source="person"))

    def sent(self) -> list[SendCommunication]:
        """What went out with the last event."""
        return of_type(self.last, SendCommunication)

    def told(self) -> list[str]:
        """The roles that were told of the task with the last event."""
        told = of_type(self.last, NotifyRole)
        return [each.role for each in told if (each.message, each.item) == ("task_opened", TASK)]


def automatic(*more: str, segment: str | None = None) -> TalkRun:
    """One whose message may go out by itself."""
    return TalkRun(*more, mode="automatic", kind="kickoff_nudge", segment=segment)
