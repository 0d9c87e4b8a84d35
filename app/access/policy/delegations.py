"""What a delegation may be: its roles, its window, who may ask for how much of it, and when it is due. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from app.access.decisions import limiting_roles
from app.access.policy.names import meet, read_ceilings, read_name, write_name
from app.access.roles import PARTNER_ROLES, Role
from app.kernel.errors import Conflict, Forbidden, Invalid, Missing
from app.web.translations import mark

LONGEST: Final = timedelta(days=730)  # of an access; it is renewed by asking again, never by itself
ANSWERED_WITHIN: Final = timedelta(days=90)  # then a request is void
NOTICES: Final = (30, 7)  # days before its end that both sides are told, once each
MOST_REQUESTS: Final = 5  # of one partner, open at once in one tenant
MOST_GROUPS: Final = 50
LONGEST_REASON: Final = 500

# Breaking the glass is for mending what is broken: roles that work on things, none that decides, invites or admits.
GLASS_ROLES: Final = frozenset({Role.CSM, Role.IMPLEMENTATION, Role.TECHNICAL})
GLASS_LONGEST: Final = timedelta(hours=4)
GLASS_AGAIN: Final = timedelta(hours=24)  # after it was last broken: who needs more asks the customer
GLASS_REFUSED: Final = timedelta(days=7)  # after the customer has ended such an access themselves


class RolesUnusable(Invalid):
    """The roles are none that a partner's staff could have in a customer's workspace."""


class WindowUnusable(Invalid):
    """The time is over before it begins, has passed, or is longer than access may last."""


class ReasonNeeded(Invalid):
    """Access needs a reason that people will understand later."""


class BeyondGranted(Forbidden):
    """The organisation was never granted these roles, so it cannot ask a customer for them."""


class GroupUnknown(Invalid):
    """The organisation's directories know no such group of staff."""


class WiderThanAsked(Invalid):
    """An answer may take away from what was asked for, and adds nothing."""


class DelegationUnknown(Missing):
    """There is no such access in this workspace, or it is another organisation's."""


class DelegationMovedOn(Conflict):
    """The state of this access does not allow that any more."""


class DelegationStale(Conflict):
    """The access has changed since you read it."""

    status = 412


class TooManyRequests(Conflict):
    """The customer has not answered the partner's earlier requests yet."""


class GlassTooSoon(Conflict):
    """The glass was broken here a short while ago, or the customer has put an end to it."""


def check_roles(names: Iterable[str]) -> list[str]:
    """The names in their one spelling and order. Raises RolesUnusable."""
    found = sorted(set(names))
    roles = [read_name(name) for name in found]
    fit = PARTNER_ROLES - limiting_roles()
    if not found or any(role is None or role.base not in fit for role in roles):
        told = mark("Choose at least one role of the partner's staff.")
        raise RolesUnusable(told, errors=[("/roles", told)])
    return sorted({write_name(role.base, role.without) for role in roles if role is not None})


def covers(wider: Iterable[str], narrower: Iterable[str]) -> bool:
    """Whether each of the narrower roles is among the wider ones, or less than one of them."""
    held = frozenset(wider)
    return all(name in meet(frozenset({name}), held) for name in narrower)


def share(some: Iterable[str], others: Iterable[str]) -> list[str]:
    """What both sets of roles name, each as far as both go; without what one of these includes anyway."""
    both = meet(frozenset(some), frozenset(others))
    return sorted(name for name in both if not any(covers([each], [name]) for each in both - {name}))


def check_granted(assigned: frozenset[str], wanted: Iterable[str]) -> None:
    """Whether the organisation was granted these roles by every one above it. Raises BeyondGranted."""
    if not all(covers(ceiling, wanted) for ceiling in read_ceilings(assigned)):
        raise BeyondGranted(mark("Your organisation was not granted these roles. Ask for fewer, or ask your operator."))


def check_window(starts: datetime, ends: datetime, now: datetime, *, longest: timedelta = LONGEST) -> None:
    """Whether access may last from then to then. Raises WindowUnusable."""
    if ends <= starts or ends <= now:
        told = mark("The end has to be in the future, and after the beginning.")
        raise WindowUnusable(told, errors=[("/ends_at", told)])
    if ends - starts > longest or starts - now > LONGEST:
        told = mark("Access lasts 730 days at most, and 4 hours where nobody has agreed to it.")
        raise WindowUnusable(told, errors=[("/ends_at", told)])


def day_end(day: date) -> datetime:
    """The last second of the day: who writes a date means all of it."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def renewal_end(starts: datetime, ends: datetime) -> date:
    """The day on which a renewal ends that lasts as long again as the access did, within what access may last."""
    day = (ends + min(ends - starts, LONGEST)).astimezone(UTC).date()
    if day_end(day) - ends > LONGEST:
        day -= timedelta(days=1)
    return max(day, ends.astimezone(UTC).date() + timedelta(days=1))


def check_reason(reason: str) -> str:
    """The reason without surrounding blanks. Raises ReasonNeeded when it says nothing or too much."""
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON:
        told = mark("Say why, in at most 500 characters: it is kept in the trail.")
        raise ReasonNeeded(told, errors=[("/reason", told)])
    return said


def glass_again(last_began: datetime, *, ended_by_customer: datetime | None) -> datetime:
    """From when on the glass may be broken again."""
    wait = last_began + GLASS_AGAIN
    return wait if ended_by_customer is None else max(wait, ended_by_customer + GLASS_REFUSED)


def notice_due(ends: datetime, now: datetime) -> int | None:
    """The latest of the notices that are due: so many days are left, or fewer. None while there is more time."""
    due = [days for days in NOTICES if ends - now <= timedelta(days=days)]
    return min(due) if due else None


def due_moments(state: str, requested_at: datetime | None, ends: datetime) -> list[datetime]:
    """When somebody has to look after a delegation in that state."""
    if state == "requested" and requested_at is not None:
        return [requested_at + ANSWERED_WITHIN]
    if state == "active":
        return [*(ends - timedelta(days=days) for days in NOTICES), ends]
    return []
