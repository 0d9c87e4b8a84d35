"""Segregation of duties, as a rule: who asks for something does not also agree to it. Asked wherever two are needed."""

from __future__ import annotations

from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.errors import Conflict
from app.web.translations import mark


class SecondPersonNeeded(Conflict):
    """Who asks for something that takes two does not also agree to it."""


def require_another(requester: UUID, actor: Actor) -> None:
    """Go on only if the one who agrees is another than the one who asked. Raises SecondPersonNeeded."""
    if requester == actor.id:
        raise SecondPersonNeeded(mark("You asked for it yourself. Another person has to agree."))
