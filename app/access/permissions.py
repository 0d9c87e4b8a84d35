"""What can be allowed: permissions, named `scope:resource:action` (DESIGN 5). Who holds which is in `policy.csv`."""

from __future__ import annotations

from enum import StrEnum


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
    STAFF_INVITE = "partners:staff:invite"
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
    DELEGATION_REQUEST = "access:delegation:request"
    DELEGATION_APPROVE = "access:delegation:approve"
    DELEGATION_REVOKE = "access:delegation:revoke"

    # evidence and the installation
    TRAIL_READ = "audit:trail:read"
    TRAIL_EXPORT = "audit:trail:export"
    TRAIL_ERASE = "audit:trail:erase"  # personal values of one person, for good; the entries stay
    TRAIL_KEEP = "audit:trail:keep"  # how long personal values stay, whom checkpoints are mailed to
    FLEET_OPERATE = "tenancy:fleet:operate"
