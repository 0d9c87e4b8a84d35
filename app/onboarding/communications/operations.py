"""The letters of a message: one to each holder of its role, with answers to the person who is to have them."""

from __future__ import annotations

from app.flow.commands import SendCommunication
from app.flow.definition import Definition
from app.kernel.work import Work
from app.notifications.operations import Letter, queue_letter
from app.onboarding.models import Onboarding
from app.onboarding.people import Holder, find_answering, holders

SYSTEM_ONLY = {"send_message": "part of `advance`, which an operation calls that has checked its own permission"}


def send_message(work: Work, onboarding: Onboarding, definition: Definition, command: SendCommunication) -> None:
    """Queue a letter to each reader, in the transaction of what it follows from.

    Where nobody holds the role it goes to the onboarding's lead, and says so: no message is lost in silence.
    """
    item, answering = definition.items[command.task], find_answering(onboarding, command.replies_to)
    facts = {
        "item": item.key,
        "title": dict(item.title),
        "subject": dict(command.subject),
        "text": dict(command.body),
        "onboarding": onboarding.name,
        "due_at": None,
        "reply_to": _address(answering),
        "meant_for": {} if onboarding.people.get(command.to) else dict(definition.roles[command.to].label),
    }
    for reader in holders(onboarding, command.to):
        queue_letter(work, Letter("communication", reader, facts, onboarding.id))


def _address(person: Holder | None) -> dict[str, str] | None:
    return {"name": person.name, "email": person.email} if person else None
