"""Segregation of duties, as a rule: who asks for something does not also agree to it. Asked wherever two are needed."""

from __future__ import annotations

from uuid import UUID

from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Forbidden
from app.web.translations import mark


class SecondPersonNeeded(Conflict):
    """Who asks for something that takes two does not also agree to it."""


def require_another(requester: UUID, actor: Actor) -> None:
    """Go on only if the one who agrees is another than the one who asked. Raises SecondPersonNeeded."""
    if requester == actor.id:
        raise SecondPersonNeeded(mark("You asked for it yourself. Another person has to agree."))


class PersonNeeded(Forbidden):
    """Only a human being may do this; software may not, whatever its scopes."""


def require_person(actor: Actor) -> None:
    """Go on only if a human being acts. Raises PersonNeeded."""
    if actor.kind != "person":
        raise PersonNeeded(mark("Only a person may do this. Sign in yourself; a service account cannot do it for you."))
