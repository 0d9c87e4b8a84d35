"""What signing, and declining to, is announced as."""

from __future__ import annotations

from typing import Any

from app.flow import events as flow
from app.flow.definition import Definition
from app.flow.state import State
from app.kernel.events import Event
from app.onboarding.signing.events import SigningDeclined, TextSigned


def told_of_signing(definition: Definition, event: flow.Event, after: State, about: dict[str, Any]) -> list[Event]:
    """One announcement where a text was signed or declined, none where something else happened."""
    if isinstance(event, flow.TaskCompleted) and definition.items[event.task].signing is not None:
        return [SigningDeclined(task=event.task, reason=str(event.answers.get("comment") or ""), **about)]
    if not isinstance(event, flow.TaskSigned):
        return []
    made = after.signatures[event.task][-1]
    return [
        TextSigned(
            task=event.task,
            name=made.name,
            locale=made.locale,
            digest=made.digest,
            version=made.version,
            definition_digest=made.definition,
            complete=after.items[event.task].state == "done",
            **about,
        )
    ]
