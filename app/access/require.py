"""The question every operation asks first. Reads nothing: the unit of work knows the roles, the policy is compiled."""

from __future__ import annotations

from typing import Final, Protocol

from app.access.decisions import can
from app.access.permissions import Permission
from app.kernel.errors import Forbidden
from app.web.translations import mark

_NO_ROLE: Final = mark(
    "You have no role here. Ask an administrator of this workspace to invite you,"
    " or to renew your organisation's access."
)
_OTHER_ROLE: Final = mark("Your role does not include this. Ask an administrator of this workspace for one that does.")

_PROVE: Final = mark("This needs a fresh proof that it is you. Give your code, and it is done.")


class HasRights(Protocol):
    """What is asked of a unit of work: the names of the roles its actor holds in its tenant."""

    @property
    def rights(self) -> frozenset[str]:
        """Roles, read in the tenant's own transaction."""


class NotPermitted(Forbidden):
    """The actor's roles in this tenant do not include the permission."""

    def __init__(self, permission: Permission, *, has_role: bool) -> None:
        super().__init__(_OTHER_ROLE if has_role else _NO_ROLE)
        self.permission = permission
        self.extensions = {"permission": str(permission)}


class StepUpNeeded(Forbidden):
    """Something of high impact, and the person has not proved in the last quarter of an hour who they are."""

    def __init__(self) -> None:
        super().__init__(_PROVE)


def require(work: HasRights, permission: Permission) -> None:
    """Go on only if the actor may do this in this tenant. Raises NotPermitted, which says whom to ask."""
    rights = work.rights
    if not can(rights, permission):
        raise NotPermitted(permission, has_role=bool(rights))
