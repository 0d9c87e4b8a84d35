"""A tenant's keys on their way to another installation: taken from its rows, put back into them. Never in the clear."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.vault.keyring import Keyring
from app.vault.models import SecretRecord
from app.vault.secret import Secret
from app.vault.tenant_keys import BareKeys, TenantKeys, lock_keys, unlock_keys

SYSTEM_ONLY = {
    "take_keys": "part of an export, which has checked its own permission; refuses the web program",
    "put_keys": "part of an import, which has checked its own permission; refuses the web program",
    "count_keys": "part of an import, which has checked its own permission",
}
_KEYS = "keys"


class MovedKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of a tenant's keys as a line of a bundle: bare, so only ever inside a sealed part."""

    id: UUID  # of the row it belongs into
    version: int
    public_key: bytes
    dek: bytes
    private: bytes


def take_keys(session: Session, keyring: Keyring, tenant_id: UUID) -> list[bytes]:
    """Every version of the tenant's keys, each one line of JSON, bare; in the tenant's scope.

    Raises NotOpenedHere outside a worker or the operator's command line, KeyMissing.
    """
    rows = session.execute(
        select(SecretRecord.id, SecretRecord.sealed)
        .where(SecretRecord.kind == _KEYS)
        .order_by(SecretRecord.key_version, SecretRecord.id)
    )
    lines = []
    for row in rows:
        bare = unlock_keys(keyring, msgspec.json.decode(row.sealed, type=TenantKeys), tenant_id)
        moved = MovedKeys(row.id, bare.version, bare.public_key, bare.dek.reveal_bytes(), bare.private.reveal_bytes())
        lines.append(msgspec.json.encode(moved))
    return lines


def put_keys(session: Session, keyring: Keyring, tenant_id: UUID, lines: list[bytes]) -> int:
    """Lock moved keys for this installation, in the rows they came with. Returns how many fitted a row; repeatable.

    Raises NotOpenedHere, KeyMissing, SecretUnreadable, msgspec.ValidationError for a line that holds no keys.
    """
    fitted = 0
    for line in lines:
        moved = msgspec.json.decode(line, type=MovedKeys)
        bare = BareKeys(moved.public_key, Secret(moved.dek), Secret(moved.private), moved.version)
        locked = msgspec.json.encode(lock_keys(keyring, bare, tenant_id))
        statement = update(SecretRecord).where(SecretRecord.id == moved.id, SecretRecord.kind == _KEYS)
        fitted += session.connection().execute(statement.values(sealed=locked)).rowcount
    return fitted


def count_keys(session: Session) -> int:
    """How many versions of keys the tenant has; in the tenant's scope."""
    return session.execute(select(func.count()).where(SecretRecord.kind == _KEYS)).scalar_one()
