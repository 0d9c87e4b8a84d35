"""What can be allowed: permissions, named `scope:resource:action` (DESIGN 5). Who holds which is in `policy.csv`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Permission(StrEnum):
    """One thing that one may be allowed to do in one tenant (a partner's home is a tenant too)."""

    # running work
    ONBOARDING_READ = "onboarding:onboarding:read"
    ONBOARDING_WRITE = "onboarding:onboarding:write"  # start, pause, move dates, change owners
    TASK_COMPLETE = "onboarding:task:complete"  # of one's own side: the engine asks which side that is
    GATE_DECIDE = "onboarding:gate:decide"
    PACKET_EDIT = "onboarding:packet:edit"
    EXCEPTION_RESOLVE = "onboarding:exception:resolve"
    MESSAGE_READ = "notifications:message:read"

    # what comes in, and the lanes it comes in on
    DEAL_READ = "intake:deal:read"
    DEAL_ADMIT = "intake:deal:admit"
    WORKFLOW_EDIT = "intake:workflow:edit"
    WORKFLOW_APPROVE = "intake:workflow:approve"

    # templates
    TEMPLATE_READ = "templates:template:read"
    TEMPLATE_EDIT = "templates:template:edit"
    TEMPLATE_PUBLISH = "templates:template:publish"
    LISTING_REVIEW = "marketplace:listing:review"

    # outside systems and secrets
    CONNECTION_READ = "connectors:connection:read"
    CONNECTION_WRITE = "connectors:connection:write"

    # the partner's own house
    BRAND_EDIT = "partners:brand:edit"
    PARTNER_ADMIT = "partners:organisation:admit"
    DASHBOARD_READ = "insights:dashboard:read"

    # tenants and who may enter them
    TENANT_READ = "tenancy:tenant:read"
    TENANT_CREATE = "tenancy:tenant:create"
    TENANT_UPDATE = "tenancy:tenant:update"  # name, plan, limits, package: what it is sold
    TENANT_SUSPEND = "tenancy:tenant:suspend"
    TENANT_EXPORT = "tenancy:tenant:export"  # its content; secrets only to where the operator lets them go
    TENANT_IMPORT = "tenancy:tenant:import"  # asked in the home of the partner that gets the tenant
    TENANT_ERASE = "tenancy:tenant:erase"  # ask for it or agree to it: never both of one erasure
    MEMBER_INVITE = "identity:member:invite"
    MEMBER_PROMOTE = "identity:member:promote"  # make somebody an owner or administrator
    STAFF_MANAGE = "identity:staff:manage"  # who works for the partner, in which roles and groups
    DIRECTORY_MANAGE = "identity:directory:manage"  # single sign-on and SCIM: as much as all they may give
    SERVICE_MANAGE = "identity:service:manage"  # service accounts and their keys
    ROLE_DEFINE = "access:role:define"  # roles of the partner's own, which only narrow
    DELEGATION_REQUEST = "access:delegation:request"  # asked in the partner's home, like breaking the glass
    DELEGATION_APPROVE = "access:delegation:approve"
    DELEGATION_REVOKE = "access:delegation:revoke"
    DELEGATION_BREAK_GLASS = "access:delegation:break_glass"
    DECISION_EXPLAIN = "access:decision:explain"  # why somebody else may or may not; of oneself everybody may ask

    # evidence and the installation
    TRAIL_READ = "audit:trail:read"
    TRAIL_EXPORT = "audit:trail:export"
    TRAIL_KEEP = "audit:trail:keep"  # what stays: for how long, whose values are erased, whom checkpoints are mailed to
    FLEET_OPERATE = "tenancy:fleet:operate"


# What does harm that cannot be taken back, or opens a door for others: people prove again who they are (`require`).
HIGH_IMPACT: Final = frozenset(
    {
        Permission.MEMBER_PROMOTE,
        Permission.STAFF_MANAGE,
        Permission.DIRECTORY_MANAGE,
        Permission.SERVICE_MANAGE,
        Permission.ROLE_DEFINE,
        Permission.DELEGATION_APPROVE,
        Permission.DELEGATION_BREAK_GLASS,
        Permission.TENANT_ERASE,
        Permission.TENANT_EXPORT,
        Permission.TRAIL_KEEP,
    }
)

# What stays at home: no delegation carries it, whatever roles it names. Through each of these a partner could outlive
# the delegation, or give itself another one.
NEVER_DELEGATED: Final = frozenset(
    {
        Permission.MEMBER_PROMOTE,
        Permission.STAFF_MANAGE,
        Permission.DIRECTORY_MANAGE,
        Permission.SERVICE_MANAGE,
        Permission.ROLE_DEFINE,
        Permission.DELEGATION_APPROVE,
        Permission.DELEGATION_BREAK_GLASS,
        Permission.TRAIL_KEEP,
    }
)
