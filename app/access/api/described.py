"""What the OpenAPI document says of the doors of access: answers, examples, and every trouble by its stable name."""

from __future__ import annotations

from typing import Any

from app.access.duties import PersonNeeded, SecondPersonNeeded
from app.access.operations.custom_roles import RoleInUse, RoleStale, RoleTooWide, RoleUnusable, TooManyRoles
from app.access.policy.delegations import (
    BeyondGranted,
    DelegationMovedOn,
    DelegationStale,
    DelegationUnknown,
    GlassTooSoon,
    GroupUnknown,
    ReasonNeeded,
    RolesUnusable,
    TooManyRequests,
    WiderThanAsked,
    WindowUnusable,
)
from app.access.queries.custom_roles import RoleUnknown
from app.access.queries.index import IndexPage, IndexQuery
from app.access.require import NotPermitted, StepUpNeeded
from app.access.schemas import (
    CustomRoleList,
    CustomRoleOut,
    CustomRoleWish,
    DelegationAnswer,
    DelegationList,
    DelegationOut,
    DelegationReason,
    DelegationWish,
    ExplanationOut,
    ExplanationQuery,
    GlassWish,
    GroupGrants,
)
from app.kernel.commands import CommandKeyReused
from app.kernel.errors import SlipwayError
from app.kernel.paging import CursorExpired, CursorForeign
from app.kernel.work import TenantNotActive, TenantUpgrading
from app.web.begin import NothingHere, NotSignedIn
from app.web.security import NotFromHere
from app.web.wire.openapi import Described, Told
from app.web.wire.reading import (
    BodyUnfit,
    BodyUnreadable,
    IdempotencyKeyMissing,
    IdempotencyKeyUnfit,
    MediaTypeUnknown,
    PreconditionMissing,
    PreconditionUnfit,
    QueryUnfit,
)

_ID = "01969c1e-5f0a-7c3e-9d5b-2f6a8e4b1c07"
_PARTNER = "01969c1e-0000-7c3e-9d5b-2f6a8e4b1c01"
_NONE = ("decided_by", "decided_at", "ended_by", "ended_at", "end_reason", "renewal_of", "last_used_by", "last_used_at")
_ASKED: dict[str, Any] = {
    "id": _ID,
    "organisation_id": _PARTNER,
    "kind": "standard",
    "state": "requested",
    "roles": ["csm", "implementation"],
    "requested_roles": ["csm", "implementation"],
    "reason": "Go-live support",
    "starts_at": "2026-11-21T09:00:00Z",
    "ends_at": "2027-01-31T18:00:00Z",
    "requested_by": "Dana Northwind",
    "requested_at": "2026-11-21T09:00:00Z",
    "groups": [],
    "version": 1,
    **dict.fromkeys(_NONE),
}
_GIVEN = _ASKED | {
    "state": "active",
    "roles": ["csm"],
    "decided_by": "Olga Acme",
    "decided_at": "2026-11-21T10:00:00Z",
    "version": 2,
}
_OVER = {"ended_by": "customer", "ended_at": "2026-12-01T10:00:00Z", "end_reason": "The project is done", "version": 3}
_GLASS = _GIVEN | {"kind": "break_glass", "reason": "The import is stuck", "ends_at": "2026-11-21T11:00:00Z"}
_GROUP = {"id": _PARTNER, "name": "Care team", "roles": ["csm"]}
_GROUP_WISH = {"id": _PARTNER, "roles": ["csm"]}
_WHY = {"reason": "The project is done"}

_ANYWHERE: tuple[type[SlipwayError], ...] = (NotSignedIn, NotPermitted)
_TENANT = (*_ANYWHERE, NothingHere, TenantNotActive, TenantUpgrading)
_SENT = (NotFromHere, BodyUnreadable, BodyUnfit, MediaTypeUnknown)
_ONCE = (IdempotencyKeyMissing, IdempotencyKeyUnfit, CommandKeyReused)
_MATCHED = (PreconditionMissing, PreconditionUnfit, DelegationStale)
_ONE = (*_TENANT, *_SENT, *_ONCE, DelegationUnknown, DelegationMovedOn)


def _changed(
    means: str,
    example: dict[str, Any],
    takes: type,
    wanted: dict[str, Any],
    *more: type[SlipwayError],
    match: bool = True,
) -> Described:
    """A step in the life of a delegation."""
    told = Told(means, DelegationOut, headers=("ETag", "Idempotency-Replayed"), example=example)
    asked = ("Idempotency-Key", "If-Match") if match else ("Idempotency-Key",)
    problems = (*_ONE, *(_MATCHED if match else ()), *more)
    return Described({200: told}, takes=takes, example=wanted, headers=asked, problems=problems)


def _made(
    means: str, example: dict[str, Any], takes: type, wanted: dict[str, Any], *more: type[SlipwayError]
) -> Described:
    """A new delegation."""
    told = Told(means, DelegationOut, headers=("Location", "ETag", "Idempotency-Replayed"), example=example)
    problems = (*_TENANT, *_SENT, *_ONCE, RolesUnusable, BeyondGranted, WindowUnusable, ReasonNeeded, *more)
    return Described({201: told}, takes=takes, example=wanted, headers=("Idempotency-Key",), problems=problems)


LIST = Described(
    {200: Told("All of it.", DelegationList, headers=("ETag",), example={"items": [_GIVEN]})}, problems=_TENANT
)
READ = Described(
    {200: Told("The access.", DelegationOut, headers=("ETag",), example=_GIVEN)}, problems=(*_TENANT, DelegationUnknown)
)
REQUEST = _made(
    "Asked for; nobody has access by it yet.",
    _ASKED,
    DelegationWish,
    {"roles": ["csm", "implementation"], "reason": "Go-live support", "ends_at": "2027-01-31T18:00:00Z"},
    *(TooManyRequests, DelegationUnknown, DelegationMovedOn),
)
BREAK_GLASS = _made(
    "Open at once, and the customer is told.",
    _GLASS,
    GlassWish,
    {"roles": ["csm"], "reason": "The import is stuck", "hours": 1},
    *(StepUpNeeded, PersonNeeded, GlassTooSoon),
)
APPROVE = _changed(
    "Agreed to, from now on.",
    _GIVEN,
    DelegationAnswer,
    {"roles": ["csm"], "reason": "Only what is needed"},
    *(StepUpNeeded, PersonNeeded, SecondPersonNeeded, RolesUnusable, WiderThanAsked, WindowUnusable),
)
NARROW = _changed(
    "Less than before, from now on.",
    _GIVEN,
    DelegationAnswer,
    {"roles": ["csm"], "reason": "The data is in"},
    *(RolesUnusable, WiderThanAsked, WindowUnusable),
)
DECLINE = _changed("Not agreed to.", _ASKED | {"state": "declined", "version": 2}, DelegationReason, _WHY, ReasonNeeded)
WITHDRAW = _changed(
    "Taken back.", _ASKED | {"state": "withdrawn", "version": 2}, DelegationReason, _WHY, ReasonNeeded, match=False
)
END = _changed(
    "Over, from now on.", _GIVEN | _OVER | {"state": "ended"}, DelegationReason, _WHY, ReasonNeeded, match=False
)
MAP = _changed(
    "The groups that have access.",
    _GIVEN | {"groups": [_GROUP]},
    GroupGrants,
    {"groups": [_GROUP_WISH]},
    RolesUnusable,
    GroupUnknown,
)

_LINE = {
    "id": _ID,
    "tenant_id": _PARTNER,
    "tenant_name": "Acme Ltd",
    "organisation_id": _PARTNER,
    "kind": "standard",
    "state": "active",
    "roles": ["csm"],
    "reason": "Go-live support",
    "starts_at": "2026-11-21T09:00:00Z",
    "ends_at": "2027-01-31T18:00:00Z",
}
INDEX = Described(
    {200: Told("A page.", IndexPage, headers=("ETag", "Link"), example={"items": [_LINE], "next": None})},
    query=IndexQuery,
    problems=(*_ANYWHERE, QueryUnfit, CursorForeign, CursorExpired),
)

_GRANT = {"role": "csm", "source": "delegation", "delegation": _ID}
_EXPLAINED = {
    "person": _PARTNER,
    "permission": "onboarding:task:complete",
    "allowed": True,
    "step_up": False,
    "rule": "p, csm, onboarding:task:complete, allow",
    "decided_by": [_GRANT],
    "holds": [_GRANT],
    "assigned": [{"organisation": "Northwind", "role": "csm", "own_name": None, "means": "csm"}],
    "delegations": [
        {
            "id": _ID,
            "state": "active",
            "starts_at": "2026-11-21T09:00:00Z",
            "ends_at": "2027-01-31T18:00:00Z",
            "roles": ["csm"],
            "would_allow": True,
        }
    ],
    "roles_that_allow": ["csm", "finance"],
    "told": "Allowed: a role that is held here includes it.",
}
EXPLAIN = Described(
    {200: Told("What decided.", ExplanationOut, headers=("ETag",), example=_EXPLAINED)},
    query=ExplanationQuery,
    problems=(*_TENANT, QueryUnfit),
)

_ROLE = {
    "id": _ID,
    "name": "Care without gates",
    "base": "onboarding_lead",
    "removed": ["onboarding:gate:decide"],
    "assigned_as": f"custom:{_ID}",
    "means": "onboarding_lead!onboarding:gate:decide",
    "changed_at": "2026-11-21T09:00:00Z",
}
_ROLE_WISH = {"name": "Care without gates", "base": "onboarding_lead", "removed": ["onboarding:gate:decide"]}
_DEFINING = (*_ANYWHERE, NotFromHere, StepUpNeeded, RoleUnknown)
_ROLE_TOLD = (*_DEFINING, *_SENT, RoleUnusable, RoleTooWide)
ROLES = Described(
    {200: Told("All of them.", CustomRoleList, headers=("ETag",), example={"items": [_ROLE]})}, problems=_ANYWHERE
)
ROLE_READ = Described(
    {200: Told("The role.", CustomRoleOut, headers=("ETag",), example=_ROLE)}, problems=(*_ANYWHERE, RoleUnknown)
)
ROLE_MAKE = Described(
    {201: Told("The role.", CustomRoleOut, headers=("Location", "ETag"), example=_ROLE)},
    takes=CustomRoleWish,
    example=_ROLE_WISH,
    headers=("Idempotency-Key",),
    problems=(*_ROLE_TOLD, *_ONCE, TooManyRoles),
)
ROLE_CHANGE = Described(
    {200: Told("The role as it is now.", CustomRoleOut, headers=("ETag",), example=_ROLE)},
    takes=CustomRoleWish,
    example=_ROLE_WISH,
    headers=("If-Match",),
    problems=(*_ROLE_TOLD, PreconditionMissing, PreconditionUnfit, RoleStale),
)
ROLE_REMOVE = Described({204: Told("Removed.")}, problems=(*_DEFINING, RoleInUse))
