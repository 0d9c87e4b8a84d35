"""The shapes that the doors of access take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from app.access.permissions import Permission
from app.access.policy.delegations import MOST_GROUPS
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


Moment = Annotated[datetime, Meta(tz=True, examples=["2027-01-31T18:00:00Z"])]


class DelegationWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Access that a partner asks for. Without `starts_at` it begins as soon as the customer agrees."""

    roles: Roles
    reason: ReasonText
    ends_at: Moment
    starts_at: Moment | None = None
    renewal_of: UUID | None = None


class GlassWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Access in an emergency, for the person who takes it alone."""

    roles: Roles
    reason: ReasonText
    hours: Annotated[int, Meta(ge=1, le=4)] = 1


class DelegationAnswer(Struct, frozen=True, forbid_unknown_fields=True):
    """What the customer agrees to: all that was asked for, or fewer roles, or less time."""

    roles: Roles | None = None
    ends_at: Moment | None = None
    reason: Annotated[str, Meta(max_length=500)] = ""


class DelegationReason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is declined, taken back or ended."""

    reason: ReasonText


class GroupWish(Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the roles one of the partner's groups of staff is to have."""

    id: Annotated[UUID, Meta(description="The group's id, as SCIM says it.")]
    roles: Roles
    name: Annotated[
        str, Meta(max_length=400, description="Not read: a group is called what the partner's directory calls it.")
    ] = ""


class GroupGrant(Struct, frozen=True):
    """Which of the roles one of the partner's groups of staff has."""

    id: UUID
    name: str
    roles: list[str]


class GroupGrants(Struct, frozen=True, forbid_unknown_fields=True):
    """Who of the partner has access: these groups; without any, all its staff, each by their own roles."""

    groups: Annotated[list[GroupWish], Meta(max_length=MOST_GROUPS)]


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


class AssignedOut(Struct, frozen=True):
    """A role assigned in an organisation; `means` is null where its definition is gone. Without a role: a ceiling."""

    organisation: str
    role: str | None
    own_name: str | None
    means: str | None


class ConsideredOut(Struct, frozen=True):
    """A delegation of the person's organisation, and whether it would allow this if it were open."""

    id: UUID
    state: State
    starts_at: datetime
    ends_at: datetime
    roles: list[str]
    would_allow: bool


class ExplanationOut(Struct, frozen=True):
    """Why somebody may do something here, or may not: the rule that decided, and what gave them its role."""

    person: UUID
    permission: str
    allowed: bool
    step_up: bool  # whether it also takes a fresh proof of who they are
    rule: str | None  # the line of the policy; none speaks of it where it is null
    decided_by: list[GrantOut]
    holds: list[GrantOut]
    assigned: list[AssignedOut]
    delegations: list[ConsideredOut]
    roles_that_allow: list[str]  # of the person's own side
    told: str  # the same in a sentence: what decided, or what is missing and whom to ask


PermissionText = Annotated[str, Meta(pattern=rf"^{_PERMISSION}$", max_length=120, examples=["onboarding:gate:decide"])]


class CustomRoleWish(Struct, frozen=True, forbid_unknown_fields=True):
    """A role of the partner's own: one of ours, without some of its permissions."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S", examples=["Care without gates"])]
    base: Annotated[str, Meta(pattern=rf"^({_STAFF})$", examples=["onboarding_lead"])]
    removed: Annotated[list[PermissionText], Meta(min_length=1, max_length=60)]


class CustomRoleOut(Struct, frozen=True):
    """A role of the partner's own. It is assigned as `assigned_as`; what that means at this moment is in `means`."""

    id: UUID
    name: str
    base: str
    removed: list[str]
    assigned_as: str
    means: str
    changed_at: datetime


class CustomRoleList(Struct, frozen=True):
    """The partner's own roles, by name."""

    items: list[CustomRoleOut]


class ExplanationQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which permission; of whom, if not of the reader."""

    permission: Annotated[
        str,
        Meta(
            pattern=rf"^({'|'.join(Permission)})$",
            description="The permission that is asked about.",
            examples=["onboarding:task:complete"],
        ),
    ]
    person: Annotated[UUID | None, Meta(description="Somebody else; takes a right of its own.")] = None
