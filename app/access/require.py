"""The question every operation asks first. Reads nothing: the unit of work knows the roles, the policy is compiled."""

from __future__ import annotations

from typing import Final, Protocol

from app.access.decisions import can
from app.access.permissions import HIGH_IMPACT, Permission
from app.kernel.actor import Actor
from app.kernel.errors import Forbidden
from app.web.translations import mark

_NO_ROLE: Final = mark(
    "You have no role here. Ask an administrator of this workspace to invite you,"
    " or to renew your organisation's access."
)
_OTHER_ROLE: Final = mark("Your role does not include this. Ask an administrator of this workspace for one that does.")
_PROVE: Final = mark("This takes a proof that it is you: confirm it with your code, then go on. Nothing was changed.")


class HasRights(Protocol):
    """What is asked of a unit of work: who acts, and the names of the roles they hold in its tenant."""

    @property
    def rights(self) -> frozenset[str]:
        """Roles, read in the tenant's own transaction."""

    @property
    def actor(self) -> Actor:
        """Who acts."""


class NotPermitted(Forbidden):
    """The actor's roles in this tenant do not include the permission."""

    def __init__(self, permission: Permission, *, has_role: bool) -> None:
        super().__init__(_OTHER_ROLE if has_role else _NO_ROLE)
        self.permission = permission
        self.extensions = {"permission": str(permission)}


class StepUpNeeded(Forbidden):
    """What the person may do takes a fresh proof of who they are; then the same request is let through."""

    def __init__(self, permission: Permission) -> None:
        super().__init__(_PROVE)
        self.permission = permission
        self.extensions = {"permission": str(permission)}


def require(work: HasRights, permission: Permission) -> None:
    """Go on only if the actor may do this in this tenant. Raises NotPermitted, which says whom to ask.

    Raises StepUpNeeded for a person who may, where it does harm that cannot be taken back; a machine's scopes decide
    for it (`app.access.permissions.HIGH_IMPACT`).
    """
    rights = work.rights
    if not can(rights, permission):
        raise NotPermitted(permission, has_role=bool(rights))
    if permission in HIGH_IMPACT and work.actor.kind == "person" and not work.actor.stepped_up:
        raise StepUpNeeded(permission)
