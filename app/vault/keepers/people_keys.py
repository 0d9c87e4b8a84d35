"""Seals what belongs to a person, not to a tenant: the secret of an authenticator. A door secret."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.vault.envelope import Place, open_sealed, seal
from app.vault.secret import Secret

_VERSION = 1


@dataclass(frozen=True, slots=True)
class PeopleSafe:
    """`key` is the keyring's people key. A value opens only for the person it was sealed for."""

    key: Secret

    def seal(self, person_id: UUID, value: bytes) -> bytes:
        """The value, sealed for this person."""
        return seal(self.key, _place(person_id), Secret(value))

    def open(self, person_id: UUID, sealed: bytes) -> bytes:
        """What was sealed for this very person. Raises SecretUnreadable."""
        return open_sealed(self.key, _place(person_id), sealed).reveal_bytes()


def _place(person_id: UUID) -> Place:
    return Place(("person", str(person_id), "authenticator"), _VERSION)
