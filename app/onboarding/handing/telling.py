"""What handing credentials over is announced as."""

from __future__ import annotations

from typing import Any

from app.flow import events as flow
from app.flow.definition import Definition
from app.kernel.events import Event
from app.onboarding.handing.events import CredentialsGiven


def told_of_credentials(definition: Definition, event: flow.Event, about: dict[str, Any]) -> list[Event]:
    """One announcement where credentials were handed over, none where something else happened."""
    if not isinstance(event, flow.TaskCompleted | flow.CredentialsGiven):
        return []
    handover = definition.items[event.task].handover
    if handover is None:
        return []
    again = isinstance(event, flow.CredentialsGiven)
    fields = sorted(event.fields if isinstance(event, flow.CredentialsGiven) else event.answers)
    told: dict[str, Any] = {"task": event.task, "connector": handover.connector, "fields": fields, "again": again}
    return [CredentialsGiven(**told, **about)]
