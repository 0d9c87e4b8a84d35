"""Stores sealed secrets of a tenant and hands sealed ones to whoever may open them. Nothing in the clear is kept."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.access.permissions import Permission
from app.access.require import require
from app.kernel.errors import Unavailable
from app.kernel.ids import new_id
from app.kernel.work import Work
from app.vault.events import SecretSet, SecretsOpened
from app.vault.keyring import Keyring
from app.vault.models import SecretRecord
from app.vault.rules import DoorPurpose, SecretContext
from app.vault.secret import Secret
from app.vault.tenant_keys import (
    BareKeys,
    TenantKeys,
    lock_keys,
    make_tenant_keys,
    open_connection_secret,
    open_door_secret,
    seal_connection_secret,
    seal_door_secret,
    unlock_keys,
)

SYSTEM_ONLY = {
    "make_keys": "part of the creation of a tenant",
    "take_connection_secrets": "called by a run's job",
    "open_door_secrets": "called by the door that the secret guards",
    "take_keys": "part of an export, which has checked its own permission; refuses the web program",
    "put_keys": "part of an import, which has checked its own permission; refuses the web program",
    "count_keys": "part of an import, which has checked its own permission",
}
_KEYS, _TENANT = "keys", "tenant"


class KeysMissing(Unavailable):
    """The tenant has no keys, or they were destroyed: its secrets cannot be read by anybody."""


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """The sealed secrets of one connection, to be opened where no session is in reach."""

    keys: TenantKeys
    sealed: dict[str, tuple[SecretContext, bytes]]

    def open(self, keyring: Keyring) -> dict[str, Secret]:
        """Open them all. Raises NotOpenedHere outside a worker, KeyMissing where the wrapping key is gone."""
        return {
            field: open_connection_secret(keyring, self.keys, context, box)
            for field, (context, box) in self.sealed.items()
        }


def make_keys(work: Work, keyring: Keyring) -> None:
    """Make the tenant's keys, once; the wrapping key stays outside every database."""
    if work.session.scalars(select(SecretRecord.id).where(SecretRecord.kind == _KEYS)).first():
        return
    sealed = msgspec.json.encode(make_tenant_keys(keyring, work.tenant.id))
    _store(work, kind=_KEYS, purpose=_TENANT, sealed=sealed, context=SecretContext(work.tenant.id, new_id(), "keys"))


def put_connection_secret(work: Work, *, connection_id: UUID, field: str, value: Secret) -> None:
    """Seal a connection's secret to the tenant's public key: written here, opened only in a worker.

    Raises NotPermitted, KeysMissing.
    """
    require(work, Permission.CONNECTION_WRITE)
    context = SecretContext(work.tenant.id, new_id(), field)
    sealed = seal_connection_secret(_keys(work), context, value)
    _replace(work, kind="connection", purpose=str(connection_id), context=context, sealed=sealed)


def put_door_secret(work: Work, keyring: Keyring, *, purpose: DoorPurpose, field: str, value: Secret) -> None:
    """Seal a door's secret; the program that guards this door may open it. Raises NotPermitted, KeysMissing."""
    require(work, Permission.CONNECTION_WRITE)
    context = SecretContext(work.tenant.id, new_id(), field, purpose)
    sealed = seal_door_secret(keyring, _keys(work), context, value)
    _replace(work, kind="door", purpose=purpose, context=context, sealed=sealed)


def take_connection_secrets(work: Work, *, connection_id: UUID, run_id: UUID) -> SealedSecrets:
    """The sealed secrets of a connection for one run, with an entry in the trail. Raises KeysMissing."""
    rows = _rows(work, kind="connection", purpose=str(connection_id))
    if rows:
        fields = sorted(row.field for row in rows)
        work.record(SecretsOpened(subject_id=connection_id, fields=fields, run_id=str(run_id)))
    sealed = {row.field: (SecretContext(work.tenant.id, row.id, row.field), row.sealed) for row in rows}
    return SealedSecrets(keys=_keys(work), sealed=sealed)


def open_door_secrets(work: Work, keyring: Keyring, *, purpose: DoorPurpose) -> list[Secret]:
    """Every active secret of a door (two during a rotation), newest first. Raises KeysMissing, NotOpenedHere."""
    rows = sorted(_rows(work, kind="door", purpose=purpose), key=lambda row: row.set_at, reverse=True)
    keys = _keys(work)
    return [
        open_door_secret(keyring, keys, SecretContext(work.tenant.id, row.id, row.field, purpose), row.sealed)
        for row in rows
    ]


def _keys(work: Work) -> TenantKeys:
    row = work.session.scalars(select(SecretRecord).where(SecretRecord.kind == _KEYS)).one_or_none()
    if row is None:
        raise KeysMissing("This workspace has no keys; its secrets can neither be stored nor read.")
    return msgspec.json.decode(row.sealed, type=TenantKeys)


def _rows(work: Work, *, kind: str, purpose: str) -> list[SecretRecord]:
    query = select(SecretRecord).where(SecretRecord.kind == kind, SecretRecord.purpose == purpose)
    return list(work.session.scalars(query))


def _replace(work: Work, *, kind: str, purpose: str, context: SecretContext, sealed: bytes) -> None:
    """The new value takes the old one's place: a secret has no history to read."""
    work.session.execute(
        delete(SecretRecord).where(
            SecretRecord.kind == kind, SecretRecord.purpose == purpose, SecretRecord.field == context.field
        )
    )
    _store(work, kind=kind, purpose=purpose, sealed=sealed, context=context)
    work.announce(SecretSet(subject_id=context.secret_id, kind=kind, purpose=purpose, field=context.field))


def _store(work: Work, *, kind: str, purpose: str, sealed: bytes, context: SecretContext) -> None:
    work.session.add(
        SecretRecord(
            id=context.secret_id,
            kind=kind,
            purpose=purpose,
            field=context.field,
            key_version=1,
            sealed=sealed,
            set_by=work.actor.id,
            set_at=work.now,
        )
    )


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
