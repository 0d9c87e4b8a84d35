"""What each permission means, in words (message ids), in the groups in which people choose among them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from app.access.permissions import Permission
from app.web.translations import mark

_GROUPS: Final[tuple[tuple[str, tuple[tuple[Permission, str], ...]], ...]] = (
    (
        mark("Onboardings"),
        (
            (Permission.ONBOARDING_READ, mark("see onboardings and how they stand")),
            (Permission.ONBOARDING_WRITE, mark("start, pause and plan onboardings")),
            (Permission.TASK_COMPLETE, mark("finish steps of one's own side")),
            (Permission.PACKET_EDIT, mark("correct facts that were handed over")),
            (Permission.EXCEPTION_RESOLVE, mark("settle what is held up")),
            (Permission.GATE_DECIDE, mark("decide at gates")),
            (Permission.MESSAGE_READ, mark("read messages that were sent")),
            (Permission.DASHBOARD_READ, mark("see the figures")),
        ),
    ),
    (
        mark("Deals and workflows"),
        (
            (Permission.DEAL_READ, mark("see deals of the CRM")),
            (Permission.DEAL_ADMIT, mark("admit deals")),
            (Permission.WORKFLOW_EDIT, mark("set workflows up")),
            (Permission.WORKFLOW_APPROVE, mark("approve workflows")),
        ),
    ),
    (
        mark("Templates and systems"),
        (
            (Permission.TEMPLATE_READ, mark("see templates")),
            (Permission.TEMPLATE_EDIT, mark("write templates")),
            (Permission.TEMPLATE_PUBLISH, mark("publish templates")),
            (Permission.LISTING_REVIEW, mark("review what is offered in the marketplace")),
            (Permission.CONNECTION_READ, mark("see which systems are connected")),
            (Permission.CONNECTION_WRITE, mark("connect systems; credentials stay unreadable")),
        ),
    ),
    (
        mark("Workspaces"),
        (
            (Permission.TENANT_READ, mark("see workspaces, their settings and who has access")),
            (Permission.TENANT_CREATE, mark("create workspaces")),
            (Permission.TENANT_UPDATE, mark("change a workspace's name, plan and limits")),
            (Permission.TENANT_SUSPEND, mark("suspend workspaces and let them go on")),
            (Permission.TENANT_EXPORT, mark("take a workspace's content out")),
            (Permission.TENANT_IMPORT, mark("bring workspaces in from elsewhere")),
            (Permission.TENANT_ERASE, mark("ask for the erasure of a workspace, or agree to it")),
        ),
    ),
    (
        mark("People, roles and software"),
        (
            (Permission.MEMBER_INVITE, mark("invite people into workspaces")),
            (Permission.MEMBER_PROMOTE, mark("make people owners or administrators of a workspace")),
            (Permission.STAFF_MANAGE, mark("invite staff, give them roles, remove them")),
            (Permission.ROLE_DEFINE, mark("define roles of your own")),
            (Permission.SERVICE_MANAGE, mark("manage service accounts and their keys")),
            (Permission.DIRECTORY_MANAGE, mark("set up single sign-on and directories")),
        ),
    ),
    (
        mark("Access to customers"),
        (
            (Permission.DELEGATION_REQUEST, mark("ask customers for access")),
            (Permission.DELEGATION_APPROVE, mark("agree to a partner's access")),
            (Permission.DELEGATION_REVOKE, mark("end a partner's access")),
            (Permission.DELEGATION_BREAK_GLASS, mark("take access in an emergency")),
            (Permission.DECISION_EXPLAIN, mark("see why somebody may or may not do something")),
        ),
    ),
    (
        mark("Trail and house"),
        (
            (Permission.TRAIL_READ, mark("read the trail of who did what")),
            (Permission.TRAIL_EXPORT, mark("take a copy of the trail")),
            (Permission.TRAIL_KEEP, mark("decide for how long the trail is kept")),
            (Permission.BRAND_EDIT, mark("change the brand")),
            (Permission.PARTNER_ADMIT, mark("admit partners")),
            (Permission.FLEET_OPERATE, mark("operate the installation")),
        ),
    ),
)
_WORDS: Final[Mapping[str, str]] = {permission: words for _group, each in _GROUPS for permission, words in each}


@dataclass(frozen=True, slots=True)
class PermissionGroup:
    """Some permissions under a common title: each by name, with its words."""

    title: str
    items: tuple[tuple[str, str], ...]


def grouped(permissions: Iterable[str]) -> list[PermissionGroup]:
    """The permissions in groups, each in the order of the product; groups of which nothing is there are left out."""
    wanted = frozenset(permissions)
    groups = [(title, tuple((str(name), words) for name, words in each if name in wanted)) for title, each in _GROUPS]
    return [PermissionGroup(title, items) for title, items in groups if items]


def word_of(permission: str) -> str:
    """What a permission means; its name where the product has none of that name."""
    return _WORDS.get(permission, permission)
