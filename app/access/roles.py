"""The roles, by who holds them. What a role may do, and which role it includes, is in `policy.csv`."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """A role that somebody is assigned; a person may hold several."""

    OPERATOR = "operator"

    PARTNER_OWNER = "partner_owner"
    PARTNER_ADMIN = "partner_admin"
    ONBOARDING_LEAD = "onboarding_lead"
    CSM = "csm"
    IMPLEMENTATION = "implementation"
    FINANCE = "finance"
    TECHNICAL = "technical"
    AUDITOR = "auditor"
    NO_DECISIONS = "no_decisions"  # grants nothing and takes decisions away: reviewers must not decide what they review

    OWNER = "owner"
    ADMIN = "admin"
    CONTRIBUTOR = "contributor"
    APPROVER = "approver"
    VIEWER = "viewer"


CUSTOMER_ROLES: Final = frozenset({Role.OWNER, Role.ADMIN, Role.CONTRIBUTOR, Role.APPROVER, Role.VIEWER})
PLATFORM_ROLES: Final = frozenset({Role.OPERATOR})
PARTNER_ROLES: Final = frozenset(Role) - CUSTOMER_ROLES - PLATFORM_ROLES
