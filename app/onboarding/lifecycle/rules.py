"""Which run follows another: named by the template, with the id that its predecessor and the lifecycle give it."""

from __future__ import annotations

from uuid import UUID, uuid5

from app.flow.definition import Definition, Successor
from app.kernel.errors import Missing


class NothingFollows(Missing):
    """The template does not say that this follows."""


def successor_id(onboarding_id: UUID, lifecycle: str) -> UUID:
    """The id of what follows a run in that lifecycle."""
    return uuid5(onboarding_id, f"then:{lifecycle}")


def link_of(definition: Definition, lifecycle: str) -> Successor:
    """What the template says follows in that lifecycle. Raises NothingFollows."""
    found = next((link for link in definition.then if link.lifecycle == lifecycle), None)
    if found is None:
        raise NothingFollows("The template of this onboarding does not say that this follows.")
    return found
