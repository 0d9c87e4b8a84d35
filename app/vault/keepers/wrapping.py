"""What a keeper of wrapping keys can do, whoever it is, and what can be wrong with one. No key is kept here."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol
from uuid import UUID

from app.kernel.errors import Missing, Unavailable
from app.vault.secret import Secret

DESTROYED = "The key of this workspace was destroyed; its secrets and files can never be read again."
DISABLED = "The keys of this workspace are disabled, so its secrets cannot be used. Ask your operator to enable them."
RETIRED = (
    "This copy of the workspace's keys is older than the last rotation of its wrapping key, which is gone. Use the "
    "newer copy, or restore the key store of that time."
)


class KeyringUnsafe(Unavailable):
    """The keyring can be read or changed by somebody else, or is damaged: it is not used until that is mended."""


class KeyMissing(Missing):
    """The tenant has no wrapping key here: never created, retired, or destroyed for good."""


class KeysDisabled(Unavailable):
    """The tenant's keys are switched off: nothing of it can be opened until an operator enables them again."""


class KeyState(StrEnum):
    """How it stands with a tenant's wrapping key."""

    ACTIVE = "active"
    DISABLED = "disabled"  # switched off, can be switched on again
    DESTROYED = "destroyed"  # for good
    RETURNED = "returned"  # destroyed, and a copy is back: it is not used, and must go


class WrappingKeys(Protocol):
    """A keeper of one wrapping key a tenant: the local keyring, or a vault's transit engine.

    A wrapping key has versions, counted from 1: the newest wraps, older ones still open until they are retired. Every
    method may raise KeyringUnsafe, or another Unavailable where the keeper cannot be asked. All may be repeated.
    """

    def create(self, tenant_id: UUID) -> None:
        """Make the tenant's key unless there is one. Raises KeyMissing when it was destroyed."""

    def wrap(self, tenant_id: UUID, secret: Secret, *, purpose: str) -> bytes:
        """Seal a key of the tenant for this purpose, by the newest version. Raises KeyMissing, KeysDisabled."""

    def unwrap(self, tenant_id: UUID, wrapped: bytes, *, purpose: str) -> Secret:
        """Open it again. Raises KeyMissing, KeysDisabled or SecretUnreadable."""

    def rewrap(self, tenant_id: UUID, wrapped: bytes, *, purpose: str) -> bytes:
        """The same key, sealed by the newest version. Raises KeyMissing, KeysDisabled or SecretUnreadable."""

    def version_of(self, wrapped: bytes) -> int:
        """Which version of the wrapping key sealed this. Raises SecretUnreadable."""

    def newest(self, tenant_id: UUID) -> int:
        """The newest version. Raises KeyMissing, KeysDisabled."""

    def rotate(self, tenant_id: UUID, *, beyond: int) -> int:
        """Add a version unless there is one above `beyond`. Returns the newest. Raises KeyMissing, KeysDisabled."""

    def retire(self, tenant_id: UUID, *, below: int) -> None:
        """Destroy the versions below this one. Raises KeyMissing, KeysDisabled."""

    def disable(self, tenant_id: UUID) -> None:
        """Switch the key off: it neither wraps nor opens. Raises KeyMissing when there is none."""

    def enable(self, tenant_id: UUID) -> None:
        """Switch it on again. Raises KeyMissing when there is none."""

    def destroy(self, tenant_id: UUID) -> None:
        """Destroy the tenant's key for good."""

    def states(self) -> dict[UUID, KeyState]:
        """Every tenant that has a key here, or had one that was destroyed."""
