"""What happened to secrets: that they were set or opened, by whom and for what; never what they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from app.kernel.events import Event


@dataclass(frozen=True, kw_only=True)
class SecretSet(Event):
    """A secret was stored; the value before it can no longer be read."""

    type: ClassVar[str] = "vault.secret.set"
    subject_kind: ClassVar[str] = "secret"

    kind: str
    purpose: str
    field: str


@dataclass(frozen=True, kw_only=True)
class SecretsOpened(Event):
    """A worker opened the secrets of a connection for one run."""

    type: ClassVar[str] = "vault.secrets.opened"
    subject_kind: ClassVar[str] = "connection"

    fields: list[str]
    run_id: str
