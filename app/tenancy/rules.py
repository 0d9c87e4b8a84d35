"""What may be done to a tenant as a whole, whatever does it: states, reasons, and the names of the troubles. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from app.access.rights import home_roles
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid, Missing
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.tenant import TRANSITIONS

_LONGEST_REASON = 500


class TenantUnknown(Missing):
    """There is no such tenant, or none below this organisation."""


class WrongState(Conflict):
    """The tenant's state does not allow it."""


class OwnHome(Conflict):
    """An organisation cannot lock itself out of its own home."""


class ReasonMissing(Invalid):
    """What is done to a tenant as a whole needs a reason that people will understand later."""


@dataclass(frozen=True, slots=True)
class Staff:
    """An actor's rights by assignment in its own organisation, which count for all tenants below it."""

    rights: frozenset[str]

    @classmethod
    def of(cls, actor: Actor) -> Staff:
        """Those of this actor."""
        return cls(home_roles(actor.roles))


def become(entry: TenantEntry, state: str) -> bool:
    """Put the row into the state; False where it is in it already. Raises WrongState."""
    if entry.state == state:
        return False
    if entry.state not in TRANSITIONS[state]:
        error = WrongState(mark("The state of this workspace does not allow that."))
        error.extensions = {"state": entry.state}
        raise error
    entry.state = state
    return True


def check_reason(reason: str) -> str:
    """The reason without surrounding blanks. Raises ReasonMissing when it says nothing or too much."""
    said = reason.strip()
    if not said or len(said) > _LONGEST_REASON:
        raise ReasonMissing(mark("Say why, in at most 500 characters: it is kept in the trail."))
    return said


UNKNOWN = mark("There is no such workspace.")
