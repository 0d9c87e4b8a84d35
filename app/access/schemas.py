"""The shapes that the doors of access take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.access.roles import PARTNER_ROLES, Role

State = Literal["requested", "active", "declined", "withdrawn", "ended", "expired"]
Kind = Literal["default", "standard", "break_glass"]
Side = Literal["customer", "partner", "time", "move"]

_STAFF = "|".join(sorted(str(role) for role in PARTNER_ROLES - {Role.NO_DECISIONS}))
_PERMISSION = "[a-z0-9_]+:[a-z0-9_]+:[a-z0-9_]+"
RoleText = Annotated[
    str,
    Meta(
        pattern=rf"^({_STAFF})(!{_PERMISSION})*$",
        max_length=1000,
        description="A role, and behind `!` each permission that is taken away from it: `csm!intake:deal:read`.",
        examples=["csm"],
    ),
]
Roles = Annotated[list[RoleText], Meta(min_length=1, max_length=20)]
ReasonText = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", examples=["Go-live support"])]


class DelegationWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Access that a partner asks for. Without `starts_at` it begins as soon as the customer agrees."""

    roles: Roles
    reason: ReasonText
    ends_at: datetime
    starts_at: datetime | None = None
    renewal_of: UUID | None = None


class GlassWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Access in an emergency, for the person who takes it alone."""

    roles: Roles
    reason: ReasonText
    hours: Annotated[int, Meta(ge=1, le=4)] = 1


class DelegationAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer agrees to: all that was asked for, or fewer roles, or less time."""

    roles: Roles | None = None
    ends_at: datetime | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""


class DelegationReason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is declined, taken back or ended."""

    reason: ReasonText


class GroupGrant(Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the roles one of the partner's groups of staff has."""

    id: UUID
    name: Annotated[str, Meta(min_length=1, max_length=120)]
    roles: Roles


class GroupGrants(Struct, frozen=True, forbid_unknown_fields=True):
    """Who of the partner has access: these groups; without any, all its staff, each by their own roles."""

    groups: Annotated[list[GroupGrant], Meta(max_length=50)]


class DelegationOut(Struct, frozen=True):
    """A partner's access into this workspace, or its wish for one."""

    id: UUID
    organisation_id: UUID
    kind: Kind
    state: State
    roles: list[str]
    requested_roles: list[str]
    reason: str
    starts_at: datetime
    ends_at: datetime
    requested_by: str | None
    requested_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    ended_by: Side | None
    ended_at: datetime | None
    end_reason: str | None
    renewal_of: UUID | None
    groups: list[GroupGrant]
    last_used_by: str | None
    last_used_at: datetime | None
    version: int


class DelegationList(Struct, frozen=True):
    """All access there is, was and is asked for, the newest first."""

    items: list[DelegationOut]


class GrantOut(Struct, frozen=True):
    """A role somebody has here, and what gave it to them."""

    role: str
    source: Literal["member", "assignment", "delegation"]
    delegation: UUID | None
    delegation_state: State | None
    delegation_ends_at: datetime | None


class ExplanationOut(Struct, frozen=True):
    """Why somebody may do something here, or may not: the rule that decided, and what gave them its role."""

    person: UUID
    permission: str
    allowed: bool
    step_up: bool  # whether it also takes a fresh proof of who they are
    rule: str | None  # the line of the policy; none speaks of it where it is null
    decided_by: list[GrantOut]
    holds: list[GrantOut]
    missing: str | None  # what to ask for, and whom
