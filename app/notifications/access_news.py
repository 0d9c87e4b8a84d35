"""Who is written to when something happens to a partner's access, and with which facts. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Protocol

from app.access import events as access
from app.notifications.operations import Letter, Recipient

PAGE: Final = "/access"  # of the workspace, where all of it is shown and decided
_TO_CUSTOMER: Final = frozenset(
    {access.DelegationRequested.type, access.GlassBroken.type, access.DelegationRunsOut.type}
)
_TO_ASKER: Final = frozenset(
    {
        access.DelegationApproved.type,
        access.DelegationDeclined.type,
        access.DelegationNarrowed.type,
        access.DelegationRunsOut.type,
    }
)


class Entry(Protocol):
    """What is read of a trail entry."""

    action: str
    actor_name: str
    reason: str | None
    body: dict[str, Any]


def readers_of(
    entry: Entry, owners: Sequence[Recipient], asker: Recipient | None, *, workspace: str
) -> Iterator[Letter]:
    """A letter for each who has to know: whoever did it themselves knows it already."""
    by = entry.body.get("by")
    facts = {
        "title": {"en": entry.actor_name},
        "text": {"en": entry.reason or ""},
        "onboarding": workspace,
        "due_at": entry.body.get("ends_at") or (entry.body.get("after") or {}).get("ends_at"),
        "page": PAGE,
    }
    kind = f"access_{entry.action.rpartition('.')[2]}"
    if entry.action in _TO_CUSTOMER or by == "partner":
        yield from (Letter(kind, owner, facts) for owner in owners)
    if asker is not None and (entry.action in _TO_ASKER or by == "customer"):
        yield Letter(kind, asker, facts)
