"""What a CRM tells, as intake keeps it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from app.connectors.crm.provider import HookEvent, event_body
from app.intake.operations import HookMessage


def messages_of(events: Iterable[HookEvent], stages: Collection[str]) -> list[HookMessage]:
    """The events as messages; `stages` are those at which a workflow of this home starts."""
    return [
        HookMessage(event.delivery_key, str(event.object_id), event.moves_deal_to(stages), event_body(event))
        for event in events
    ]
