"""What happened to secrets and keys: that they were set, opened, rotated; by whom and for what; never what they are."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from app.kernel.events import Event


class SecretSet(Event, frozen=True, kw_only=True):
    """A secret was stored; the value before it can no longer be read."""

    type: ClassVar[str] = "vault.secret.set"
    subject_kind: ClassVar[str] = "secret"

    kind: str
    purpose: str
    field: str


class SecretsOpened(Event, frozen=True, kw_only=True):
    """A worker opened the secrets of a connection for one run."""

    type: ClassVar[str] = "vault.secrets.opened"
    subject_kind: ClassVar[str] = "connection"

    fields: list[str]
    run_id: str


class KeyRotationAsked(Event, frozen=True, kw_only=True):
    """A rotation was asked for. `key` is wrapping or tenant; `version` is the newest one then."""

    type: ClassVar[str] = "vault.keys.rotation_asked"
    subject_kind: ClassVar[str] = "tenant"

    key: str
    version: int


class KeyRotationFinished(Event, frozen=True, kw_only=True):
    """Everything is under this version, and the older ones are destroyed."""

    type: ClassVar[str] = "vault.keys.rotation_finished"
    subject_kind: ClassVar[str] = "tenant"

    key: str
    version: int


class KeyRotationStopped(Event, frozen=True, kw_only=True):
    """A rotation came to no end; `reason` says why. Nothing is lost: the older keys are still there."""

    type: ClassVar[str] = "vault.keys.rotation_stopped"
    subject_kind: ClassVar[str] = "tenant"

    key: str


class KeysSwitchedOff(Event, frozen=True, kw_only=True):
    """An operator disabled the tenant's keys."""

    type: ClassVar[str] = "vault.keys.disabled"
    subject_kind: ClassVar[str] = "tenant"


class KeysSwitchedOn(Event, frozen=True, kw_only=True):
    """An operator enabled the tenant's keys again."""

    type: ClassVar[str] = "vault.keys.enabled"
    subject_kind: ClassVar[str] = "tenant"


class KeysDestroyed(Event, frozen=True, kw_only=True):
    """The wrapping key is gone. From `effective_at` on no backup of the key store holds it either."""

    type: ClassVar[str] = "vault.keys.destroyed"
    subject_kind: ClassVar[str] = "tenant"

    effective_at: datetime
