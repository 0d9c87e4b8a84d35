"""What may be done to a tenant as a whole, whatever does it: states, reasons, limits, troubles by name. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.access.limits import Limit
from app.access.rights import staff_rights
from app.kernel.actor import Actor
from app.kernel.errors import Conflict, Invalid, Missing
from app.web.translations import mark
from tenants.models import TenantEntry
from tenants.tenant import TRANSITIONS

# What can be limited, by plan and by tenant; each is obeyed where something new would begin (`app.access.queries`).
LIMITS: Mapping[str, str] = {
    Limit.ONBOARDINGS: "onboardings that run at once",
    Limit.MEMBERS: "people who belong to the workspace",
    Limit.FILES_MB: "megabytes of files",
    Limit.JOBS: "jobs at work at once",
}
MOST = 1_000_000  # of anything; higher numbers are mistakes
WORD = r"^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$"  # what plans, regions, packages and partners are called by
_LONGEST_WORD = 63
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
    actor: Actor

    @classmethod
    def of(cls, actor: Actor) -> Staff:
        """Those of this actor."""
        return cls(staff_rights(actor), actor)


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


def is_plan_key(text: str) -> bool:
    """Whether the API could name a plan so."""
    return len(text) <= _LONGEST_WORD and re.fullmatch(WORD, text) is not None


def wider(own: Mapping[str, int], plans: Mapping[str, int]) -> list[str]:
    """The limits that would give more than the plan does."""
    return sorted(key for key, value in own.items() if key in plans and value > plans[key])


def effective(plans: Mapping[str, int] | None, own: Mapping[str, int] | None) -> dict[str, int]:
    """What holds: the plan's limits with the tenant's own over them."""
    return {**(plans or {}), **(own or {})}


def merged(stored: Mapping[str, int] | None, patch: Mapping[str, int | None] | None) -> dict[str, int] | None:
    """The own limits after a merge patch: null takes a limit away, null for all takes all; None where none is left."""
    if patch is None:
        return None
    kept = {key: value for key, value in {**(stored or {}), **patch}.items() if value is not None}
    return kept or None


UNKNOWN = mark("There is no such workspace.")
