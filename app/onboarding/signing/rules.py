"""Who signs, and what they have to say."""

from __future__ import annotations

from app.flow.definition import Item
from app.flow.kinds.signatures import Signing
from app.kernel.errors import Forbidden, Invalid
from app.kernel.work import Work
from app.onboarding.models import Onboarding
from app.onboarding.people import holders

CONFIRM = "Tick that you have read the text and sign it."


class OnlyAPerson(Forbidden):
    """Software and jobs sign nothing, and decline nothing."""


class NotConfirmed(Invalid):
    """The name came without the word that it is meant as a signature."""


def require_person(work: Work) -> None:
    """Raises OnlyAPerson."""
    if work.actor.kind != "person":
        raise OnlyAPerson("A person signs this, or declines to. Software does neither.")


def who_has_to(work: Work, onboarding: Onboarding, item: Item, signing: Signing) -> tuple[str, ...]:
    """The actors whose signatures are waited for, where all of a role have to sign; none where a number is enough.

    In a sandbox whoever tries it plays everybody.
    """
    if not signing.everyone or signing.role is None:
        return ()
    if work.tenant.kind == "sandbox":
        return (work.actor.label,)
    held = (person for person in holders(onboarding, signing.role) if person.side == item.side)
    return tuple(f"person:{person.id}" for person in held)
